//! Both generations at one moment, row by row.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use chatledger_domain::TenantId;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{Progress, Rebuild, RebuildError, Step, Then, swap::hold};
use crate::{engine::generation::builder, unavailable};

/// So many differing rows of a table are shown.
const SHOWN: i64 = 3;
/// Live projection that has not moved for so long is not waited for.
const STILL: Duration = Duration::from_secs(2);

/// What comparing both generations came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// The ledgers in which they were not compared.
    pub left_out: Vec<LeftOut>,
    /// The ledgers in which they were.
    pub(super) compared: Vec<Uuid>,
}

impl Comparison {
    /// Whether they are the same in every ledger.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.left_out.is_empty()
    }
}

/// A table of a tenant that is not the same in both generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The tenant.
    pub tenant: TenantId,
    /// Rows in the generation that answers.
    pub live: i64,
    /// Rows in the new one.
    pub rebuilt: i64,
    /// A few rows that only one of them has: `-` of the one that answers, `+` of the new one.
    pub examples: Vec<String>,
}

/// A ledger that the generation that answers has not folded as far as the new one: their rows cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The tenant.
    pub tenant: TenantId,
    /// So many events the slowest of the read models is behind.
    pub behind: i64,
}

/// In a few words, without anybody's data.
pub(super) fn words(comparison: &Comparison) -> String {
    let differs =
        |of: &Difference| format!("{} of tenant {} ({} and {} rows)", of.table, of.tenant, of.live, of.rebuilt);
    let is_behind = |of: &LeftOut| format!("tenant {} was not compared ({} events behind)", of.tenant, of.behind);
    let differences = comparison.differences.iter().map(differs);
    differences.chain(comparison.left_out.iter().map(is_behind)).collect::<Vec<_>>().join(", ")
}

/// Rows of one table that are compared.
struct Rows {
    table: &'static str,
    /// Which of them, where these read models share it with others.
    only: String,
}

impl Rebuild<'_> {
    /// Where they differ, in all ledgers in which the generation that answers is in step. Live projection is held up
    /// only while a common moment is found.
    pub(super) async fn compare(
        &self,
        db: &mut PgConnection,
        then: Then,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Comparison, RebuildError> {
        if then != Then::Swap {
            let_live_come(db).await.map_err(unavailable)?;
        }
        let mut guard = builder(self.pool).await.map_err(unavailable)?;
        let mut reader = builder(self.pool).await.map_err(unavailable)?;
        loop {
            // While this is held, live projection writes nothing; what is folded meanwhile is seen by the reader.
            let mut held = guard.begin().await.map_err(unavailable)?;
            let mut tx = db.begin().await.map_err(unavailable)?;
            if hold(&mut held).await? && self.close_gap(&mut tx).await? {
                tx.commit().await.map_err(unavailable)?;
                begin_look(&mut reader).await.map_err(unavailable)?;
                held.rollback().await.map_err(unavailable)?;
                break;
            }
            tx.rollback().await.map_err(unavailable)?;
            held.rollback().await.map_err(unavailable)?;
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.catch_up(db, &mut |_| {}).await?;
        }
        let comparison = self.look(&mut reader, progress).await.map_err(unavailable);
        guard.close().await.map_err(unavailable)?;
        reader.close().await.map_err(unavailable)?;
        Ok(comparison?)
    }

    /// All tables of these read models, and what they count.
    fn compared(&self) -> Vec<Rows> {
        let own = self.tables().into_iter().map(|table| Rows { table, only: String::new() });
        let names = self.generation.names().join("', '");
        let counts = Rows { table: "counters", only: format!("AND split_part(projection, ':', 1) IN ('{names}')") };
        own.chain([counts]).collect()
    }

    async fn look(
        &self,
        db: &mut PgConnection,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Comparison, sqlx::Error> {
        let (in_step, behind): (Vec<_>, Vec<_>) = behind(db).await?.into_iter().partition(|(_, behind)| *behind == 0);
        let compared: Vec<Uuid> = in_step.into_iter().map(|(tenant, _)| tenant).collect();
        let left_out =
            behind.into_iter().map(|(tenant, behind)| LeftOut { tenant: TenantId(tenant), behind }).collect();
        let all = self.compared();
        let total = i64::try_from(all.len()).unwrap_or_default();
        let mut differences = Vec::new();
        for (rows, done) in all.iter().zip(0..) {
            progress(Progress { step: Step::Compare, done, total });
            let live = sums(db, "read_models", rows, &compared).await?;
            let rebuilt = sums(db, "read_models_next", rows, &compared).await?;
            for tenant in &compared {
                let (live, rebuilt) = (live.get(tenant), rebuilt.get(tenant));
                if live != rebuilt {
                    let count = |sum: Option<&(i64, String)>| sum.map_or(0, |(rows, _)| *rows);
                    let (tenant, live, rebuilt) = (TenantId(*tenant), count(live), count(rebuilt));
                    let examples = examples(db, rows, tenant).await?;
                    differences.push(Difference { table: rows.table, tenant, live, rebuilt, examples });
                }
            }
        }
        progress(Progress { step: Step::Compare, done: total, total });
        Ok(Comparison { differences, left_out, compared })
    }
}

/// By tenant, how many events the slowest of the read models that answer is behind the new generation.
async fn behind(db: &mut PgConnection) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT n.tenant_id, max(n.position - coalesce(c.position, 0)) FROM read_models_next.cursors n
         LEFT JOIN read_models.cursors c USING (tenant_id, projection) GROUP BY n.tenant_id ORDER BY 1",
    )
    .fetch_all(db)
    .await
}

/// Waits while live projection comes up to where the pass over the ledgers ended: where it had not begun before, both
/// can be compared only then.
async fn let_live_come(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (mut before, mut since) = (Vec::new(), Instant::now());
    loop {
        let now = behind(&mut *db).await?;
        if now.iter().all(|(_, behind)| *behind <= 0) || since.elapsed() > STILL {
            return Ok(());
        }
        if now != before {
            (before, since) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// From here on the reader sees everything as it is now.
async fn begin_look(reader: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "SET enable_seqscan = on",
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SELECT FROM read_models.cursors LIMIT 1",
    ] {
        sqlx::query(statement).execute(&mut *reader).await?;
    }
    Ok(())
}

/// Rows and a sum of their hashes, whatever their order, by tenant.
async fn sums(
    db: &mut PgConnection,
    schema: &str,
    Rows { table, only }: &Rows,
    tenants: &[Uuid],
) -> Result<HashMap<Uuid, (i64, String)>, sqlx::Error> {
    let sql = format!(
        "SELECT tenant_id, count(*), sum(hashtextextended(t::text, 0))::text FROM {schema}.{table} t
         WHERE tenant_id = ANY($1) {only} GROUP BY tenant_id"
    );
    let rows: Vec<(Uuid, i64, String)> = sqlx::query_as(&sql).bind(tenants).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(tenant, rows, sum)| (tenant, (rows, sum))).collect())
}

/// A few rows that only one of them has, by their keys.
async fn examples(
    db: &mut PgConnection,
    Rows { table, only }: &Rows,
    tenant: TenantId,
) -> Result<Vec<String>, sqlx::Error> {
    let key: Vec<String> = sqlx::query_scalar(
        "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indisprimary AND i.indrelid = ('read_models.' || $1)::regclass AND a.attname <> 'tenant_id'
         ORDER BY a.attnum",
    )
    .bind(table)
    .fetch_all(&mut *db)
    .await?;
    let key = if key.is_empty() { "'the row'".to_owned() } else { format!("concat_ws('/', {})", key.join(", ")) };
    // Of each row its key and a hash: as many rows as there may be are sorted, not looked through once for each.
    let rows = |schema: &str| {
        format!("SELECT {key} AS key, hashtextextended(t::text, 0) FROM {schema}.{table} t WHERE tenant_id = $1 {only}")
    };
    let (live, next) = (rows("read_models"), rows("read_models_next"));
    let sql = format!(
        "(SELECT '-' || key FROM ({live} EXCEPT ALL {next}) gone LIMIT {SHOWN})
         UNION ALL (SELECT '+' || key FROM ({next} EXCEPT ALL {live}) new LIMIT {SHOWN})"
    );
    sqlx::query_scalar(&sql).bind(tenant.0).fetch_all(db).await
}
