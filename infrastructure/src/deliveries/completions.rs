//! Writes what came of attempts, many at once, under the fence of their tenants; then says so to the lanes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use chatledger_application::ports::Unavailable;
use chatledger_domain::{TenantId, UserId};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Row};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    delivery::Key,
    rows::{REACTOR, unavailable},
    schedule::Verdict,
};

/// How long more are waited for.
const GATHER: Duration = Duration::from_millis(4);
/// Written at once.
const MOST: usize = 500;
/// After a fault.
const PAUSE: Duration = Duration::from_millis(500);

/// What came of an attempt.
pub(super) struct Completion {
    pub(super) tenant: TenantId,
    pub(super) fence: i64,
    pub(super) key: Key,
    /// Whose receiver it is.
    pub(super) user: UserId,
    pub(super) attempts: u32,
    pub(super) verdict: Verdict,
    /// What was sent.
    pub(super) body_id: Option<Uuid>,
    /// An object for the log.
    pub(super) entry: String,
    /// The same without what was answered, for a delivery whose customer was forgotten meanwhile.
    pub(super) bare: String,
    /// Its places are free once it is written.
    pub(super) places: Vec<OwnedSemaphorePermit>,
    /// Who waits for it.
    pub(super) done: mpsc::UnboundedSender<Done>,
}

/// An attempt is over, and its outcome is durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) key: Key,
    pub(super) attempts: u32,
    pub(super) verdict: Verdict,
    /// Whether it changed anything: not when the tenant is another server's by now, or the delivery somebody's.
    pub(super) is_ours: bool,
}

/// Writes until told to finish and nothing is left.
pub(super) async fn run(pool: PgPool, mut queue: mpsc::UnboundedReceiver<Completion>, finish: CancellationToken) {
    loop {
        let first = tokio::select! {
            biased;
            first = queue.recv() => first,
            () = finish.cancelled() => None,
        };
        let Some(first) = first else { return };
        sleep(GATHER).await;
        let mut batch = vec![first];
        while batch.len() < MOST
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        let written = loop {
            match write(&pool, &batch).await {
                Ok(written) => break written,
                Err(error) if finish.is_cancelled() => {
                    tracing::warn!(%error, "what came of some deliveries is lost; they are made again");
                    return;
                }
                Err(error) => tracing::warn!(%error, "what came of deliveries cannot be written; the lanes wait"),
            }
            sleep(PAUSE).await;
        };
        for completion in batch {
            let Completion { tenant, key, attempts, verdict, places, done, .. } = completion;
            drop(places);
            let is_ours = written.contains(&(tenant.0, key));
            let _ = done.send(Done { key, attempts, verdict, is_ours });
        }
    }
}

type Written = BTreeSet<(Uuid, Key)>;

async fn write(pool: &PgPool, batch: &[Completion]) -> Result<Written, Unavailable> {
    let write = async {
        let mut db = pool.begin().await?;
        // What a crash of the database loses is delivered once more, with the same id.
        sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *db).await?;
        let delivered = deliveries(&mut db, batch).await?;
        let written: Written = delivered.keys().copied().collect();
        failing(&mut db, batch, &written).await?;
        marks(&mut db, batch, &delivered).await?;
        db.commit().await?;
        Ok(written)
    };
    write.await.map_err(unavailable)
}

/// The entry for a log: whole only where the delivery still says what was sent.
const ENTRY: &str = "CASE WHEN d.body_id IS DISTINCT FROM n.body_id THEN n.bare ELSE n.full_entry END";

/// The rows that were ours, with what a delivered one marks.
async fn deliveries(db: &mut PgConnection, batch: &[Completion]) -> sqlx::Result<HashMap<(Uuid, Key), Option<String>>> {
    // What an answer says may be what the delivery said, which is forgotten where its body is another now.
    let sql = format!(
        "UPDATE outbound.deliveries d \
         SET state = n.state, attempts = d.attempts + 1, not_before = coalesce(n.not_before, d.not_before), \
             done_at = CASE n.state WHEN 'pending' THEN NULL ELSE now() END, \
             log = CASE \
                 WHEN d.log IS NULL THEN '[' || {ENTRY} || ']' \
                 WHEN json_array_length(d.log) < 50 THEN rtrim(d.log::text, E'] \\n') || ',' || {ENTRY} || ']' \
                 ELSE (SELECT '[' || string_agg(e::text, ',' ORDER BY place) FROM json_array_elements(d.log) \
                     WITH ORDINALITY l (e, place) WHERE place > json_array_length(d.log) - 49) || ',' || {ENTRY} || ']' \
             END::json \
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::bigint[], \
                     $7::text[], $8::timestamptz[], $9::text[], $11::uuid[], $12::text[]) \
             AS n (tenant_id, receiver, position, part, piece, fence, state, not_before, full_entry, body_id, bare) \
         WHERE d.tenant_id = n.tenant_id AND d.receiver = n.receiver AND d.position = n.position \
             AND d.part = n.part AND d.piece = n.piece AND (d.state = 'pending' OR n.state = 'delivered') \
             AND EXISTS (SELECT FROM outbound.cursors c \
                 WHERE c.tenant_id = n.tenant_id AND c.reactor = $10 AND c.fence = n.fence) \
         RETURNING d.tenant_id, d.receiver, d.position, d.part, d.piece, \
             CASE d.state WHEN 'delivered' THEN d.marks::text END AS marks"
    );
    let rows = sqlx::query(&sql)
        .bind(batch.iter().map(|c| c.tenant.0).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.key.receiver).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.key.position).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.key.part).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.key.piece).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.fence).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| state(c.verdict)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| not_before(c.verdict)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.entry.as_str()).collect::<Vec<_>>())
        .bind(REACTOR)
        .bind(batch.iter().map(|c| c.body_id).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.bare.as_str()).collect::<Vec<_>>())
        .fetch_all(db)
        .await?;
    let rows = rows.into_iter().map(|row| {
        let (receiver, position) = (row.try_get(1)?, row.try_get(2)?);
        let key = Key { receiver, position, part: row.try_get(3)?, piece: row.try_get(4)? };
        Ok(((row.try_get(0)?, key), row.try_get(5)?))
    });
    rows.collect()
}

fn state(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Again(_) => "pending",
        Verdict::Dead => "dead",
    }
}

fn not_before(verdict: Verdict) -> Option<DateTime<Utc>> {
    match verdict {
        Verdict::Again(at) => Some(at),
        Verdict::Delivered | Verdict::Dead => None,
    }
}

/// Remembers since when a receiver only fails.
async fn failing(db: &mut PgConnection, batch: &[Completion], written: &Written) -> sqlx::Result<()> {
    let mut receivers: BTreeMap<(Uuid, i64), bool> = BTreeMap::new();
    for completion in batch.iter().filter(|c| written.contains(&(c.tenant.0, c.key))) {
        let has_success = receivers.entry((completion.tenant.0, completion.key.receiver)).or_default();
        *has_success |= completion.verdict == Verdict::Delivered;
    }
    let (well, ill): (Vec<_>, Vec<_>) = receivers.into_iter().partition(|(_, has_success)| *has_success);
    let forget = "DELETE FROM outbound.failing f USING unnest($1::uuid[], $2::bigint[]) AS n (tenant_id, receiver) \
                  WHERE f.tenant_id = n.tenant_id AND f.receiver = n.receiver";
    let remember = "INSERT INTO outbound.failing (tenant_id, receiver) SELECT * FROM unnest($1::uuid[], $2::bigint[]) \
                    ON CONFLICT DO NOTHING";
    for (sql, receivers) in [(forget, well), (remember, ill)] {
        if !receivers.is_empty() {
            let bound = sqlx::query(sql).bind(receivers.iter().map(|((tenant, _), _)| *tenant).collect::<Vec<_>>());
            let bound = bound.bind(receivers.iter().map(|((_, receiver), _)| *receiver).collect::<Vec<_>>());
            bound.execute(&mut *db).await?;
        }
    }
    Ok(())
}

/// Gathers what deliveries mark as received (R-IWH-10).
async fn marks(
    db: &mut PgConnection,
    batch: &[Completion],
    delivered: &HashMap<(Uuid, Key), Option<String>>,
) -> sqlx::Result<()> {
    let mut marks: BTreeMap<(Uuid, String, i64), i64> = BTreeMap::new();
    for completion in batch {
        let Some(Some(text)) = delivered.get(&(completion.tenant.0, completion.key)) else { continue };
        let told: HashMap<String, i64> = serde_json::from_str(text).unwrap_or_default();
        for (wa_id, at) in told {
            let mark = marks.entry((completion.tenant.0, wa_id, completion.user.0)).or_insert(at);
            *mark = at.max(*mark);
        }
    }
    if marks.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO outbound.marks AS m (tenant_id, wa_id, user_id, timestamp) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) \
         ON CONFLICT (tenant_id, wa_id, user_id) DO UPDATE SET timestamp = greatest(m.timestamp, excluded.timestamp)",
    )
    .bind(marks.keys().map(|(tenant, ..)| *tenant).collect::<Vec<_>>())
    .bind(marks.keys().map(|(_, wa_id, _)| wa_id.as_str()).collect::<Vec<_>>())
    .bind(marks.keys().map(|(.., user)| *user).collect::<Vec<_>>())
    .bind(marks.values().copied().collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
