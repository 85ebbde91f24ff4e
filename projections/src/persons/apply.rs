//! Folds profiles that were seen and messages that came or went into persons.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent,
    chat::{ChatEvent, MessageReceived, opens_window},
    contact::{ContactEvent, initials},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, checked_wa_id, count_rows},
    text::{clean, lower},
};

/// The read model `persons`.
pub(crate) struct Persons;

/// The order of persons looks at so many characters of the name: an index cannot hold longer ones.
const KEY_LENGTH: usize = 200;

#[derive(Default)]
struct Change<'a> {
    profile: Option<(String, &'a str)>,
    written_at: Option<i64>,
    referred_at: Option<i64>,
}

/// What a batch says about persons.
#[derive(Default)]
struct Changes<'a> {
    seen: BTreeMap<&'a str, Change<'a>>,
    /// The last word of a user on whether the chat is resolved, where the customer has not written after it.
    resolved: BTreeMap<&'a str, bool>,
}

/// When a message opened the window: never later than its receipt (R-WIN-2, R-WIN-3).
pub(crate) fn written_at(message: &MessageReceived) -> Option<i64> {
    opens_window(&message.kind).then(|| message.timestamp.min(message.received_at))
}

fn fold<'a>(batch: &Batch<'a>) -> Result<Changes<'a>, ProjectionError> {
    let mut all = Changes::default();
    let changes = &mut all.seen;
    for recorded in &batch.events {
        match &recorded.event {
            AnyEvent::Contact(ContactEvent::ContactProfileSeen(e)) => {
                let name = e.name.as_deref().map(|name| clean(name).trim().to_owned()).unwrap_or_default();
                changes.entry(checked_wa_id(recorded)?).or_default().profile = Some((name, e.profile.text()));
            }
            AnyEvent::Chat(ChatEvent::MessageReceived(e)) => {
                let change = changes.entry(checked_wa_id(recorded)?).or_default();
                let written_at = written_at(e);
                if written_at.is_some() {
                    all.resolved.remove(recorded.stream.aggregate_id.as_str());
                }
                change.written_at = change.written_at.max(written_at);
                change.referred_at = change.referred_at.max(written_at.filter(|_| e.referral));
            }
            AnyEvent::Chat(ChatEvent::MessageQueued(_) | ChatEvent::MessageEchoed(_)) => {
                changes.entry(checked_wa_id(recorded)?).or_default();
            }
            AnyEvent::Chat(ChatEvent::ChatResolved(_)) => {
                all.resolved.insert(checked_wa_id(recorded)?, true);
            }
            AnyEvent::Chat(ChatEvent::ChatReopened(_)) => {
                all.resolved.insert(checked_wa_id(recorded)?, false);
            }
            _ => {}
        }
    }
    Ok(all)
}

#[async_trait]
impl Projection for Persons {
    fn name(&self) -> &'static str {
        "persons"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["persons"]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let Changes { seen, resolved } = fold(batch)?;
        if !seen.is_empty() {
            let mut rows = Rows::default();
            for (wa_id, change) in &seen {
                rows.push(wa_id, change);
            }
            let fresh = rows.write(&mut *db, batch).await?;
            count_rows(&mut *db, batch.tenant, self.name(), fresh).await?;
        }
        if !resolved.is_empty() {
            resolve(db, batch, &resolved).await?;
        }
        Ok(())
    }
}

/// After the messages of the batch: where one came later, `fold` has dropped the word.
async fn resolve(db: &mut PgConnection, batch: &Batch<'_>, resolved: &BTreeMap<&str, bool>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE read_models.persons p SET resolved = u.resolved
         FROM unnest($2::text[], $3::boolean[]) AS u (wa_id, resolved)
         WHERE p.tenant_id = $1 AND p.wa_id = u.wa_id AND p.resolved <> u.resolved",
    )
    .bind(batch.tenant.0)
    .bind(resolved.keys().copied().collect::<Vec<&str>>())
    .bind(resolved.values().copied().collect::<Vec<bool>>())
    .execute(db)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Rows<'a> {
    wa_ids: Vec<&'a str>,
    written: Vec<Option<i64>>,
    referred: Vec<Option<i64>>,
    names: Vec<&'a str>,
    keys: Vec<String>,
    initials: Vec<String>,
    searches: Vec<String>,
    profiles: Vec<Option<&'a str>>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, wa_id: &'a str, change: &'a Change<'a>) {
        let name = change.profile.as_ref().map_or("", |(name, _)| name.as_str());
        let lower_name = lower(name);
        self.wa_ids.push(wa_id);
        self.written.push(change.written_at);
        self.referred.push(change.referred_at);
        self.names.push(name);
        self.keys.push(lower_name.chars().take(KEY_LENGTH).collect());
        self.initials.push(initials(name, wa_id));
        self.searches.push(format!("{lower_name}\n{}", wa_id.to_lowercase()));
        self.profiles.push(change.profile.as_ref().map(|(_, profile)| *profile));
    }

    /// How many persons are new.
    async fn write(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<i64, sqlx::Error> {
        // A row without a profile says nothing about the name. A row that changes nothing is not written. A message
        // of the customer reopens the chat (R-CHAT-7).
        sqlx::query_scalar(
            "WITH written AS (
                 INSERT INTO read_models.persons AS p (tenant_id, wa_id, last_message_timestamp, referred_at, resolved,
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
        .bind(batch.tenant.0)
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
