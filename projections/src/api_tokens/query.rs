//! Reads API tokens.

use chatledger_application::ports::Unavailable;
use chatledger_domain::{ApiTokenId, TenantId};
use sqlx::{Row, postgres::PgRow};

use super::ApiTokenView;
use crate::{
    Inbox,
    inbox::counted,
    views::{Page, PageRequest},
};

fn view(row: &PgRow) -> Result<ApiTokenView, sqlx::Error> {
    Ok(ApiTokenView {
        id: ApiTokenId(row.try_get("id")?),
        name: row.try_get("name")?,
        abilities: row.try_get("abilities")?,
        expires_at: row.try_get("expires_at")?,
        issued_at: row.try_get("issued_at")?,
        last_four: row.try_get("last_four")?,
    })
}

impl Inbox {
    /// The tokens that are not revoked, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn api_tokens(&self, tenant: TenantId, part: PageRequest) -> Result<Page<ApiTokenView>, Unavailable> {
        self.ask(tenant, async |db| {
            let count = counted(&mut *db, tenant, "api_tokens").await?;
            let sql = "SELECT id, name, abilities, expires_at, issued_at, last_four FROM read_models.api_tokens
                       WHERE tenant_id = $1 ORDER BY id LIMIT $2 OFFSET $3";
            let rows = sqlx::query(sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
            Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
        })
        .await
    }
}
