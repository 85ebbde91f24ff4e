//! What becomes of deliveries when a customer is forgotten: those that are about it alone are given up and lose their
//! bodies; where others are told of in the same body, only what is about it is taken out; what receivers answered is
//! dropped. What was delivered is with its receivers.

use chatledger_domain::{Pairs, TenantId, WaId};
use serde_json::{Value, json, value::RawValue};
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

/// Deliveries changed at once.
const PAGE: i64 = 500;
/// Why a delivery was given up, for people.
const ERASED: &str = "The contact was erased before it was delivered.";

/// A delivery that is about the customer: in one of its chats, or in no chat but naming it, as what became of a bulk
/// message does.
struct Told {
    receiver: i64,
    position: i64,
    part: i16,
    piece: i16,
    is_pending: bool,
    is_alone: bool,
    body: Option<(Uuid, String)>,
    log: Option<String>,
}

/// Forgets a customer in all deliveries of a tenant; how many lost their body or a part of it.
pub(crate) async fn forget(db: &mut PgConnection, tenant: TenantId, wa_id: &WaId) -> sqlx::Result<u64> {
    let mut changed = 0;
    let mut after = (i64::MIN, 0_i64, 0_i16, 0_i16);
    loop {
        let page = about(db, tenant, wa_id, after).await?;
        let Some(last) = page.last() else { return Ok(changed) };
        after = (last.receiver, last.position, last.part, last.piece);
        changed += change(db, tenant, wa_id, &page).await?;
    }
}

async fn about(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    (receiver, position, part, piece): (i64, i64, i16, i16),
) -> sqlx::Result<Vec<Told>> {
    let rows = sqlx::query(
        "SELECT d.receiver, d.position, d.part, d.piece, d.state = 'pending' AS is_pending, \
             d.wa_ids IN (ARRAY[$2::text], '{}') AS is_alone, d.body_id, b.body, d.log::text AS log \
         FROM outbound.deliveries d LEFT JOIN outbound.bodies b ON b.tenant_id = d.tenant_id AND b.id = d.body_id \
         WHERE d.tenant_id = $1 \
             AND ($2 = ANY (d.wa_ids) OR d.wa_ids = '{}' AND b.body LIKE '%\"' || $2 || '\"%') AND (d.receiver, d.position, d.part, d.piece) > ($3, $4, $5, $6) \
         ORDER BY d.receiver, d.position, d.part, d.piece LIMIT $7 FOR UPDATE OF d",
    )
    .bind(tenant.0)
    .bind(wa_id.as_str())
    .bind(receiver)
    .bind(position)
    .bind(part)
    .bind(piece)
    .bind(PAGE)
    .fetch_all(db)
    .await?;
    rows.iter().map(told).collect()
}

fn told(row: &PgRow) -> sqlx::Result<Told> {
    let (id, body): (Option<Uuid>, Option<String>) = (row.try_get("body_id")?, row.try_get("body")?);
    Ok(Told {
        receiver: row.try_get("receiver")?,
        position: row.try_get("position")?,
        part: row.try_get("part")?,
        piece: row.try_get("piece")?,
        is_pending: row.try_get("is_pending")?,
        is_alone: row.try_get("is_alone")?,
        body: id.zip(body),
        log: row.try_get("log")?,
    })
}

async fn change(db: &mut PgConnection, tenant: TenantId, wa_id: &WaId, page: &[Told]) -> sqlx::Result<u64> {
    let mut old: Vec<Uuid> = page.iter().filter_map(|told| Some(told.body.as_ref()?.0)).collect();
    let left: Vec<Option<(Uuid, String)>> = page.iter().map(|told| told.left(tenant, wa_id)).collect();
    let kept: Vec<Uuid> = left.iter().flatten().map(|(id, _)| *id).collect();
    old.retain(|id| !kept.contains(id));
    let over: Vec<bool> = page.iter().zip(&left).map(|(told, left)| told.is_given_up(left.as_ref())).collect();
    sqlx::query(
        "INSERT INTO outbound.bodies (tenant_id, id, body) \
         SELECT DISTINCT ON (b.id) $1, b.id, b.body FROM unnest($2::uuid[], $3::text[]) AS b (id, body) ORDER BY b.id \
         ON CONFLICT (tenant_id, id) DO UPDATE SET made_at = now()",
    )
    .bind(tenant.0)
    .bind(&kept)
    .bind(left.iter().flatten().map(|(_, body)| body.as_str()).collect::<Vec<_>>())
    .execute(&mut *db)
    .await?;
    // What waits for an outcome has no body yet, and gets one without content.
    sqlx::query(
        "UPDATE outbound.deliveries d SET body_id = n.body_id, log = n.log::json, \
             state = CASE WHEN n.over THEN 'dead' ELSE d.state END, \
             done_at = CASE WHEN n.over THEN now() ELSE d.done_at END \
         FROM unnest($2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::uuid[], $7::text[], $8::boolean[]) \
             AS n (receiver, position, part, piece, body_id, log, over) \
         WHERE d.tenant_id = $1 AND d.receiver = n.receiver AND d.position = n.position AND d.part = n.part \
             AND d.piece = n.piece",
    )
    .bind(tenant.0)
    .bind(page.iter().map(|told| told.receiver).collect::<Vec<_>>())
    .bind(page.iter().map(|told| told.position).collect::<Vec<_>>())
    .bind(page.iter().map(|told| told.part).collect::<Vec<_>>())
    .bind(page.iter().map(|told| told.piece).collect::<Vec<_>>())
    .bind(left.iter().map(|left| left.as_ref().map(|(id, _)| *id)).collect::<Vec<_>>())
    .bind(page.iter().zip(&over).map(|(told, over)| told.log_left(*over)).collect::<Vec<_>>())
    .bind(&over)
    .execute(&mut *db)
    .await?;
    let forget = "DELETE FROM outbound.bodies b WHERE b.tenant_id = $1 AND b.id = ANY ($2) \
                  AND NOT EXISTS (SELECT FROM outbound.deliveries d WHERE d.tenant_id = $1 AND d.body_id = b.id)";
    sqlx::query(forget).bind(tenant.0).bind(&old).execute(db).await?;
    let bodies = page.iter().zip(&left);
    let lost = bodies.filter(|(told, left)| told.body.as_ref().map(|(id, _)| *id) != left.as_ref().map(|(id, _)| *id));
    Ok(lost.count() as u64)
}

impl Told {
    /// What is left of the body, under the id that follows from it.
    fn left(&self, tenant: TenantId, wa_id: &WaId) -> Option<(Uuid, String)> {
        let (_, body) = self.body.as_ref().filter(|_| !self.is_alone)?;
        let body = without(serde_json::from_str(body).ok()?, wa_id);
        Some((Uuid::new_v5(&tenant.0, body.as_bytes()), body))
    }

    /// With nothing left to be said it is over.
    fn is_given_up(&self, left: Option<&(Uuid, String)>) -> bool {
        self.is_pending && self.body.is_some() && left.is_none()
    }

    /// The attempts without what was answered; that it was given up, where it was.
    fn log_left(&self, is_given_up: bool) -> Option<String> {
        let log = self.log.as_deref().and_then(|log| serde_json::from_str(log).ok());
        let mut log: Vec<Value> = log.unwrap_or_default();
        for attempt in &mut log {
            attempt["answer"] = Value::Null;
        }
        if is_given_up {
            let at = log.last().and_then(|attempt| attempt["at"].as_i64()).unwrap_or_default();
            log.push(json!({"at": at, "status": null, "ms": 0, "answer": null, "error": ERASED}));
        }
        (!log.is_empty()).then(|| Value::Array(log).to_string())
    }
}

/// A body without the elements of lists that are about the customer; the others byte by byte as they were.
fn without(body: &RawValue, wa_id: &WaId) -> String {
    let text = body.get();
    if let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(text) {
        let left = pairs.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), without(value, wa_id)));
        return format!("{{{}}}", left.collect::<Vec<_>>().join(","));
    }
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(items) => {
            let others = items.into_iter().filter(|item| !is_about(item, wa_id));
            format!("[{}]", others.map(|item| without(item, wa_id)).collect::<Vec<_>>().join(","))
        }
        Err(_) => text.to_owned(),
    }
}

/// Whether something names the customer itself, not only within a list of things.
fn is_about(value: &RawValue, wa_id: &WaId) -> bool {
    match serde_json::from_str::<Pairs<'_>>(value.get()) {
        Ok(Pairs(pairs)) => pairs.iter().any(|(_, member)| is_about(member, wa_id)),
        Err(_) => serde_json::from_str::<String>(value.get()).is_ok_and(|text| text == wa_id.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_customer_is_taken_out() {
        let wa_id = WaId::parse("351912000111").unwrap();
        let body = r#"{"incoming_messages":[{"chat":{"wa_id":"351912000111"},"text":"secret"},{"chat":{"wa_id":"1"},"n":1.0}],"object":"x","entry":[{"id":"7","changes":[{"value":{"contacts":[{"wa_id":"351912000111"}],"messages":[{"text":{"body":"secret"},"from":"351912000111"},{"from":"1","text":{"body":"\ud83d"}}]}}]}]}"#;
        let left = r#"{"incoming_messages":[{"chat":{"wa_id":"1"},"n":1.0}],"object":"x","entry":[{"id":"7","changes":[{"value":{"contacts":[],"messages":[{"from":"1","text":{"body":"\ud83d"}}]}}]}]}"#;
        let body: &RawValue = serde_json::from_str(body).unwrap();
        assert_eq!(without(body, &wa_id), left);
    }
}
