//! Lists taggings and untaggings as they happened.

use async_trait::async_trait;
use chatledger_domain::{
    RawJson, UserId,
    chat::{ChatEvent, TagAsItWas},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    engine::{Batch, OfChat, Projection, ProjectionError, count_rows},
    text::clean,
};

/// The read model `tagging_events`.
pub(crate) struct TaggingEvents;

/// The name under which the entries of messages are counted; those of chats have the projection's name.
pub(super) const MESSAGES: &str = "tagging_events:messages";

#[derive(Default)]
struct Entries<'a> {
    positions: Vec<i64>,
    timestamps: Vec<i64>,
    wa_ids: Vec<&'a str>,
    messages: Vec<Uuid>,
    waba_ids: Vec<Option<String>>,
    added: Vec<bool>,
    tags: Vec<i64>,
    names: Vec<String>,
    colors: Vec<Option<String>>,
    extras: Vec<Option<&'a str>>,
    done_by: Vec<Option<i64>>,
}

impl<'a> Entries<'a> {
    fn push(
        &mut self,
        of: OfChat<'a>,
        added: bool,
        tag: &'a TagAsItWas,
        extra: Option<&'a RawJson>,
        (done_by, timestamp): (Option<UserId>, i64),
    ) {
        self.positions.push(of.position);
        self.timestamps.push(timestamp);
        self.wa_ids.push(of.wa_id);
        self.added.push(added);
        self.tags.push(tag.id.0);
        self.names.push(clean(&tag.name).into_owned());
        self.colors.push(tag.web_inbox_color.as_deref().map(|color| clean(color).into_owned()));
        self.extras.push(extra.map(RawJson::text));
        self.done_by.push(done_by.map(|user| user.0));
    }

    fn message(&mut self, id: Uuid, waba_id: Option<&str>) {
        self.messages.push(id);
        self.waba_ids.push(waba_id.map(|id| clean(id).into_owned()));
    }

    fn len(&self) -> i64 {
        i64::try_from(self.positions.len()).unwrap_or(i64::MAX)
    }
}

#[async_trait]
impl Projection for TaggingEvents {
    fn name(&self) -> &'static str {
        "tagging_events"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["chat_tagging_events", "message_tagging_events"]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let (mut chats, mut messages) = (Entries::default(), Entries::default());
        let events = batch.of_chats(|event| {
            matches!(
                event,
                ChatEvent::ChatTagged(_)
                    | ChatEvent::ChatUntagged(_)
                    | ChatEvent::MessageTagged(_)
                    | ChatEvent::MessageUntagged(_)
            )
        })?;
        for of in events {
            match of.event {
                ChatEvent::ChatTagged(e) => {
                    chats.push(of, true, &e.tag, e.extra.as_ref(), (e.done_by, e.timestamp));
                }
                ChatEvent::ChatUntagged(e) => {
                    chats.push(of, false, &e.tag, e.extra.as_ref(), (e.done_by, e.timestamp));
                }
                ChatEvent::MessageTagged(e) => {
                    messages.push(of, true, &e.tag, e.extra.as_ref(), (e.done_by, e.timestamp));
                    messages.message(e.message_id.0, e.waba_id.as_deref());
                }
                ChatEvent::MessageUntagged(e) => {
                    messages.push(of, false, &e.tag, e.extra.as_ref(), (e.done_by, e.timestamp));
                    messages.message(e.message_id.0, e.waba_id.as_deref());
                }
                _ => {}
            }
        }
        if chats.len() > 0 {
            insert_chats(&mut *db, batch, &chats).await?;
            count_rows(&mut *db, batch.tenant, self.name(), chats.len()).await?;
        }
        if messages.len() > 0 {
            insert_messages(&mut *db, batch, &messages).await?;
            count_rows(db, batch.tenant, MESSAGES, messages.len()).await?;
        }
        Ok(())
    }
}

async fn insert_chats(db: &mut PgConnection, batch: &Batch<'_>, entries: &Entries<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO read_models.chat_tagging_events (tenant_id, position, timestamp, wa_id, added, tag_id, tag_name,
             tag_color, extra, done_by)
         SELECT $1, position, timestamp, wa_id, added, tag_id, tag_name, tag_color, extra::json, done_by
         FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::boolean[], $6::bigint[], $7::text[], $8::text[],
             $9::text[], $10::bigint[])
             AS u (position, timestamp, wa_id, added, tag_id, tag_name, tag_color, extra, done_by)",
    )
    .bind(batch.tenant.0)
    .bind(&entries.positions)
    .bind(&entries.timestamps)
    .bind(&entries.wa_ids)
    .bind(&entries.added)
    .bind(&entries.tags)
    .bind(&entries.names)
    .bind(&entries.colors)
    .bind(&entries.extras)
    .bind(&entries.done_by)
    .execute(db)
    .await?;
    Ok(())
}

async fn insert_messages(db: &mut PgConnection, batch: &Batch<'_>, entries: &Entries<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO read_models.message_tagging_events (tenant_id, position, timestamp, wa_id, message_id, waba_id,
             added, tag_id, tag_name, tag_color, extra, done_by)
         SELECT $1, position, timestamp, wa_id, message_id, waba_id, added, tag_id, tag_name, tag_color, extra::json,
             done_by
         FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::boolean[], $8::bigint[],
             $9::text[], $10::text[], $11::text[], $12::bigint[])
             AS u (position, timestamp, wa_id, message_id, waba_id, added, tag_id, tag_name, tag_color, extra, done_by)",
    )
    .bind(batch.tenant.0)
    .bind(&entries.positions)
    .bind(&entries.timestamps)
    .bind(&entries.wa_ids)
    .bind(&entries.messages)
    .bind(&entries.waba_ids)
    .bind(&entries.added)
    .bind(&entries.tags)
    .bind(&entries.names)
    .bind(&entries.colors)
    .bind(&entries.extras)
    .bind(&entries.done_by)
    .execute(db)
    .await?;
    Ok(())
}
