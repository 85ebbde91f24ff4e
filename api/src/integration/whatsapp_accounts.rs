//! `GET /api/v1/whatsapp_accounts/`: the number of the inbox.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::State;
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Caller, ListPage, Query},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("GET", "/api/v1/whatsapp_accounts/", "list_whatsapp_accounts", || to(list))];

/// Which accounts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountParams {
    /// Only the number of this inbox, or only others, of which there are none (R-GEN-1).
    pub this_instance: Option<bool>,
}

/// A WhatsApp number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"phone_number": "+351210000000", "this_instance": true}))]
pub struct WhatsAppAccount {
    /// `+` and digits.
    pub phone_number: String,
    /// Whether it is the number of this inbox.
    pub this_instance: bool,
}

/// The WhatsApp numbers: the one that is connected, or none.
#[utoipa::path(get, path = "/api/v1/whatsapp_accounts/", operation_id = "list_whatsapp_accounts", tag = "Settings",
    params(AccountParams, PageParams),
    responses((status = 200, description = "Numbers.", body = ListPage<WhatsAppAccount>)))]
pub async fn list(
    caller: Caller,
    state: State,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let this_instance = query.boolean("this_instance");
    let part = query.page()?;
    let number = state.application.number(caller.tenant).await?.filter(|_| this_instance != Some(false));
    let accounts: Vec<WhatsAppAccount> = number
        .map(|number| WhatsAppAccount { phone_number: written(&number.display_phone_number), this_instance: true })
        .into_iter()
        .collect();
    let count = i64::try_from(accounts.len()).unwrap_or_default();
    let of_part = if part.request().offset == 0 { accounts } else { Vec::new() };
    Ok(super::ok(&part.answer(&request, count, of_part)))
}

fn written(display: &str) -> String {
    let digits: String = display.chars().filter(char::is_ascii_digit).collect();
    format!("+{digits}")
}
