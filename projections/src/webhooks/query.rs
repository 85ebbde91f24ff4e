//! Reads webhooks. Who may see which: admins all, others their own.

use chatledger_application::ports::{Unavailable, subscribers::Subscriber};
use chatledger_domain::{Actor, Endpoint, SecretId, TenantId, UserId, WebhookId, webhook::Subscriptions};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{DisabledView, WebhookView};
use crate::{
    Inbox,
    views::{Page, PageRequest},
};

const COLUMNS: &str = "w.id, w.user_id, w.origin, w.header_names, w.secret, w.on_incoming_message,
    w.on_outgoing_message, w.on_assigned, w.disabled_at, w.disabled_reason, w.failing_since, coalesce(u.username, '') AS username";
const WITH_USER: &str = "LEFT JOIN read_models.users u ON u.tenant_id = w.tenant_id AND u.id = w.user_id";
const VISIBLE: &str = "w.tenant_id = $1 AND ($2::bigint IS NULL OR w.user_id = $2)";

fn view(row: &PgRow) -> Result<WebhookView, sqlx::Error> {
    Ok(WebhookView {
        id: WebhookId(row.try_get("id")?),
        user: UserId(row.try_get("user_id")?),
        username: row.try_get("username")?,
        endpoint: Endpoint {
            origin: row.try_get("origin")?,
            header_names: row.try_get("header_names")?,
            secret: SecretId(row.try_get("secret")?),
        },
        subscriptions: Subscriptions {
            on_incoming_message: row.try_get("on_incoming_message")?,
            on_outgoing_message: row.try_get("on_outgoing_message")?,
            on_assigned: row.try_get("on_assigned")?,
        },
        disabled: disabled(row)?,
    })
}

fn disabled(row: &PgRow) -> Result<Option<DisabledView>, sqlx::Error> {
    let Some(at) = row.try_get("disabled_at")? else { return Ok(None) };
    Ok(Some(DisabledView { reason: row.try_get("disabled_reason")?, since: row.try_get("failing_since")?, at }))
}

/// The user whose webhooks alone are visible.
fn only(actor: &Actor) -> Option<UserId> {
    (!actor.is_admin()).then_some(actor.user)
}

/// All webhooks, by id.
pub(crate) async fn webhooks(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<Subscriber>, sqlx::Error> {
    let sql = "SELECT w.id, w.aggregate_id, w.user_id, w.secret, w.disabled_at IS NOT NULL AS is_disabled,
                   coalesce(u.activated AND NOT u.deactivated, false) AS is_active
               FROM read_models.webhooks w
               LEFT JOIN read_models.users u ON u.tenant_id = w.tenant_id AND u.id = w.user_id
               WHERE w.tenant_id = $1 ORDER BY w.id";
    let rows = sqlx::query(sql).bind(tenant.0).fetch_all(db).await?;
    let webhook = |row: &PgRow| {
        Ok(Subscriber {
            id: row.try_get("id")?,
            aggregate_id: row.try_get("aggregate_id")?,
            user: UserId(row.try_get("user_id")?),
            secret: SecretId(row.try_get("secret")?),
            is_active: row.try_get("is_active")?,
            is_disabled: row.try_get("is_disabled")?,
        })
    };
    rows.iter().map(webhook).collect()
}

impl Inbox {
    /// The webhooks that the actor may see, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn webhooks(
        &self,
        tenant: TenantId,
        actor: &Actor,
        part: PageRequest,
    ) -> Result<Page<WebhookView>, Unavailable> {
        self.webhooks_of(tenant, only(actor), part).await
    }

    /// The webhooks of a user or, for the operator, of all, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn webhooks_of(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        part: PageRequest,
    ) -> Result<Page<WebhookView>, Unavailable> {
        let user = user.map(|user| user.0);
        self.ask(tenant, async |db| {
            let sql = format!("SELECT count(*) FROM read_models.webhooks w WHERE {VISIBLE}");
            let count = sqlx::query_scalar(&sql).bind(tenant.0).bind(user).fetch_one(&mut *db).await?;
            let sql = format!(
                "SELECT {COLUMNS} FROM read_models.webhooks w {WITH_USER} WHERE {VISIBLE}
                 ORDER BY w.id LIMIT $3 OFFSET $4"
            );
            let rows = sqlx::query(&sql).bind(tenant.0).bind(user).bind(part.limit).bind(part.offset);
            let rows = rows.fetch_all(db).await?;
            Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
        })
        .await
    }

    /// A webhook that the actor may see.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn webhook(
        &self,
        tenant: TenantId,
        actor: &Actor,
        id: WebhookId,
    ) -> Result<Option<WebhookView>, Unavailable> {
        self.ask(tenant, async |db| {
            let sql = format!("SELECT {COLUMNS} FROM read_models.webhooks w {WITH_USER} WHERE {VISIBLE} AND w.id = $3");
            let row = sqlx::query(&sql)
                .bind(tenant.0)
                .bind(only(actor).map(|user| user.0))
                .bind(id.0)
                .fetch_optional(db)
                .await?;
            row.as_ref().map(view).transpose()
        })
        .await
    }
}
