//! Reads the rule engine and its rules.

use chatledger_application::ports::Unavailable;
use chatledger_domain::{GroupId, RuleId, SecretId, TagId, TenantId, UserId};
use sqlx::{Row, postgres::PgRow};

use super::{RuleEngineView, RuleView};
use crate::{
    Inbox,
    inbox::counted,
    views::{Page, PageRequest},
};

const RULE: &str = "id, tagged_with, assign_to_user, assign_to_group, group_assign_method, place";

fn rule(row: &PgRow) -> Result<RuleView, sqlx::Error> {
    Ok(RuleView {
        id: RuleId(row.try_get("id")?),
        tagged_with: row.try_get::<Option<_>, _>("tagged_with")?.map(TagId),
        assign_to_user: row.try_get::<Option<_>, _>("assign_to_user")?.map(UserId),
        assign_to_group: row.try_get::<Option<_>, _>("assign_to_group")?.map(GroupId),
        group_assign_method: row.try_get("group_assign_method")?,
        place: row.try_get("place")?,
    })
}

impl Inbox {
    /// Who decides; `None` where nobody has said so yet.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn rule_engine(&self, tenant: TenantId) -> Result<Option<RuleEngineView>, Unavailable> {
        self.ask(tenant, async |db| {
            let sql = "SELECT mode, secret FROM read_models.rule_engine WHERE tenant_id = $1";
            let row = sqlx::query(sql).bind(tenant.0).fetch_optional(db).await?;
            row.map(|row| {
                let secret = row.try_get::<Option<_>, _>("secret")?.map(SecretId);
                Ok(RuleEngineView { mode: row.try_get("mode")?, secret })
            })
            .transpose()
        })
        .await
    }

    /// The rules in the order in which they are tried.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn rules(&self, tenant: TenantId, part: PageRequest) -> Result<Page<RuleView>, Unavailable> {
        self.ask(tenant, async |db| {
            let count = counted(&mut *db, tenant, "rule_engine").await?;
            let sql = format!(
                "SELECT {RULE} FROM read_models.rules WHERE tenant_id = $1 ORDER BY place, id LIMIT $2 OFFSET $3"
            );
            let rows = sqlx::query(&sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
            Ok(Page { count, rows: rows.iter().map(rule).collect::<Result<_, _>>()? })
        })
        .await
    }

    /// A rule.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn rule(&self, tenant: TenantId, id: RuleId) -> Result<Option<RuleView>, Unavailable> {
        self.ask(tenant, async |db| {
            let sql = format!("SELECT {RULE} FROM read_models.rules WHERE tenant_id = $1 AND id = $2");
            let row = sqlx::query(&sql).bind(tenant.0).bind(id.0).fetch_optional(db).await?;
            row.as_ref().map(rule).transpose()
        })
        .await
    }
}
