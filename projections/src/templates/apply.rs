//! Folds the events of the catalogue of templates.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent, TenantId,
    template_catalogue::{Template, TemplateCatalogueEvent},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::clean,
};

/// The read model `templates`.
pub(crate) struct Templates;

#[async_trait]
impl Projection for Templates {
    fn name(&self) -> &'static str {
        "templates"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("templates")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Templates change rarely, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let tenant = batch.tenant;
        for recorded in &batch.events {
            let AnyEvent::TemplateCatalogue(event) = &recorded.event else { continue };
            let more = match event {
                TemplateCatalogueEvent::TemplateCreated(e) => put(&mut *db, tenant, &e.template).await?,
                TemplateCatalogueEvent::TemplateSeen(e) => put(&mut *db, tenant, &e.template).await?,
                TemplateCatalogueEvent::TemplateStatusChanged(e) => {
                    let sql = "UPDATE templates SET status = $4, rejected_reason = $5
                               WHERE tenant_id = $1 AND name = $2 AND language = $3";
                    let change = sqlx::query(sql).bind(tenant.0).bind(clean(&e.name)).bind(clean(&e.language));
                    change.bind(clean(&e.status)).bind(clean(&e.rejected_reason)).execute(&mut *db).await?;
                    0
                }
                TemplateCatalogueEvent::TemplateGone(e) => remove(&mut *db, tenant, &e.name, Some(&e.language)).await?,
                TemplateCatalogueEvent::TemplateDeleted(e) => remove(&mut *db, tenant, &e.name, None).await?,
            };
            count_rows(&mut *db, tenant, self.name(), more).await?;
        }
        Ok(())
    }
}

/// How many rows appeared.
async fn put(db: &mut PgConnection, tenant: TenantId, template: &Template) -> Result<i64, sqlx::Error> {
    let sql = "INSERT INTO templates
                   (tenant_id, name, language, category, components, namespace, rejected_reason, status)
               VALUES ($1, $2, $3, $4, $5::json, $6, $7, $8)
               ON CONFLICT (tenant_id, name, language) DO UPDATE SET category = $4, components = $5::json,
                   namespace = $6, rejected_reason = $7, status = $8
               RETURNING xmax = 0";
    let is_new: bool = sqlx::query_scalar(sql)
        .bind(tenant.0)
        .bind(clean(&template.name))
        .bind(clean(&template.language))
        .bind(clean(&template.category))
        .bind(template.components.text())
        .bind(clean(&template.namespace))
        .bind(clean(&template.rejected_reason))
        .bind(clean(&template.status))
        .fetch_one(db)
        .await?;
    Ok(i64::from(is_new))
}

/// How many rows appeared: none or fewer.
async fn remove(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    language: Option<&str>,
) -> Result<i64, sqlx::Error> {
    let sql = "DELETE FROM templates
               WHERE tenant_id = $1 AND name = $2 AND ($3::text IS NULL OR language = $3)";
    let gone = sqlx::query(sql).bind(tenant.0).bind(clean(name)).bind(language.map(clean)).execute(db).await?;
    Ok(-i64::try_from(gone.rows_affected()).unwrap_or_default())
}
