//! Reads templates.

use chatledger_application::ports::{Unavailable, read_models::KeptTemplate};
use chatledger_domain::TenantId;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::TemplateView;
use crate::{
    inbox::{Inbox, counted, raw_json},
    text::clean,
    views::{Page, PageRequest},
};

impl Inbox {
    /// The templates, by name and language.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn templates(&self, tenant: TenantId, part: PageRequest) -> Result<Page<TemplateView>, Unavailable> {
        self.ask(tenant, async |db| templates(db, tenant, part).await).await
    }
}

fn view(row: &PgRow) -> Result<TemplateView, sqlx::Error> {
    Ok(TemplateView {
        name: row.try_get("name")?,
        category: row.try_get("category")?,
        language: row.try_get("language")?,
        components: raw_json(row.try_get("components")?)?,
        namespace: row.try_get("namespace")?,
        rejected_reason: row.try_get("rejected_reason")?,
        status: row.try_get("status")?,
    })
}

async fn templates(
    db: &mut PgConnection,
    tenant: TenantId,
    part: PageRequest,
) -> Result<Page<TemplateView>, sqlx::Error> {
    let count = counted(&mut *db, tenant, "templates").await?;
    let sql = "SELECT name, category, language, components::text AS components, namespace, rejected_reason, status
               FROM read_models.templates WHERE tenant_id = $1 ORDER BY name, language LIMIT $2 OFFSET $3";
    let rows = sqlx::query(sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
}

/// A template as sending needs it.
pub(crate) async fn kept(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    language: &str,
) -> Result<Option<KeptTemplate>, sqlx::Error> {
    let sql = "SELECT status, components::text AS components FROM read_models.templates
               WHERE tenant_id = $1 AND name = $2 AND language = $3";
    let row = sqlx::query(sql).bind(tenant.0).bind(clean(name)).bind(clean(language)).fetch_optional(db).await?;
    row.map(|row| Ok(KeptTemplate { status: row.try_get("status")?, components: row.try_get("components")? }))
        .transpose()
}
