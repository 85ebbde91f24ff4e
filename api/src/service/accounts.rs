//! `/api/v1/whatsapp/accounts`: the WhatsApp number of a shop (R-ACC-*).

use actix_web::{HttpResponse, web};
use chatledger_application::{ApplicationError, accounts::ConnectAccount};
use chatledger_domain::TenantId;
use chatledger_projections::{AccountStatus, WhatsAppAccountView};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Limit, ServiceCaller, ServiceError, State,
    body::{JsonBody, JsonFields},
    envelope::{self, Answer},
    jwt::TokenRole,
};
use crate::routes::{Endpoint, to};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("POST", "/api/v1/whatsapp/accounts", "service_connect_account", || to(connect)),
    Endpoint::new("GET", "/api/v1/whatsapp/accounts/{shopId}", "service_get_account", || to(show)),
    Endpoint::new("DELETE", "/api/v1/whatsapp/accounts/{shopId}", "service_disconnect_account", || to(disconnect)),
];

/// The longest id of a number, in digits.
const MAX_ID: usize = 32;
/// The longest access token, in characters.
const MAX_TOKEN: usize = 4_096;
/// The longest address, in characters.
const MAX_URL: usize = 2_048;

/// A number to be connected.
#[derive(ToSchema)]
#[schema(as = ServiceNewAccount, example = json!({"shopId": "550e8400-e29b-41d4-a716-446655440000",
    "phoneNumberId": "106540352242922", "accessToken": "EAAG...",
    "webhookUrl": "https://inbox.example/api/v1/whatsapp/webhooks"}))]
pub struct NewAccount {
    /// The shop. A token of role `platform` may name one that does not exist yet.
    #[schema(rename = "shopId")]
    pub shop_id: Uuid,
    /// WhatsApp's id of the number: digits.
    #[schema(rename = "phoneNumberId")]
    pub phone_number_id: String,
    /// The access token for it; never given back.
    #[schema(rename = "accessToken")]
    pub access_token: String,
    /// The https address that WhatsApp shall call: ours. Stored and given back.
    #[schema(rename = "webhookUrl")]
    pub webhook_url: Option<String>,
}

/// A number that was connected.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceConnectedAccount)]
struct Connected {
    /// The connection.
    account_id: Uuid,
    /// The shop.
    shop_id: Uuid,
    /// WhatsApp's id of the number.
    phone_number_id: String,
    /// `active`.
    status: &'static str,
    /// `tier_1`.
    message_tier: &'static str,
    /// Since when.
    connected_at: String,
}

/// The account of a shop.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceAccount)]
struct Account {
    /// The connection.
    account_id: Uuid,
    /// The shop.
    shop_id: Uuid,
    /// WhatsApp's id of the number.
    phone_number_id: String,
    /// The address that was given when it was connected.
    webhook_url: Option<String>,
    /// `active`, `disconnected` or `error`.
    status: &'static str,
    /// `tier_0` to `tier_4`.
    message_tier: &'static str,
    /// How many customers may be written to on a day without having been written to; null for no limit.
    daily_limit: Option<u32>,
    /// How many were, today in UTC.
    messages_used_today: u32,
    /// Since when.
    connected_at: String,
}

impl Account {
    fn of(shop: TenantId, view: WhatsAppAccountView) -> Self {
        let status = match view.status {
            AccountStatus::Active => "active",
            AccountStatus::Error => "error",
            AccountStatus::Disconnected => "disconnected",
        };
        Self {
            account_id: view.id.0,
            shop_id: shop.0,
            phone_number_id: view.phone_number_id,
            webhook_url: view.webhook_url,
            status,
            message_tier: view.tier.as_str(),
            daily_limit: view.tier.daily_limit(),
            messages_used_today: view.used,
            connected_at: whole_seconds(view.connected_at),
        }
    }
}

/// What is said when an account is disconnected.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceDisconnected)]
struct Message {
    /// `Account disconnected successfully`.
    message: &'static str,
}

/// Connects a number to a shop, once WhatsApp has said that the token speaks for it.
#[utoipa::path(post, path = "/api/v1/whatsapp/accounts", operation_id = "service_connect_account", tag = "Accounts",
    request_body = NewAccount,
    responses((status = 200, description = "Connected.", body = Answer<Connected>, example = json!({"success": true,
            "data": {"accountId": "660e8400-e29b-41d4-a716-446655440000",
                "shopId": "550e8400-e29b-41d4-a716-446655440000", "phoneNumberId": "106540352242922",
                "status": "active", "messageTier": "tier_1", "connectedAt": "2026-01-18T10:00:00Z"},
            "error": null, "pagination": null})),
        (status = 404, description = "No such shop, or not the caller's.", body = Object),
        (status = 409, description = "`ACCOUNT_EXISTS`: the shop is connected. `PHONE_NUMBER_IN_USE`: another has it.",
            body = Object)))]
pub async fn connect(caller: ServiceCaller, state: State, body: JsonBody) -> Result<HttpResponse, ServiceError> {
    let (shop, fields) = named_shop(&caller, body).await?;
    may_write(&caller, shop).await?;
    let phone_number_id = phone_number_id(&fields)?;
    let (access_token, webhook_url) = (fields.text("accessToken", MAX_TOKEN)?, webhook_url(&fields)?);
    let may_create = caller.role() == TokenRole::Platform;
    let new = ConnectAccount { shop, may_create, phone_number_id, access_token, webhook_url };
    let connected = state.application.connect_shop(&caller.requester(), new).await?;
    Ok(envelope::ok(Connected {
        account_id: connected.id.0,
        shop_id: shop.0,
        phone_number_id: connected.phone_number_id,
        status: "active",
        message_tier: connected.tier.as_str(),
        connected_at: whole_seconds(connected.connected_at),
    }))
}

/// The account of a shop, also one that was disconnected.
#[utoipa::path(get, path = "/api/v1/whatsapp/accounts/{shopId}", operation_id = "service_get_account", tag = "Accounts",
    params(("shopId" = Uuid, Path, description = "The shop.")),
    responses((status = 200, description = "The account.", body = Answer<Account>, example = json!({"success": true,
            "data": {"accountId": "660e8400-e29b-41d4-a716-446655440000",
                "shopId": "550e8400-e29b-41d4-a716-446655440000", "phoneNumberId": "106540352242922",
                "webhookUrl": "https://inbox.example/api/v1/whatsapp/webhooks", "status": "active",
                "messageTier": "tier_2", "dailyLimit": 10000, "messagesUsedToday": 1523,
                "connectedAt": "2026-01-18T10:00:00Z"},
            "error": null, "pagination": null}))))]
pub async fn show(caller: ServiceCaller, state: State, path: web::Path<String>) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop(shop_in(&caller, &path).await?, Limit::General).await?.tenant;
    let today = state.clock.now().date_naive();
    let account = state.inbox.whatsapp_account(shop, today).await?.ok_or_else(ServiceError::not_found)?;
    Ok(envelope::ok(Account::of(shop, account)))
}

/// Disconnects the number of a shop; what was said with it stays.
#[utoipa::path(delete, path = "/api/v1/whatsapp/accounts/{shopId}", operation_id = "service_disconnect_account",
    tag = "Accounts", params(("shopId" = Uuid, Path, description = "The shop.")),
    responses((status = 200, description = "Disconnected.", body = Answer<Message>, example = json!({"success": true,
            "data": {"message": "Account disconnected successfully"}, "error": null, "pagination": null}))))]
pub async fn disconnect(
    caller: ServiceCaller,
    state: State,
    path: web::Path<String>,
) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop(shop_in(&caller, &path).await?, Limit::General).await?.tenant;
    may_write(&caller, shop).await?;
    match state.application.disconnect_account(shop, &caller.requester()).await {
        Ok(()) => Ok(envelope::ok(Message { message: "Account disconnected successfully" })),
        Err(ApplicationError::AccountNotConnected) => Err(ServiceError::not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Accounts are no agent's to change (R-JWT-3), and nobody learns of a shop that is not its own (R-JWT-2). A service may
/// name a shop that does not exist yet, a user none but its own.
async fn may_write(caller: &ServiceCaller, shop: TenantId) -> Result<(), ServiceError> {
    let may = match caller.role() {
        TokenRole::Agent => false,
        _ if caller.is_user() => caller.enter(shop).await?.is_some(),
        _ => caller.covers(shop),
    };
    may.then_some(()).ok_or_else(ServiceError::not_found)
}

/// The shop that a body names and the body, counted there; where it names none, for the token (R-LIM-5).
async fn named_shop(caller: &ServiceCaller, body: JsonBody) -> Result<(TenantId, JsonFields), ServiceError> {
    let read = async {
        let fields = body.read().await?;
        let named = fields.text("shopId", 100)?.parse().ok().filter(|id: &Uuid| !id.is_nil());
        let shop = named.map(TenantId).ok_or_else(|| ServiceError::invalid_value("shopId", "a UUID"))?;
        Ok((shop, fields))
    };
    match read.await {
        Ok((shop, fields)) => caller.count_by_shop(shop, Limit::General).await.map(|()| (shop, fields)),
        Err(error) => caller.count_by_token(Limit::General).await.and(Err(error)),
    }
}

/// The shop of a path; what is no id names none.
async fn shop_in(caller: &ServiceCaller, path: &str) -> Result<TenantId, ServiceError> {
    match path.parse() {
        Ok(id) => Ok(TenantId(id)),
        Err(_) => caller.count_by_token(Limit::General).await.and(Err(ServiceError::not_found())),
    }
}

fn phone_number_id(fields: &JsonFields) -> Result<String, ServiceError> {
    let id = fields.text("phoneNumberId", MAX_ID)?;
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(id).ok_or_else(|| ServiceError::invalid_value("phoneNumberId", "digits"))
}

fn webhook_url(fields: &JsonFields) -> Result<Option<String>, ServiceError> {
    let Some(text) = fields.optional_text("webhookUrl", MAX_URL)? else { return Ok(None) };
    let is_https = url::Url::parse(&text).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    is_https.then_some(Some(text)).ok_or_else(|| ServiceError::invalid_value("webhookUrl", "an https address"))
}

/// R-SVC-1.
fn whole_seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
