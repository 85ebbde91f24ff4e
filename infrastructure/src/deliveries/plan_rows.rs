//! The statements of the planner.

use std::collections::{HashMap, HashSet};

use chatledger_application::ports::Unavailable;
use chatledger_domain::{MessageId, Position, TenantId, WaId};
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    delivery::{Key, Released},
    forget::forget,
    planner::{NewRow, PATIENCE},
};

/// Rows of one statement: far from what takes as long as a statement may.
const ROWS: usize = 5_000;

/// The deliveries that wait for the outcome of some messages.
pub(super) async fn waiting(pool: &PgPool, tenant: TenantId, messages: &[MessageId]) -> Result<Vec<Key>, Unavailable> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT receiver, position, part, piece FROM outbound.deliveries \
               WHERE tenant_id = $1 AND awaits = ANY($2) AND body_id IS NULL \
               ORDER BY position, part, receiver, piece";
    let ids = messages.iter().map(|id| id.0).collect::<Vec<_>>();
    let rows = sqlx::query_as(sql).bind(tenant.0).bind(ids).fetch_all(pool).await.map_err(unavailable)?;
    Ok(rows.into_iter().map(key).collect())
}

/// Stores new deliveries, the bodies of those that waited, and how far the ledger was read; gives back those that
/// waited until now. `None`, and nothing stored, when the fence is another's.
pub(super) async fn store(
    pool: &PgPool,
    (tenant, fence, cursor): (TenantId, i64, Option<Position>),
    rows: &[NewRow],
    released: &[Released],
    erased: &[WaId],
) -> Result<Option<Vec<Released>>, Unavailable> {
    let stored = async {
        let mut db = pool.begin().await?;
        // Rows and cursor are lost together, and made again with the same ids: no need to wait for the disk.
        sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *db).await?;
        // Locks the cursor, so that nobody takes the tenant over in between.
        let moved = sqlx::query(
            "UPDATE outbound.cursors SET position = greatest(position, $3) \
             WHERE tenant_id = $1 AND reactor = 'webhooks' AND fence = $2",
        );
        let moved = moved.bind(tenant.0).bind(fence).bind(cursor.map_or(0, |position| position.0));
        if moved.execute(&mut *db).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let all = rows.iter().filter_map(|row| Some((row.delivery.body_id?, row.delivery.body.as_deref()?)));
        let all = all.chain(released.iter().map(|r| (r.body_id, r.body.as_ref())));
        insert_bodies(&mut db, tenant, all).await?;
        for some in rows.chunks(ROWS) {
            insert(&mut db, tenant, some).await?;
        }
        let released = give_bodies(&mut db, tenant, released).await?;
        // Whatever was made of their events before has been stored by now.
        for wa_id in erased {
            forget(&mut db, tenant, wa_id).await?;
        }
        db.commit().await?;
        Ok(Some(released))
    };
    stored.await.map_err(unavailable)
}

async fn insert_bodies<'a>(
    db: &mut PgConnection,
    tenant: TenantId,
    bodies: impl Iterator<Item = (Uuid, &'a str)>,
) -> sqlx::Result<()> {
    let bodies: HashMap<Uuid, &str> = bodies.collect();
    if bodies.is_empty() {
        return Ok(());
    }
    // One that is there already is used anew: it is locked and made young, so that it is not swept away meanwhile.
    sqlx::query(
        "INSERT INTO outbound.bodies (tenant_id, id, body) SELECT $1, b.id, b.body \
         FROM unnest($2::uuid[], $3::text[]) AS b (id, body) ORDER BY b.id \
         ON CONFLICT (tenant_id, id) DO UPDATE SET made_at = now()",
    )
    .bind(tenant.0)
    .bind(bodies.keys().copied().collect::<Vec<_>>())
    .bind(bodies.values().copied().collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

async fn insert(db: &mut PgConnection, tenant: TenantId, rows: &[NewRow]) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let all = rows.iter();
    let marks = |row: &NewRow| {
        let marks: Map<String, Value> = row.marks.iter().map(|(wa_id, at)| (wa_id.clone(), json!(at))).collect();
        (!marks.is_empty()).then(|| Value::Object(marks).to_string())
    };
    sqlx::query(
        "INSERT INTO outbound.deliveries \
             (tenant_id, receiver, position, part, piece, id, wa_ids, keys, body_id, awaits, marks, not_before) \
         SELECT $1, d.receiver, d.position, d.part, d.piece, d.id, \
             ARRAY(SELECT json_array_elements_text(d.wa_ids::json)), ARRAY(SELECT json_array_elements_text(d.keys::json)), \
             d.body_id, d.awaits, d.marks::json, \
             CASE WHEN d.body_id IS NULL THEN now() + $12 * interval '1 second' ELSE now() END \
         FROM unnest($2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::uuid[], $7::text[], $8::text[], \
                     $9::uuid[], $10::uuid[], $11::text[]) \
             AS d (receiver, position, part, piece, id, wa_ids, keys, body_id, awaits, marks) \
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(all.clone().map(|row| row.delivery.key.receiver).collect::<Vec<_>>())
    .bind(all.clone().map(|row| row.delivery.key.position).collect::<Vec<_>>())
    .bind(all.clone().map(|row| row.delivery.key.part).collect::<Vec<_>>())
    .bind(all.clone().map(|row| row.delivery.key.piece).collect::<Vec<_>>())
    .bind(all.clone().map(|row| row.delivery.id).collect::<Vec<_>>())
    .bind(all.clone().map(|row| json!(row.delivery.wa_ids).to_string()).collect::<Vec<_>>())
    .bind(all.clone().map(|row| json!(row.keys).to_string()).collect::<Vec<_>>())
    .bind(all.clone().map(|row| row.delivery.body_id).collect::<Vec<_>>())
    .bind(all.clone().map(|row| row.awaits.map(|message| message.0)).collect::<Vec<_>>())
    .bind(all.map(marks).collect::<Vec<_>>())
    .bind(i32::try_from(PATIENCE.as_secs()).unwrap_or(i32::MAX))
    .execute(db)
    .await?;
    Ok(())
}

/// Gives bodies to those that still have none: a body that was sent once never changes.
async fn give_bodies(db: &mut PgConnection, tenant: TenantId, released: &[Released]) -> sqlx::Result<Vec<Released>> {
    if released.is_empty() {
        return Ok(Vec::new());
    }
    let given = sqlx::query_as(
        "UPDATE outbound.deliveries d SET body_id = r.body_id, not_before = now() \
         FROM unnest($2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::uuid[]) \
             AS r (receiver, position, part, piece, body_id) \
         WHERE d.tenant_id = $1 AND d.receiver = r.receiver AND d.position = r.position AND d.part = r.part \
             AND d.piece = r.piece AND d.body_id IS NULL \
         RETURNING d.receiver, d.position, d.part, d.piece",
    )
    .bind(tenant.0)
    .bind(released.iter().map(|r| r.key.receiver).collect::<Vec<_>>())
    .bind(released.iter().map(|r| r.key.position).collect::<Vec<_>>())
    .bind(released.iter().map(|r| r.key.part).collect::<Vec<_>>())
    .bind(released.iter().map(|r| r.key.piece).collect::<Vec<_>>())
    .bind(released.iter().map(|r| r.body_id).collect::<Vec<_>>())
    .fetch_all(db)
    .await?;
    let given: HashSet<Key> = given.into_iter().map(key).collect();
    Ok(released.iter().filter(|released| given.contains(&released.key)).cloned().collect())
}

fn key((receiver, position, part, piece): (i64, i64, i16, i16)) -> Key {
    Key { receiver, position, part, piece }
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the deliveries' tables", error)
}
