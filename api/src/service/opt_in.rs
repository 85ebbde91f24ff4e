//! `PUT /api/v1/whatsapp/customers/{waId}/opt-in`: records whether a customer wishes to hear from us (R-CUS-4).

use actix_web::{HttpResponse, web};
use chatledger_domain::contact::OptIn;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Limit, ServiceCaller, Shop, State,
    body::JsonBody,
    customers::{Consent, customer_in_path},
    envelope::{self, Answer},
    error::ServiceError,
    query::ServiceQuery,
};
use crate::routes::{Endpoint, to};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("PUT", "/api/v1/whatsapp/customers/{waId}/opt-in", "service_put_opt_in", || to(put))];

/// The longest source, in characters.
const MAX_SOURCE: usize = 50;
/// The longest word that is read as a status.
const MAX_STATUS: usize = 100;

/// A customer's wish.
#[derive(ToSchema)]
#[schema(as = ServiceOptIn, example = json!({"status": "opted_in", "source": "web"}))]
pub struct OptInBody {
    /// `opted_in` or `opted_out`.
    pub status: String,
    /// How it is known, at most 50 characters: `whatsapp`, `web`, `import`, `api` …
    pub source: String,
}

/// A customer's wish as it is recorded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceRecordedOptIn)]
struct Recorded<'a> {
    /// The customer's WhatsApp id.
    wa_id: &'a str,
    /// Its wish from now on.
    consent: Consent<'a>,
}

/// Records a customer's wish; the same again changes nothing, the time neither.
#[utoipa::path(put, path = "/api/v1/whatsapp/customers/{waId}/opt-in", operation_id = "service_put_opt_in",
    tag = "Customers", params(("waId" = String, Path, description = "The customer's WhatsApp id."),
        ("shopId" = Option<String>, Query, description = "The shop; may be left out by tokens of one shop.")),
    request_body = OptInBody,
    responses((status = 200, description = "Its wish from now on.", body = Answer<Recorded>, example = json!({"success": true,
        "data": {"waId": "84901234567", "consent": {"status": "opted_in", "timestamp": "2026-01-18T10:20:00Z",
        "source": "web"}}, "error": null, "pagination": null}))))]
pub async fn put(
    caller: ServiceCaller,
    state: State,
    path: web::Path<String>,
    query: ServiceQuery,
    body: JsonBody,
) -> Result<HttpResponse, ServiceError> {
    let shop = shop(&caller, &query).await?;
    let wa_id = customer_in_path(&path)?;
    let fields = body.read().await?;
    let (status, source) = (fields.text("status", MAX_STATUS)?, fields.text("source", MAX_SOURCE)?);
    let wish = OptIn::named(&status).ok_or_else(|| ServiceError::invalid_value("status", "opted_in or opted_out"))?;
    let application = &state.application;
    let consent = shop.act(&state, async |by| application.set_opt_in(by, &wa_id, wish, &source).await).await?;
    Ok(envelope::ok(Recorded { wa_id: wa_id.as_str(), consent: Consent::new(Some(&consent)) }))
}

/// The shop that the query names, else the token's only one.
async fn shop(caller: &ServiceCaller, query: &ServiceQuery) -> Result<Shop, ServiceError> {
    match (query.optional_shop(), caller.single_shop()) {
        (Ok(None), Some(shop)) => caller.shop(shop, Limit::General).await,
        _ => caller.shop_of(query, Limit::General).await,
    }
}
