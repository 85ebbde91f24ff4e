//! Folds messages, WhatsApp's answers and statuses into rows.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
};

use async_trait::async_trait;
use chatledger_domain::{
    TenantId,
    chat::{ChatEvent, forgotten_message},
};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    fold::{Cell, Fold, Statuses, concerns},
    search::search_text,
};
use crate::{
    engine::{Batch, Erased, OfChat, OfCustomer, Projection, ProjectionError, Rows, Table, count_rows, may_remember},
    received_marks::recount_chat,
    text::clean,
};

/// The read model `messages`.
pub(crate) struct Messages;

#[async_trait]
impl Projection for Messages {
    fn name(&self) -> &'static str {
        "messages"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[
            Table::looked_up("messages", &["messages_pkey", "messages_by_waba_id"]),
            Table::looked_up("message_statuses", &["message_statuses_pkey"]),
        ];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("fold.rs"),
            include_str!("search.rs"),
            include_str!("../../../domain/src/chat/redact.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let events = batch.of_customers(concerns)?;
        if events.is_empty() {
            return Ok(());
        }
        let mut fold = Fold::default();
        load(&mut *db, batch.tenant, &events, &mut fold).await?;
        let stored = fold.cells.len();
        let mut new = New::default();
        for event in events {
            match event {
                OfCustomer::Chat(of) => fold.event(of, |of, at| new.push(of, at)),
                OfCustomer::Erased(wa_id) => {
                    fold.erase(wa_id);
                    new.erase(wa_id);
                }
            }
        }
        // Before anything is written: all rows that are there come from before.
        let erased = may_remember(&mut *db, batch).await?;
        if !erased.wa_ids.is_empty() {
            erase(&mut *db, batch.tenant, &erased).await?;
        }
        new.insert(&mut *db, batch, &fold.cells).await?;
        let rows = i64::try_from(new.cells.len()).unwrap_or(i64::MAX);
        count_rows(&mut *db, batch.tenant, self.name(), rows).await?;
        let changed: Vec<&Cell> = fold.cells[..stored].iter().filter(|cell| cell.changed).collect();
        update(&mut *db, batch.tenant, &changed).await?;
        keep_waiting(db, batch.tenant, &fold).await?;
        Ok(())
    }

    /// Marks of the chat have counted what was not there.
    async fn freed(&self, db: &mut PgConnection, tenant: TenantId, wa_id: &str) -> Result<(), ProjectionError> {
        recount_chat(db, tenant, wa_id).await?;
        Ok(())
    }
}

/// Takes to hand what the events name and the tables hold.
async fn load(
    db: &mut PgConnection,
    tenant: TenantId,
    events: &[OfCustomer<'_>],
    fold: &mut Fold,
) -> Result<(), sqlx::Error> {
    let (mut settled, mut reported, mut bound) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    // Those that appear here are not stored yet.
    let mut fresh = HashSet::new();
    for event in events {
        let OfCustomer::Chat(of) = event else { continue };
        match of.event {
            ChatEvent::MessageQueued(e) => {
                fresh.insert(e.message_id.0);
            }
            ChatEvent::MessageAccepted(e) => {
                if !fresh.contains(&e.message_id.0) {
                    settled.insert(e.message_id.0);
                }
                bound.insert(clean(&e.waba_id));
            }
            ChatEvent::MessageRejected(e) if !fresh.contains(&e.message_id.0) => {
                settled.insert(e.message_id.0);
            }
            ChatEvent::MessageEchoed(e) => {
                bound.insert(clean(&e.waba_id));
            }
            ChatEvent::MessageStatusReported(e) => {
                reported.insert(clean(&e.waba_id));
            }
            _ => {}
        }
    }
    if !settled.is_empty() || !reported.is_empty() {
        let rows = sqlx::query(
            "SELECT message_id, wa_id, waba_id, position, sent, delivered, read, is_failed, errors::text AS errors
             FROM messages WHERE tenant_id = $1 AND message_id = ANY($2)
             UNION
             SELECT message_id, wa_id, waba_id, position, sent, delivered, read, is_failed, errors::text
             FROM messages WHERE tenant_id = $1 AND waba_id = ANY($3)
             ORDER BY position",
        )
        .bind(tenant.0)
        .bind(settled.iter().copied().collect::<Vec<Uuid>>())
        .bind(reported.iter().map(AsRef::as_ref).collect::<Vec<&str>>())
        .fetch_all(&mut *db)
        .await?;
        for row in rows {
            fold.take(Cell {
                message_id: row.try_get("message_id")?,
                wa_id: row.try_get("wa_id")?,
                waba_id: row.try_get("waba_id")?,
                response: None,
                statuses: statuses(&row)?,
                changed: false,
            });
        }
    }
    bound.append(&mut reported);
    if !bound.is_empty() {
        let rows = sqlx::query(
            "SELECT waba_id, wa_id, sent, delivered, read, is_failed, errors::text AS errors
             FROM message_statuses WHERE tenant_id = $1 AND waba_id = ANY($2)",
        )
        .bind(tenant.0)
        .bind(bound.iter().map(AsRef::as_ref).collect::<Vec<&str>>())
        .fetch_all(db)
        .await?;
        for row in rows {
            let wa_id: Option<String> = row.try_get("wa_id")?;
            fold.waiting.insert(row.try_get("waba_id")?, (wa_id.unwrap_or_default(), statuses(&row)?));
        }
    }
    Ok(())
}

fn statuses(row: &sqlx::postgres::PgRow) -> Result<Statuses, sqlx::Error> {
    Ok(Statuses {
        sent: row.try_get("sent")?,
        delivered: row.try_get("delivered")?,
        read: row.try_get("read")?,
        is_failed: row.try_get("is_failed")?,
        errors: row.try_get("errors")?,
    })
}

/// Drops what stored messages say, and what WhatsApp told of them beside when.
async fn erase(db: &mut PgConnection, tenant: TenantId, erased: &Erased<'_>) -> Result<(), sqlx::Error> {
    let Erased { wa_ids, positions } = erased;
    let kinds = "SELECT DISTINCT kind FROM messages WHERE tenant_id = $1 AND wa_id = ANY($2)";
    let kinds: Vec<String> = sqlx::query_scalar(kinds).bind(tenant.0).bind(wa_ids).fetch_all(&mut *db).await?;
    sqlx::query(
        "UPDATE messages m SET payload = u.payload::json, search = '', errors = NULL, response = NULL
         FROM unnest($4::text[], $5::text[]) AS u (kind, payload), unnest($2::text[], $3::bigint[]) AS e (wa_id, position)
         WHERE m.tenant_id = $1 AND m.wa_id = e.wa_id AND m.position < e.position AND m.kind = u.kind",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .bind(positions)
    .bind(&kinds)
    .bind(kinds.iter().map(|kind| forgotten_message(kind).text().to_owned()).collect::<Vec<String>>())
    .execute(&mut *db)
    .await?;
    let statuses = "UPDATE message_statuses SET errors = NULL
                    WHERE tenant_id = $1 AND wa_id = ANY($2) AND errors IS NOT NULL";
    sqlx::query(statuses).bind(tenant.0).bind(wa_ids).execute(db).await?;
    Ok(())
}

/// Columns of messages that appeared.
#[derive(Default)]
struct New<'a> {
    cells: Vec<usize>,
    wa_ids: Vec<&'a str>,
    timestamps: Vec<i64>,
    positions: Vec<i64>,
    from_us: Vec<bool>,
    kinds: Vec<String>,
    senders: Vec<Option<i64>>,
    contexts: Vec<Option<String>>,
    payloads: Vec<Cow<'a, str>>,
    searches: Vec<String>,
}

impl<'a> New<'a> {
    fn push(&mut self, of: OfChat<'a>, cell: usize) {
        let (timestamp, kind, context, message, from_us, sender) = match of.event {
            ChatEvent::MessageReceived(e) => (e.timestamp, &e.kind, &e.context, &e.message, false, None),
            ChatEvent::MessageEchoed(e) => (e.timestamp, &e.kind, &e.context, &e.message, true, None),
            ChatEvent::MessageQueued(e) => (e.timestamp, &e.kind, &e.context, &e.message, true, Some(e.sender.0)),
            _ => return,
        };
        self.cells.push(cell);
        self.wa_ids.push(of.wa_id);
        self.timestamps.push(timestamp);
        self.positions.push(of.position);
        self.from_us.push(from_us);
        self.kinds.push(clean(kind).into_owned());
        self.senders.push(sender);
        self.contexts.push(context.as_deref().map(|id| clean(id).into_owned()));
        self.payloads.push(Cow::Borrowed(message.text()));
        let rendered = match of.event {
            ChatEvent::MessageQueued(e) => e.rendered.as_deref(),
            _ => None,
        };
        self.searches.push(search_text(kind, message, rendered));
    }

    /// Drops what the messages of a chat say.
    fn erase(&mut self, wa_id: &str) {
        for at in (0..self.wa_ids.len()).filter(|at| self.wa_ids[*at] == wa_id) {
            self.payloads[at] = Cow::Owned(forgotten_message(&self.kinds[at]).text().to_owned());
            self.searches[at].clear();
        }
    }

    async fn insert(&self, db: &mut PgConnection, batch: &Batch<'_>, cells: &[Cell]) -> Result<(), sqlx::Error> {
        let cells = || self.cells.iter().map(|at| &cells[*at]);
        Rows::of("messages")
            .uuids("message_id", cells().map(|cell| cell.message_id))
            .texts("waba_id", cells().map(|cell| cell.waba_id.as_deref()))
            .jsons("response", cells().map(|cell| cell.response.as_deref()))
            .integers("sent", cells().map(|cell| cell.statuses.sent))
            .integers("delivered", cells().map(|cell| cell.statuses.delivered))
            .integers("read", cells().map(|cell| cell.statuses.read))
            .booleans("is_failed", cells().map(|cell| cell.statuses.is_failed))
            .jsons("errors", cells().map(|cell| cell.statuses.errors.as_deref()))
            .texts("wa_id", self.wa_ids.iter().copied())
            .integers("timestamp", self.timestamps.iter().copied())
            .integers("position", self.positions.iter().copied())
            .booleans("from_us", self.from_us.iter().copied())
            .texts("kind", self.kinds.iter().map(String::as_str))
            .integers("sender", self.senders.iter().copied())
            .texts("context", self.contexts.iter().map(Option::as_deref))
            .jsons("payload", self.payloads.iter().map(Cow::as_ref))
            .texts("search", self.searches.iter().map(String::as_str))
            .insert(db, batch.tenant, batch.stage)
            .await
    }
}

/// What changes about messages, column by column.
#[derive(Default)]
struct Cells<'a> {
    message_ids: Vec<Uuid>,
    waba_ids: Vec<Option<&'a str>>,
    responses: Vec<Option<&'a str>>,
    sent: Vec<i64>,
    delivered: Vec<i64>,
    read: Vec<i64>,
    failed: Vec<bool>,
    errors: Vec<Option<&'a str>>,
}

impl<'a> Cells<'a> {
    fn of(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut columns = Self::default();
        for cell in cells {
            columns.message_ids.push(cell.message_id);
            columns.waba_ids.push(cell.waba_id.as_deref());
            columns.responses.push(cell.response.as_deref());
            columns.push(&cell.statuses);
        }
        columns
    }

    fn push(&mut self, statuses: &'a Statuses) {
        self.sent.push(statuses.sent);
        self.delivered.push(statuses.delivered);
        self.read.push(statuses.read);
        self.failed.push(statuses.is_failed);
        self.errors.push(statuses.errors.as_deref());
    }
}

async fn update(db: &mut PgConnection, tenant: TenantId, changed: &[&Cell]) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let cells = Cells::of(changed.iter().copied());
    sqlx::query(
        "UPDATE messages m SET waba_id = u.waba_id, response = coalesce(u.response::json, m.response),
             sent = u.sent, delivered = u.delivered, read = u.read, is_failed = u.is_failed, errors = u.errors::json
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[],
             $9::text[]) AS u (message_id, waba_id, response, sent, delivered, read, is_failed, errors)
         WHERE m.tenant_id = $1 AND m.message_id = u.message_id",
    )
    .bind(tenant.0)
    .bind(&cells.message_ids)
    .bind(&cells.waba_ids)
    .bind(&cells.responses)
    .bind(&cells.sent)
    .bind(&cells.delivered)
    .bind(&cells.read)
    .bind(&cells.failed)
    .bind(&cells.errors)
    .execute(db)
    .await?;
    Ok(())
}

async fn keep_waiting(db: &mut PgConnection, tenant: TenantId, fold: &Fold) -> Result<(), sqlx::Error> {
    if !fold.found.is_empty() {
        sqlx::query("DELETE FROM message_statuses WHERE tenant_id = $1 AND waba_id = ANY($2)")
            .bind(tenant.0)
            .bind(&fold.found)
            .execute(&mut *db)
            .await?;
    }
    let ids: BTreeSet<&str> = fold.still_waiting.iter().map(String::as_str).collect();
    let (mut waba_ids, mut wa_ids, mut cells) = (Vec::new(), Vec::new(), Cells::default());
    for waba_id in ids {
        if let Some((wa_id, statuses)) = fold.waiting.get(waba_id) {
            waba_ids.push(waba_id);
            wa_ids.push(wa_id.as_str());
            cells.push(statuses);
        }
    }
    if waba_ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO message_statuses (tenant_id, waba_id, sent, delivered, read, is_failed, errors, wa_id)
         SELECT $1, waba_id, sent, delivered, read, is_failed, errors::json, wa_id
         FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[], $7::text[], $8::text[])
             AS u (waba_id, sent, delivered, read, is_failed, errors, wa_id)
         ON CONFLICT (tenant_id, waba_id) DO UPDATE SET sent = excluded.sent, delivered = excluded.delivered,
             read = excluded.read, is_failed = excluded.is_failed, errors = excluded.errors",
    )
    .bind(tenant.0)
    .bind(&waba_ids)
    .bind(&cells.sent)
    .bind(&cells.delivered)
    .bind(&cells.read)
    .bind(&cells.failed)
    .bind(&cells.errors)
    .bind(&wa_ids)
    .execute(db)
    .await?;
    Ok(())
}
