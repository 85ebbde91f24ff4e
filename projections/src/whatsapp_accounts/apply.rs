//! Folds connections, notices and what WhatsApp says of the access token into an inbox's one row.

use async_trait::async_trait;
use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::{
    AnyEvent, RawJson, TenantId,
    chat::ChatEvent,
    whatsapp_account::{AccountConnected, AccountNoticeReceived, Tier, WhatsAppAccountEvent},
};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table},
    text::clean,
};

/// The read model `whatsapp_accounts`.
pub(crate) struct WhatsAppAccounts;

#[async_trait]
impl Projection for WhatsAppAccounts {
    fn name(&self) -> &'static str {
        "whatsapp_accounts"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("whatsapp_accounts")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs"), include_str!("../../../domain/src/whatsapp_account/tier.rs")]
    }

    // Accounts change rarely, so one statement per event is not worth avoiding; what is said of messages is gathered.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let tenant = batch.tenant;
        let mut refused = None;
        for recorded in &batch.events {
            match &recorded.event {
                AnyEvent::Chat(ChatEvent::MessageAccepted(_)) => refused = Some(false),
                AnyEvent::Chat(ChatEvent::MessageRejected(e)) if names_token(&e.errors) => refused = Some(true),
                AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountConnected(e)) => {
                    refused = None;
                    connected(&mut *db, tenant, recorded, e).await?;
                }
                AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountDisconnected(_)) => {
                    let sql = "UPDATE whatsapp_accounts SET is_connected = false WHERE tenant_id = $1";
                    sqlx::query(sql).bind(tenant.0).execute(&mut *db).await?;
                }
                AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountNoticeReceived(e)) => {
                    noticed(&mut *db, tenant, e).await?;
                }
                _ => {}
            }
        }
        if let Some(refused) = refused {
            let sql = "UPDATE whatsapp_accounts SET is_refused = $2 WHERE tenant_id = $1 AND is_refused <> $2";
            sqlx::query(sql).bind(tenant.0).bind(refused).execute(db).await?;
        }
        Ok(())
    }
}

async fn connected(
    db: &mut PgConnection,
    tenant: TenantId,
    recorded: &Recorded,
    event: &AccountConnected,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO whatsapp_accounts
             (tenant_id, connected_at, phone_number_id, number, webhook_url, is_connected, is_refused, tier, since)
         VALUES ($1, $2, $3, $4, $5, true, false, $6, $7)
         ON CONFLICT (tenant_id) DO UPDATE SET connected_at = $2, phone_number_id = $3, number = $4, webhook_url = $5,
             is_connected = true, is_refused = false, tier = $6, since = $7",
    )
    .bind(tenant.0)
    .bind(recorded.position.0)
    .bind(clean(&event.phone_number_id))
    .bind(clean(&event.display_phone_number))
    .bind(event.webhook_url.as_deref().map(clean))
    .bind(Tier::default().as_str())
    .bind(recorded.occurred_at)
    .execute(db)
    .await?;
    Ok(())
}

/// A notice counts while the number is connected.
async fn noticed(db: &mut PgConnection, tenant: TenantId, notice: &AccountNoticeReceived) -> Result<(), sqlx::Error> {
    let sql = "SELECT number FROM whatsapp_accounts WHERE tenant_id = $1 AND is_connected";
    let number: Option<String> = sqlx::query_scalar(sql).bind(tenant.0).fetch_optional(&mut *db).await?;
    if let Some(tier) = number.and_then(|number| Tier::told_by(notice, &number)) {
        let sql = "UPDATE whatsapp_accounts SET tier = $2 WHERE tenant_id = $1";
        sqlx::query(sql).bind(tenant.0).bind(tier.as_str()).execute(db).await?;
    }
    Ok(())
}

/// WhatsApp's code for an access token that it does not take.
const TOKEN: i64 = 190;

fn names_token(errors: &RawJson) -> bool {
    let is_token = |error: &Value| error["code"].as_i64() == Some(TOKEN);
    errors.tree().as_array().is_some_and(|errors| errors.iter().any(is_token))
}
