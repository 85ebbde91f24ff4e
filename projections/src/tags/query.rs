//! Reads tags.

use chatledger_domain::{TagId, TenantId};
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{
    inbox::counted,
    views::{Page, PageRequest, TagView},
};

fn view(row: &PgRow) -> Result<TagView, sqlx::Error> {
    Ok(TagView {
        id: TagId(row.try_get("id")?),
        name: row.try_get("name")?,
        web_inbox_color: row.try_get("web_inbox_color")?,
    })
}

/// The tags, by id.
pub(crate) async fn tags(
    db: &mut PgConnection,
    tenant: TenantId,
    part: PageRequest,
) -> Result<Page<TagView>, sqlx::Error> {
    let count = counted(&mut *db, tenant, "tags").await?;
    let sql = "SELECT id, name, web_inbox_color FROM read_models.tags WHERE tenant_id = $1
               ORDER BY id LIMIT $2 OFFSET $3";
    let rows = sqlx::query(sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
}

/// A tag.
pub(crate) async fn tag(db: &mut PgConnection, tenant: TenantId, tag: TagId) -> Result<Option<TagView>, sqlx::Error> {
    let sql = "SELECT id, name, web_inbox_color FROM read_models.tags WHERE tenant_id = $1 AND id = $2";
    sqlx::query(sql).bind(tenant.0).bind(tag.0).fetch_optional(db).await?.as_ref().map(view).transpose()
}

/// The id of the tag with this name, which is in lower case.
pub(crate) async fn by_name(db: &mut PgConnection, tenant: TenantId, name: &str) -> Result<Option<TagId>, sqlx::Error> {
    let sql = "SELECT id FROM read_models.tags WHERE tenant_id = $1 AND name_key = $2";
    let id: Option<i64> = sqlx::query_scalar(sql).bind(tenant.0).bind(name).fetch_optional(db).await?;
    Ok(id.map(TagId))
}
