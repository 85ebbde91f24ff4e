//! Folds the events of rule engines.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent, TagId,
    rule_engine::{RuleEngineEvent, Target},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::clean,
};

/// The read model `rule_engine`; its rows that are counted are the rules.
pub(crate) struct RuleEngines;

#[async_trait]
impl Projection for RuleEngines {
    fn name(&self) -> &'static str {
        "rule_engine"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("rule_engine"), Table::small("rules")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Rules change a few times a year, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let tenant = batch.tenant.0;
        for recorded in &batch.events {
            let AnyEvent::RuleEngine(event) = &recorded.event else { continue };
            let more = match event {
                RuleEngineEvent::RuleEngineConfigured(e) => {
                    let names = e.endpoint.iter().flat_map(|to| &to.header_names);
                    let sql = "INSERT INTO rule_engine (tenant_id, mode, origin, header_names, secret)
                               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id) DO UPDATE SET mode = excluded.mode,
                               origin = excluded.origin, header_names = excluded.header_names, secret = excluded.secret";
                    let change = sqlx::query(sql).bind(tenant).bind(e.mode.as_str());
                    let change = change.bind(e.endpoint.as_ref().map(|to| clean(&to.origin)));
                    let change = change.bind(names.map(|name| clean(name).into_owned()).collect::<Vec<_>>());
                    change.bind(e.endpoint.as_ref().map(|to| to.secret.0)).execute(&mut *db).await?;
                    0
                }
                RuleEngineEvent::RuleAdded(e) => {
                    set(&mut *db, tenant, recorded.position.0, e.tagged_with, e.target, e.place).await?;
                    1
                }
                RuleEngineEvent::RuleChanged(e) => {
                    set(&mut *db, tenant, e.rule.0, e.tagged_with, e.target, e.place).await?;
                    0
                }
                RuleEngineEvent::RuleDeleted(e) => {
                    let sql = "DELETE FROM rules WHERE tenant_id = $1 AND id = $2";
                    let gone = sqlx::query(sql).bind(tenant).bind(e.rule.0).execute(&mut *db).await?;
                    -i64::try_from(gone.rows_affected()).unwrap_or_default()
                }
            };
            count_rows(&mut *db, batch.tenant, self.name(), more).await?;
        }
        Ok(())
    }
}

async fn set(
    db: &mut PgConnection,
    tenant: uuid::Uuid,
    id: i64,
    tagged_with: Option<TagId>,
    target: Target,
    place: i64,
) -> Result<(), sqlx::Error> {
    let (user, group, method) = match target {
        Target::User(user) => (Some(user.0), None, None),
        Target::Group { id, method } => (None, Some(id.0), Some(method.as_str())),
    };
    let sql = "INSERT INTO rules
                   (tenant_id, id, tagged_with, assign_to_user, assign_to_group, group_assign_method, place)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, id) DO UPDATE SET
                   tagged_with = excluded.tagged_with, assign_to_user = excluded.assign_to_user,
                   assign_to_group = excluded.assign_to_group, group_assign_method = excluded.group_assign_method,
                   place = excluded.place";
    let change = sqlx::query(sql).bind(tenant).bind(id).bind(tagged_with.map(|tag| tag.0));
    change.bind(user).bind(group).bind(method).bind(place).execute(db).await?;
    Ok(())
}
