//! Reads taggings, each with its tag as it is now.

use std::collections::HashMap;

use chatledger_application::ports::read_models::StandingTagging;
use chatledger_domain::{Actor, MessageId, RawJson, TagId, TaggingId, TenantId};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{
    inbox::{only_readable, raw_json, wa_id},
    views::{AppliedTag, ChatTaggingView, MessageTaggingView, TagView},
};

fn extra(row: &PgRow) -> Result<Option<RawJson>, sqlx::Error> {
    row.try_get::<Option<String>, _>("extra")?.map(raw_json).transpose()
}

fn applied(row: &PgRow) -> Result<AppliedTag, sqlx::Error> {
    let tag = TagView {
        id: TagId(row.try_get("id")?),
        name: row.try_get("name")?,
        web_inbox_color: row.try_get("web_inbox_color")?,
    };
    Ok(AppliedTag { tag, tagging_id: TaggingId(row.try_get("tagging_id")?), extra: extra(row)? })
}

/// The tags of some chats, each chat's in the order in which it was tagged.
pub(crate) async fn of_chats(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, Vec<AppliedTag>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT c.wa_id, c.tagging_id, c.extra::text AS extra, t.id, t.name, t.web_inbox_color
         FROM read_models.chat_taggings c JOIN read_models.tags t ON t.tenant_id = c.tenant_id AND t.id = c.tag_id
         WHERE c.tenant_id = $1 AND c.wa_id = ANY($2) ORDER BY c.tagging_id",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .fetch_all(db)
    .await?;
    let mut tags: HashMap<String, Vec<AppliedTag>> = HashMap::new();
    for row in &rows {
        tags.entry(row.try_get("wa_id")?).or_default().push(applied(row)?);
    }
    Ok(tags)
}

/// The tags of some messages, each message's in the order in which it was tagged.
pub(crate) async fn of_messages(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<AppliedTag>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.message_id, m.tagging_id, m.extra::text AS extra, t.id, t.name, t.web_inbox_color
         FROM read_models.message_taggings m JOIN read_models.tags t ON t.tenant_id = m.tenant_id AND t.id = m.tag_id
         WHERE m.tenant_id = $1 AND m.message_id = ANY($2) ORDER BY m.tagging_id",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(db)
    .await?;
    let mut tags: HashMap<Uuid, Vec<AppliedTag>> = HashMap::new();
    for row in &rows {
        tags.entry(row.try_get("message_id")?).or_default().push(applied(row)?);
    }
    Ok(tags)
}

/// A standing tagging of a readable chat.
pub(crate) async fn chat_tagging(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    id: TaggingId,
) -> Result<Option<ChatTaggingView>, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT x.tag_id, x.wa_id, x.extra::text AS extra FROM read_models.chat_taggings x
         JOIN read_models.chats c ON c.tenant_id = x.tenant_id AND c.wa_id = x.wa_id WHERE x.tenant_id = ",
    );
    sql.push_bind(tenant.0).push(" AND x.tagging_id = ").push_bind(id.0);
    only_readable(&mut sql, actor);
    let Some(row) = sql.build().fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(ChatTaggingView {
        id,
        tag: TagId(row.try_get("tag_id")?),
        wa_id: wa_id(row.try_get("wa_id")?)?,
        extra: extra(&row)?,
    }))
}

/// A standing tagging of a message in a readable chat.
pub(crate) async fn message_tagging(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    id: TaggingId,
) -> Result<Option<MessageTaggingView>, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT x.tag_id, x.message_id, m.waba_id, x.extra::text AS extra FROM read_models.message_taggings x
         JOIN read_models.chats c ON c.tenant_id = x.tenant_id AND c.wa_id = x.wa_id
         LEFT JOIN read_models.messages m ON m.tenant_id = x.tenant_id AND m.message_id = x.message_id
         WHERE x.tenant_id = ",
    );
    sql.push_bind(tenant.0).push(" AND x.tagging_id = ").push_bind(id.0);
    only_readable(&mut sql, actor);
    let Some(row) = sql.build().fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(MessageTaggingView {
        id,
        tag: TagId(row.try_get("tag_id")?),
        message_id: MessageId(row.try_get("message_id")?),
        waba_id: row.try_get("waba_id")?,
        extra: extra(&row)?,
    }))
}

/// Some taggings with a tag that still stand.
pub(crate) async fn standing(
    db: &mut PgConnection,
    tenant: TenantId,
    tag: TagId,
    limit: i64,
) -> Result<Vec<StandingTagging>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT tagging_id, false AS of_message FROM read_models.chat_taggings WHERE tenant_id = $1 AND tag_id = $2
         UNION ALL
         SELECT tagging_id, true FROM read_models.message_taggings WHERE tenant_id = $1 AND tag_id = $2
         LIMIT $3",
    )
    .bind(tenant.0)
    .bind(tag.0)
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let id = TaggingId(row.try_get("tagging_id")?);
            Ok(StandingTagging { id, of_message: row.try_get("of_message")? })
        })
        .collect()
}

/// Tags that are deleted but that something still carries: a deletion that was cut short.
pub(crate) async fn of_deleted_tags(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<TagId>, sqlx::Error> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT t.tag_id
           FROM (SELECT tag_id FROM read_models.chat_taggings WHERE tenant_id = $1
                 UNION ALL
                 SELECT tag_id FROM read_models.message_taggings WHERE tenant_id = $1) t
          WHERE NOT EXISTS (SELECT FROM read_models.tags WHERE tenant_id = $1 AND id = t.tag_id)",
    )
    .bind(tenant.0)
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(TagId).collect())
}
