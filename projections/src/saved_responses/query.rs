//! Reads saved responses.

use chatledger_domain::TenantId;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};

use crate::{
    inbox::{Answer, Inbox},
    text::pattern,
    views::{Page, PageRequest},
};

/// A saved response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedResponseView {
    /// Its id.
    pub id: i64,
    /// Its text.
    pub text: String,
    /// The present username of the user that saved it, whatever became of the user.
    pub created_by: String,
    /// POSIX seconds.
    pub timestamp: i64,
}

impl Inbox {
    /// The saved responses, newest first; with `search` those that hold this text.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn saved_responses(
        &self,
        tenant: TenantId,
        search: Option<&str>,
        part: PageRequest,
    ) -> Answer<Page<SavedResponseView>> {
        self.ask(tenant, async |db| saved_responses(db, tenant, search, part).await).await
    }
}

async fn saved_responses(
    db: &mut PgConnection,
    tenant: TenantId,
    search: Option<&str>,
    part: PageRequest,
) -> Result<Page<SavedResponseView>, sqlx::Error> {
    let condition = |sql: &mut QueryBuilder<'_, Postgres>| {
        sql.push(" WHERE s.tenant_id = ").push_bind(tenant.0);
        if let Some(search) = search {
            sql.push(" AND s.text_key LIKE ").push_bind(pattern(search));
        }
    };
    let mut sql = QueryBuilder::new("SELECT count(*) FROM read_models.saved_responses s");
    condition(&mut sql);
    let count = sql.build_query_scalar().fetch_one(&mut *db).await?;
    let mut sql = QueryBuilder::new(
        "SELECT s.id, s.text, s.timestamp, coalesce(u.username, '') AS created_by FROM read_models.saved_responses s
         LEFT JOIN read_models.users u ON u.tenant_id = s.tenant_id AND u.id = s.created_by",
    );
    condition(&mut sql);
    sql.push(" ORDER BY s.timestamp DESC, s.id DESC LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
}

fn view(row: &PgRow) -> Result<SavedResponseView, sqlx::Error> {
    Ok(SavedResponseView {
        id: row.try_get("id")?,
        text: row.try_get("text")?,
        created_by: row.try_get("created_by")?,
        timestamp: row.try_get("timestamp")?,
    })
}
