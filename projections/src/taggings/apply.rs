//! Folds taggings that begin and end. A tagging's id is the position of the event that began it (R-TAG-7).

use async_trait::async_trait;
use chatledger_domain::chat::ChatEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::engine::{Batch, OfCustomer, Projection, ProjectionError, Rows, Table, may_remember};

/// The read model `taggings`.
pub(crate) struct Taggings;

#[derive(Default)]
struct Begun<'a> {
    ids: Vec<i64>,
    wa_ids: Vec<&'a str>,
    messages: Vec<Uuid>,
    tags: Vec<i64>,
    extras: Vec<Option<&'a str>>,
}

impl Begun<'_> {
    /// Drops what was kept with the taggings of a chat.
    fn erase(&mut self, wa_id: &str) {
        for (of, extra) in self.wa_ids.iter().zip(&mut self.extras) {
            if *of == wa_id {
                *extra = None;
            }
        }
    }

    fn rows(&self, table: &'static str) -> Rows<'_> {
        Rows::of(table)
            .integers("tagging_id", self.ids.iter().copied())
            .texts("wa_id", self.wa_ids.iter().copied())
            .integers("tag_id", self.tags.iter().copied())
            .jsons("extra", self.extras.iter().copied())
    }
}

#[async_trait]
impl Projection for Taggings {
    fn name(&self) -> &'static str {
        "taggings"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[
            Table::looked_up("chat_taggings", &["chat_taggings_pkey"]),
            Table::looked_up("message_taggings", &["message_taggings_pkey"]),
        ];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let (mut chats, mut messages) = (Begun::default(), Begun::default());
        let (mut chats_ended, mut messages_ended) = (Vec::new(), Vec::new());
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
            let (begun, tag, extra) = match of.event {
                ChatEvent::ChatTagged(e) => (&mut chats, e.tag.id, &e.extra),
                ChatEvent::MessageTagged(e) => {
                    messages.messages.push(e.message_id.0);
                    (&mut messages, e.tag.id, &e.extra)
                }
                ChatEvent::ChatUntagged(e) => {
                    chats_ended.push(e.tagging_id.0);
                    continue;
                }
                ChatEvent::MessageUntagged(e) => {
                    messages_ended.push(e.tagging_id.0);
                    continue;
                }
                _ => continue,
            };
            begun.ids.push(of.position);
            begun.wa_ids.push(of.wa_id);
            begun.tags.push(tag.0);
            begun.extras.push(extra.as_ref().map(|extra| extra.text()));
        }
        let erased = may_remember(&mut *db, batch).await?;
        if !erased.wa_ids.is_empty() {
            for table in ["chat_taggings", "message_taggings"] {
                let sql = format!(
                    "UPDATE {table} t SET extra = NULL FROM unnest($2::text[], $3::bigint[]) AS e (wa_id, position)
                     WHERE t.tenant_id = $1 AND t.wa_id = e.wa_id AND t.tagging_id < e.position AND t.extra IS NOT NULL"
                );
                let bound = sqlx::query(&sql).bind(batch.tenant.0).bind(&erased.wa_ids).bind(&erased.positions);
                bound.execute(&mut *db).await?;
            }
        }
        // What begins and ends in one batch is written and deleted: a tagging can only end after it began.
        chats.rows("chat_taggings").insert(&mut *db, batch.tenant, batch.stage).await?;
        let of_messages = messages.rows("message_taggings").uuids("message_id", messages.messages.iter().copied());
        of_messages.insert(&mut *db, batch.tenant, batch.stage).await?;
        let of_chats = "DELETE FROM chat_taggings WHERE tenant_id = $1 AND tagging_id = ANY($2)";
        let of_messages = "DELETE FROM message_taggings WHERE tenant_id = $1 AND tagging_id = ANY($2)";
        for (sql, ended) in [(of_chats, chats_ended), (of_messages, messages_ended)] {
            if !ended.is_empty() {
                sqlx::query(sql).bind(batch.tenant.0).bind(ended).execute(&mut *db).await?;
            }
        }
        Ok(())
    }
}
