//! Lists taggings and untaggings as they happened.

use async_trait::async_trait;
use chatledger_domain::{
    RawJson, UserId,
    chat::{ChatEvent, TagAsItWas},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    engine::{Batch, OfChat, OfCustomer, Projection, ProjectionError, Rows, Table, count_rows, may_remember},
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

    /// Drops what was kept with the entries of a chat.
    fn erase(&mut self, wa_id: &str) {
        for (of, extra) in self.wa_ids.iter().zip(&mut self.extras) {
            if *of == wa_id {
                *extra = None;
            }
        }
    }

    fn message(&mut self, id: Uuid, waba_id: Option<&str>) {
        self.messages.push(id);
        self.waba_ids.push(waba_id.map(|id| clean(id).into_owned()));
    }

    fn rows(&self, table: &'static str) -> Rows<'_> {
        Rows::of(table)
            .integers("position", self.positions.iter().copied())
            .integers("timestamp", self.timestamps.iter().copied())
            .texts("wa_id", self.wa_ids.iter().copied())
            .booleans("added", self.added.iter().copied())
            .integers("tag_id", self.tags.iter().copied())
            .texts("tag_name", self.names.iter().map(String::as_str))
            .texts("tag_color", self.colors.iter().map(Option::as_deref))
            .jsons("extra", self.extras.iter().copied())
            .integers("done_by", self.done_by.iter().copied())
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

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::growing("chat_tagging_events"), Table::growing("message_tagging_events")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let (mut chats, mut messages) = (Entries::default(), Entries::default());
        let events = batch.of_customers(|event| {
            matches!(
                event,
                ChatEvent::ChatTagged(_)
                    | ChatEvent::ChatUntagged(_)
                    | ChatEvent::MessageTagged(_)
                    | ChatEvent::MessageUntagged(_)
            )
        })?;
        for event in events {
            let of = match event {
                OfCustomer::Chat(of) => of,
                OfCustomer::Erased(wa_id) => {
                    chats.erase(wa_id);
                    messages.erase(wa_id);
                    continue;
                }
            };
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
        let erased = may_remember(&mut *db, batch).await?;
        if !erased.wa_ids.is_empty() {
            for table in ["chat_tagging_events", "message_tagging_events"] {
                let sql = format!(
                    "UPDATE {table} t SET extra = NULL FROM unnest($2::text[], $3::bigint[]) AS e (wa_id, position)
                     WHERE t.tenant_id = $1 AND t.wa_id = e.wa_id AND t.position < e.position AND t.extra IS NOT NULL"
                );
                let bound = sqlx::query(&sql).bind(batch.tenant.0).bind(&erased.wa_ids).bind(&erased.positions);
                bound.execute(&mut *db).await?;
            }
        }
        chats.rows("chat_tagging_events").insert(&mut *db, batch.tenant, batch.stage).await?;
        count_rows(&mut *db, batch.tenant, self.name(), chats.len()).await?;
        messages
            .rows("message_tagging_events")
            .uuids("message_id", messages.messages.iter().copied())
            .texts("waba_id", messages.waba_ids.iter().map(Option::as_deref))
            .insert(&mut *db, batch.tenant, batch.stage)
            .await?;
        count_rows(db, batch.tenant, MESSAGES, messages.len()).await?;
        Ok(())
    }
}
