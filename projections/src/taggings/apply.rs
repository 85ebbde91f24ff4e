//! Folds taggings that begin and end. A tagging's id is the position of the event that began it (R-TAG-7).

use async_trait::async_trait;
use chatledger_domain::chat::ChatEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::engine::{Batch, Projection, ProjectionError};

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

#[async_trait]
impl Projection for Taggings {
    fn name(&self) -> &'static str {
        "taggings"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["chat_taggings", "message_taggings"]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let (mut chats, mut messages) = (Begun::default(), Begun::default());
        let (mut chats_ended, mut messages_ended) = (Vec::new(), Vec::new());
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
        // What begins and ends in one batch is written and deleted: a tagging can only end after it began.
        begin_chats(&mut *db, batch, &chats).await?;
        begin_messages(&mut *db, batch, &messages).await?;
        let of_chats = "DELETE FROM read_models.chat_taggings WHERE tenant_id = $1 AND tagging_id = ANY($2)";
        let of_messages = "DELETE FROM read_models.message_taggings WHERE tenant_id = $1 AND tagging_id = ANY($2)";
        for (sql, ended) in [(of_chats, chats_ended), (of_messages, messages_ended)] {
            if !ended.is_empty() {
                sqlx::query(sql).bind(batch.tenant.0).bind(ended).execute(&mut *db).await?;
            }
        }
        Ok(())
    }
}

async fn begin_chats(db: &mut PgConnection, batch: &Batch<'_>, begun: &Begun<'_>) -> Result<(), sqlx::Error> {
    if begun.ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO read_models.chat_taggings (tenant_id, tagging_id, wa_id, tag_id, extra)
         SELECT $1, id, wa_id, tag, extra::json
         FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[]) AS u (id, wa_id, tag, extra)",
    )
    .bind(batch.tenant.0)
    .bind(&begun.ids)
    .bind(&begun.wa_ids)
    .bind(&begun.tags)
    .bind(&begun.extras)
    .execute(db)
    .await?;
    Ok(())
}

async fn begin_messages(db: &mut PgConnection, batch: &Batch<'_>, begun: &Begun<'_>) -> Result<(), sqlx::Error> {
    if begun.ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO read_models.message_taggings (tenant_id, tagging_id, wa_id, message_id, tag_id, extra)
         SELECT $1, id, wa_id, message, tag, extra::json
         FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::bigint[], $6::text[])
             AS u (id, wa_id, message, tag, extra)",
    )
    .bind(batch.tenant.0)
    .bind(&begun.ids)
    .bind(&begun.wa_ids)
    .bind(&begun.messages)
    .bind(&begun.tags)
    .bind(&begun.extras)
    .execute(db)
    .await?;
    Ok(())
}
