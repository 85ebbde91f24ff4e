//! Folds profiles that were seen and messages that came or went into persons.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::{
    AnyEvent, TenantId,
    chat::{ChatEvent, written_at},
    contact::{ContactEvent, initials},
};
use sqlx::PgConnection;

use crate::{
    engine::{
        Batch, Carried, Projection, ProjectionError, ROWS, Rows, Stage, Table, checked_wa_id, count_rows, in_order,
    },
    text::{clean, lower},
};

/// The read model `persons`.
pub(crate) struct Persons;

/// The order of persons looks at so many characters of the name: an index cannot hold longer ones.
const KEY_LENGTH: usize = 200;

#[derive(Default)]
struct Change {
    /// Name and WhatsApp's object, of the profile that was seen last.
    profile: Option<(String, String)>,
    written_at: Option<i64>,
    referred_at: Option<i64>,
}

/// What events say about persons.
#[derive(Default)]
struct Changes {
    seen: HashMap<String, Change>,
    /// The last word of a user on whether the chat is resolved, where the customer has not written after it.
    resolved: HashMap<String, bool>,
    /// Those who were forgotten: what rows tell of them from before is dropped.
    erased: HashSet<String>,
    /// Bytes of profiles.
    profiles: usize,
}

impl Changes {
    fn fold(&mut self, recorded: &Recorded) -> Result<(), ProjectionError> {
        match &recorded.event {
            AnyEvent::Contact(ContactEvent::ContactProfileSeen(e)) => {
                let name = e.name.as_deref().map(|name| clean(name).trim().to_owned()).unwrap_or_default();
                self.profiles += name.len() + e.profile.text().len();
                self.seen(recorded)?.profile = Some((name, e.profile.text().to_owned()));
            }
            AnyEvent::Contact(ContactEvent::ContactErased(_)) => {
                let wa_id = checked_wa_id(recorded)?;
                if let Some(change) = self.seen.get_mut(wa_id) {
                    change.profile = None;
                }
                self.erased.insert(wa_id.to_owned());
            }
            AnyEvent::Chat(ChatEvent::MessageReceived(e)) => {
                let written_at = written_at(e);
                if written_at.is_some() {
                    self.resolved.remove(recorded.stream.aggregate_id.as_str());
                }
                let change = self.seen(recorded)?;
                change.written_at = change.written_at.max(written_at);
                change.referred_at = change.referred_at.max(written_at.filter(|_| e.referral));
            }
            AnyEvent::Chat(ChatEvent::MessageQueued(_) | ChatEvent::MessageEchoed(_)) => {
                self.seen(recorded)?;
            }
            AnyEvent::Chat(ChatEvent::ChatResolved(_)) => {
                self.resolved.insert(checked_wa_id(recorded)?.to_owned(), true);
            }
            AnyEvent::Chat(ChatEvent::ChatReopened(_)) => {
                self.resolved.insert(checked_wa_id(recorded)?.to_owned(), false);
            }
            _ => {}
        }
        Ok(())
    }

    fn seen(&mut self, recorded: &Recorded) -> Result<&mut Change, ProjectionError> {
        Ok(self.seen.entry(checked_wa_id(recorded)?.to_owned()).or_default())
    }

    /// Merges it into the rows that are there.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ProjectionError> {
        if !self.erased.is_empty() {
            erase(&mut *db, tenant, &self.erased).await?;
        }
        for seen in in_order(&self.seen).chunks(ROWS) {
            let fresh = rows(seen).merge(&mut *db, tenant).await?;
            count_rows(&mut *db, tenant, Persons.name(), fresh).await?;
        }
        for resolved in in_order(&self.resolved).chunks(ROWS) {
            resolve(&mut *db, tenant, resolved).await?;
        }
        Ok(())
    }
}

fn rows<'a>(seen: &[(&'a str, &'a Change)]) -> Columns<'a> {
    let mut rows = Columns::default();
    seen.iter().for_each(|(wa_id, change)| rows.push(wa_id, change));
    rows
}

#[async_trait]
impl Carried for Changes {
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        batch.events.iter().try_for_each(|recorded| self.fold(recorded))
    }

    fn weight(&self) -> usize {
        self.seen.len() * (size_of::<Change>() + 80) + self.erased.len() * 80 + self.profiles
    }

    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError> {
        let changes = std::mem::take(self);
        if !first {
            return changes.merge(db, tenant).await;
        }
        let seen = in_order(&changes.seen);
        for seen in seen.chunks(ROWS) {
            let resolved = seen.iter().map(|(wa_id, _)| changes.resolved.get(*wa_id).copied().unwrap_or(false));
            rows(seen).begin(&mut *db, tenant, resolved).await?;
        }
        let fresh = i64::try_from(seen.len()).unwrap_or(i64::MAX);
        count_rows(db, tenant, Persons.name(), fresh).await?;
        Ok(())
    }
}

#[async_trait]
impl Projection for Persons {
    fn name(&self) -> &'static str {
        "persons"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::growing("persons")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("../../../domain/src/chat/written.rs"),
            include_str!("../../../domain/src/contact/initials.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut changes = Changes::default();
        changes.take(batch)?;
        changes.merge(db, batch.tenant).await
    }

    fn carried(&self) -> Option<Box<dyn Carried>> {
        Some(Box::new(Changes::default()))
    }
}

/// As they are who never had a profile.
async fn erase(db: &mut PgConnection, tenant: TenantId, erased: &HashSet<String>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE persons p SET name = '', name_key = '', initials = u.initials, search = u.search, profile = NULL
         FROM unnest($2::text[], $3::text[], $4::text[]) AS u (wa_id, initials, search)
         WHERE p.tenant_id = $1 AND p.wa_id = u.wa_id",
    )
    .bind(tenant.0)
    .bind(erased.iter().map(String::as_str).collect::<Vec<&str>>())
    .bind(erased.iter().map(|wa_id| initials("", wa_id)).collect::<Vec<String>>())
    .bind(erased.iter().map(|wa_id| search_text("", wa_id)).collect::<Vec<String>>())
    .execute(db)
    .await?;
    Ok(())
}

fn search_text(lower_name: &str, wa_id: &str) -> String {
    format!("{lower_name}\n{}", wa_id.to_lowercase())
}

/// After the messages of the batch: where one came later, `fold` has dropped the word.
async fn resolve(db: &mut PgConnection, tenant: TenantId, resolved: &[(&str, &bool)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE persons p SET resolved = u.resolved
         FROM unnest($2::text[], $3::boolean[]) AS u (wa_id, resolved)
         WHERE p.tenant_id = $1 AND p.wa_id = u.wa_id AND p.resolved <> u.resolved",
    )
    .bind(tenant.0)
    .bind(resolved.iter().map(|(wa_id, _)| *wa_id).collect::<Vec<&str>>())
    .bind(resolved.iter().map(|(_, resolved)| **resolved).collect::<Vec<bool>>())
    .execute(db)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns<'a> {
    wa_ids: Vec<&'a str>,
    written: Vec<Option<i64>>,
    referred: Vec<Option<i64>>,
    names: Vec<&'a str>,
    keys: Vec<String>,
    initials: Vec<String>,
    searches: Vec<String>,
    profiles: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, wa_id: &'a str, change: &'a Change) {
        let name = change.profile.as_ref().map_or("", |(name, _)| name.as_str());
        let lower_name = lower(name);
        self.wa_ids.push(wa_id);
        self.written.push(change.written_at);
        self.referred.push(change.referred_at);
        self.names.push(name);
        self.keys.push(lower_name.chars().take(KEY_LENGTH).collect());
        self.initials.push(initials(name, wa_id));
        self.searches.push(search_text(&lower_name, wa_id));
        self.profiles.push(change.profile.as_ref().map(|(_, profile)| profile.as_str()));
    }

    /// Where no row is there yet.
    async fn begin(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        resolved: impl Iterator<Item = bool>,
    ) -> Result<(), sqlx::Error> {
        Rows::of("persons")
            .texts("wa_id", self.wa_ids.iter().copied())
            .integers("last_message_timestamp", self.written.iter().copied())
            .integers("referred_at", self.referred.iter().copied())
            .booleans("resolved", resolved)
            .texts("name", self.names.iter().copied())
            .texts("name_key", self.keys.iter().map(String::as_str))
            .texts("initials", self.initials.iter().map(String::as_str))
            .texts("search", self.searches.iter().map(String::as_str))
            .jsons("profile", self.profiles.iter().copied())
            .insert(db, tenant, Stage::Building)
            .await
    }

    /// How many persons are new.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<i64, sqlx::Error> {
        // A row without a profile says nothing about the name. A row that changes nothing is not written. A message
        // of the customer reopens the chat (R-CHAT-7).
        sqlx::query_scalar(
            "WITH written AS (
                 INSERT INTO persons AS p (tenant_id, wa_id, last_message_timestamp, referred_at, resolved,
                     name, name_key, initials, search, profile)
                 SELECT $1, wa_id, written, referred, false, name, name_key, initials, search, profile::json
                 FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[]) AS u (wa_id, written, referred, name, name_key, initials, search, profile)
                 ON CONFLICT (tenant_id, wa_id) DO UPDATE SET
                     last_message_timestamp = greatest(p.last_message_timestamp, excluded.last_message_timestamp),
                     referred_at = greatest(p.referred_at, excluded.referred_at),
                     resolved = p.resolved AND excluded.last_message_timestamp IS NULL,
                     name = CASE WHEN excluded.profile IS NULL THEN p.name ELSE excluded.name END,
                     name_key = CASE WHEN excluded.profile IS NULL THEN p.name_key ELSE excluded.name_key END,
                     initials = CASE WHEN excluded.profile IS NULL THEN p.initials ELSE excluded.initials END,
                     search = CASE WHEN excluded.profile IS NULL THEN p.search ELSE excluded.search END,
                     profile = CASE WHEN excluded.profile IS NULL THEN p.profile ELSE excluded.profile END
                 WHERE excluded.profile IS NOT NULL
                     OR (p.resolved AND excluded.last_message_timestamp IS NOT NULL)
                     OR greatest(p.last_message_timestamp, excluded.last_message_timestamp)
                         IS DISTINCT FROM p.last_message_timestamp
                     OR greatest(p.referred_at, excluded.referred_at) IS DISTINCT FROM p.referred_at
                 RETURNING xmax = 0 AS fresh)
             SELECT count(*) FILTER (WHERE fresh) FROM written",
        )
        .bind(tenant.0)
        .bind(&self.wa_ids)
        .bind(&self.written)
        .bind(&self.referred)
        .bind(&self.names)
        .bind(&self.keys)
        .bind(&self.initials)
        .bind(&self.searches)
        .bind(&self.profiles)
        .fetch_one(db)
        .await
    }
}
