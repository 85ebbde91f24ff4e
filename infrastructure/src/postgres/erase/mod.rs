//! Forgets a contact: blanks its events in place and appends what says so, in one transaction.
//!
//! Almost all of the work is done before the ledger's head is locked, since events up to a known head do not change any
//! more; only what came in meanwhile is looked at under the lock, so that nobody else waits for long.

mod find;
mod rest;

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use chatledger_application::{
    contacts::erasure::{Erasure, Forgotten, uploads_among},
    ports::{
        Unavailable,
        erasures::{EraseContact, Erased, ErasureError, Erasures},
        ledger::{AppendError, Appended, LedgerError, Recorded, StreamId, Unit},
    },
};
use chatledger_domain::{AnyEvent, BlobId, MediaId, Position, TenantId, WaId};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use super::{
    append::Core,
    group::{self, Head, Outcome},
    hash,
    ledger::PgLedger,
    prepare::Prepared,
    row::unavailable,
};
use find::Stored;
pub(super) use rest::ERASED;

/// Events read and blanked at once.
const PAGE: i64 = 2_000;

#[async_trait]
impl Erasures for PgLedger {
    async fn erase(&self, erase: EraseContact) -> Result<Option<Erased>, ErasureError> {
        // A connection of its own, without the timeouts of ordinary ones: a long chat takes long.
        let mut connection = self.core().pool.acquire().await.map_err(fault)?.detach();
        let erased = erase_on(self.core(), &mut connection, erase).await;
        let _ = connection.close().await;
        erased
    }

    async fn blobs_to_remove(&self, limit: i64) -> Result<Vec<(TenantId, BlobId)>, Unavailable> {
        rest::blobs_to_remove(&self.core().pool, limit).await.map_err(rest::unavailable)
    }

    async fn blob_removed(&self, tenant: TenantId, blob: BlobId) -> Result<(), Unavailable> {
        rest::blob_removed(&self.core().pool, tenant, blob).await.map_err(rest::unavailable)
    }
}

fn fault(error: sqlx::Error) -> LedgerError {
    unavailable(error)
}

async fn erase_on(
    core: &Core,
    connection: &mut PgConnection,
    request: EraseContact,
) -> Result<Option<Erased>, ErasureError> {
    let (tenant, wa_id) = (request.tenant, request.wa_id.clone());
    let mut tx = connection.begin().await.map_err(fault)?;
    find::begin(&mut tx, tenant, &wa_id).await.map_err(fault)?;
    let mut work = Work { tenant, wa_id: &wa_id, now: request.now, erasure: Erasure::new(request.clone()) };

    let before = find::head(&mut tx, tenant, "").await.map_err(fault)?.map_or(0, |head| head.position);
    work.own_streams(&mut tx, before).await?;
    work.mentions(&mut tx, before).await?;
    let mut shared = work.uploads_sent_to_others(&mut tx, before).await?;
    let deliveries = crate::deliveries::forget(&mut tx, tenant, &wa_id).await.map_err(fault)?;
    let quarantined = rest::quarantined(&mut tx, tenant, &wa_id, request.done_by.is_none()).await.map_err(fault)?;
    rest::generations(&mut tx, tenant).await.map_err(fault)?;

    // From here on nobody else appends.
    let head = find::head(&mut tx, tenant, "FOR UPDATE").await.map_err(fault)?;
    let Some(head) = head else { return Ok(None) };
    shared.extend(work.tail(&mut tx, before, head.position).await?);
    work.erasure.keep(shared);
    work.files(&mut tx).await?;
    if !work.erasure.is_known() {
        return Ok(None);
    }
    let with_whatsapp = crate::outbound::forget(&mut tx, tenant, &wa_id).await.map_err(fault)?;
    let sequences = work.erasure.sequences();
    let forgotten = work.erasure.decide(&with_whatsapp.into_iter().collect());
    let Forgotten { events, blobs, files, unsent } = forgotten.map_err(|error| refused(error.into()))?;
    rest::files(&mut tx, tenant, &files, &blobs).await.map_err(fault)?;
    rest::caches(&mut tx, tenant, &wa_id, &sequences).await.map_err(fault)?;

    let mut erased = Erased { position: None, events: 0, files: files.len() as u64, unsent, deliveries, quarantined };
    let unit = Unit { tenant, events, relies_on: Vec::new(), metadata: request.metadata };
    let appended = if unit.events.is_empty() { None } else { Some(append(&mut tx, head, unit).await?) };
    tx.commit().await.map_err(fault)?;
    match appended {
        // A repeat: the files are those of the first time.
        None => erased.files = 0,
        Some(appended) => {
            let last = appended.events.last();
            erased.position = last.map(|recorded| recorded.position);
            erased.events = last.map_or(0, blanked);
            core.growth.add(tenant, appended.head);
            let _ = core.feed.send(appended);
        }
    }
    Ok(Some(erased))
}

fn blanked(last: &Recorded) -> u64 {
    use chatledger_domain::contact::ContactEvent;
    match &last.event {
        AnyEvent::Contact(ContactEvent::ContactErased(e)) => e.events,
        _ => 0,
    }
}

fn refused(error: Box<dyn std::error::Error + Send + Sync>) -> LedgerError {
    LedgerError::Unavailable(error)
}

/// An erasure within its transaction.
struct Work<'a> {
    tenant: TenantId,
    wa_id: &'a WaId,
    now: DateTime<Utc>,
    erasure: Erasure,
}

impl Work<'_> {
    /// Blanks what is to be blanked of these events, which are taken in.
    async fn blank(&mut self, db: &mut PgConnection, stored: Vec<Stored>) -> Result<(), ErasureError> {
        let (versions, events): (Vec<_>, Vec<_>) =
            stored.into_iter().map(|stored| ((stored.recorded.position, stored.version), stored.recorded)).unzip();
        let mut payloads = Vec::new();
        for (position, event) in self.erasure.take(&events) {
            let version = versions.iter().find(|(at, _)| *at == position).map(|(_, version)| version.as_str());
            let recorded = events.iter().find(|recorded| recorded.position == position);
            let kind = recorded.map_or("", |recorded| recorded.stream.aggregate_type);
            let text = text_of(&event, kind, version.unwrap_or_default());
            payloads.push((position.0, text.map_err(|source| LedgerError::Unreadable { position, source })?));
        }
        find::blank(db, self.tenant, self.now, &payloads).await.map_err(fault)?;
        Ok(())
    }

    /// The chat and the contact themselves.
    async fn own_streams(&mut self, db: &mut PgConnection, upto: i64) -> Result<(), ErasureError> {
        for aggregate in ["Chat", "Contact"] {
            let mut after = 0;
            loop {
                let page =
                    find::of_stream(db, self.tenant, (aggregate, self.wa_id.as_str()), after, upto, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = last.recorded.sequence;
                self.blank(db, page).await?;
            }
        }
        Ok(())
    }

    /// Bulk messages to the contact, and notices that name it.
    async fn mentions(&mut self, db: &mut PgConnection, upto: i64) -> Result<(), ErasureError> {
        for task in find::bulk_messages(db, self.tenant, self.wa_id, upto).await.map_err(fault)? {
            self.bulk_message(db, &task, upto).await?;
        }
        let notices = find::notices(db, self.tenant, self.wa_id, upto).await?;
        self.blank(db, notices).await
    }

    async fn bulk_message(&mut self, db: &mut PgConnection, task: &str, upto: i64) -> Result<(), ErasureError> {
        // Whole: what is decided depends on all of its recipients.
        let events = find::of_stream(db, self.tenant, ("BulkMessage", task), 0, upto, i64::MAX).await?;
        self.blank(db, events).await
    }

    /// Of the uploads that the chat's messages name, those that others got as well.
    async fn uploads_sent_to_others(
        &mut self,
        db: &mut PgConnection,
        upto: i64,
    ) -> Result<HashSet<MediaId>, ErasureError> {
        let files: Vec<MediaId> = self.erasure.files().iter().copied().collect();
        let stored: Vec<Recorded> =
            find::of_files(db, self.tenant, &files).await?.into_iter().map(|stored| stored.recorded).collect();
        let uploads = uploads_among(&stored);
        Ok(find::sent_to_others(db, self.tenant, self.wa_id, &uploads, upto).await.map_err(fault)?)
    }

    /// What was recorded between the look at the ledger and the lock of its head; uploads that others got there.
    async fn tail(&mut self, db: &mut PgConnection, after: i64, upto: i64) -> Result<HashSet<MediaId>, ErasureError> {
        let mut named = HashSet::new();
        let mut after = after;
        while after < upto {
            let page = find::between(db, self.tenant, after, upto, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.recorded.position.0;
            named.extend(page.iter().flat_map(|stored| others_files(&stored.recorded, self.wa_id)));
            let mut tasks = HashSet::new();
            let concerned = page.into_iter().filter(|stored| self.concerns(&stored.recorded, &mut tasks));
            let concerned: Vec<Stored> = concerned.collect();
            self.blank(db, concerned).await?;
        }
        Ok(named)
    }

    /// `tasks` are bulk messages to the contact that were seen just now.
    fn concerns(&self, recorded: &Recorded, tasks: &mut HashSet<String>) -> bool {
        let StreamId { aggregate_type, aggregate_id } = &recorded.stream;
        match *aggregate_type {
            "Chat" | "Contact" => aggregate_id == self.wa_id.as_str(),
            "BulkMessage" => {
                let is_new = names(recorded, self.wa_id) && tasks.insert(aggregate_id.clone());
                is_new || tasks.contains(aggregate_id) || self.erasure.knows(&recorded.stream)
            }
            "WhatsAppAccount" => true,
            _ => false,
        }
    }

    /// The files of the chat's messages, those that stay aside.
    async fn files(&mut self, db: &mut PgConnection) -> Result<(), ErasureError> {
        let files: Vec<MediaId> = self.erasure.files().iter().copied().collect();
        let events = find::of_files(db, self.tenant, &files).await?;
        self.blank(db, events).await
    }
}

/// Whether a bulk message goes to the contact.
fn names(recorded: &Recorded, wa_id: &WaId) -> bool {
    use chatledger_domain::bulk_message::BulkMessageEvent;
    matches!(&recorded.event, AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(e))
        if e.recipients.contains(wa_id))
}

/// The files that an event of another chat names.
fn others_files(recorded: &Recorded, wa_id: &WaId) -> Vec<MediaId> {
    match &recorded.event {
        AnyEvent::Chat(event) if recorded.stream.aggregate_id != wa_id.as_str() => {
            chatledger_application::contacts::erasure::files_of(recorded.tenant, event)
        }
        _ => Vec::new(),
    }
}

/// The payload as it is stored from now on: it must load under the name and version that stay.
fn text_of(
    event: &AnyEvent,
    aggregate: &str,
    version: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let text = event.payload()?;
    let read = AnyEvent::read(aggregate, event.name(), version, &text)?;
    if read == *event { Ok(text) } else { Err("it cannot be blanked in the shape in which it is stored".into()) }
}

async fn append(db: &mut PgConnection, head: Head, unit: Unit) -> Result<Appended, ErasureError> {
    let (tenant, recorded_at) = (unit.tenant, hash::to_micros(Utc::now()));
    let unit = Prepared::new(unit).map_err(append_fault)?;
    let outcome = group::append(db, tenant, head, recorded_at, &[&unit]).await.map_err(fault)?;
    let Outcome::Written(after) = outcome else {
        // The head is ours and everything was read under it.
        return Err(refused("the ledger has moved on under its lock".into()).into());
    };
    let Prepared { events, metadata, .. } = unit;
    let recorded = (head.position + 1..).zip(events).map(|(position, event)| Recorded {
        tenant,
        position: Position(position),
        stream: event.stream,
        sequence: event.sequence,
        event: event.event,
        metadata: metadata.clone(),
        occurred_at: event.occurred_at,
        recorded_at,
    });
    let events: Arc<[Recorded]> = recorded.collect::<Vec<_>>().into();
    Ok(Appended { tenant, head: Position(after.position), events })
}

fn append_fault(error: AppendError) -> LedgerError {
    refused(error.into())
}
