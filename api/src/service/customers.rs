//! `/api/v1/whatsapp/customers`: who wrote, was written to or is saved (R-CUS-1, R-CUS-2).

use actix_web::{HttpResponse, web};
use chatledger_domain::WaId;
use chatledger_projections::views::{CustomerFilter, CustomerProfileView, CustomerView};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Limit, ServiceCaller, Shop, State,
    envelope::{self, Answer},
    error::ServiceError,
    query::ServiceQuery,
    times::{in_words, iso},
};
use crate::routes::{Endpoint, to};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/whatsapp/customers", "service_list_customers", || to(list)),
    Endpoint::new("GET", "/api/v1/whatsapp/customers/{waId}", "service_get_customer", || to(get)),
];

/// That nobody recorded a word on being written to.
const UNKNOWN: &str = "unknown";

/// A customer in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceCustomer)]
pub struct Customer<'a> {
    /// Its id, opaque.
    pub id: String,
    /// Its WhatsApp id.
    pub wa_id: &'a str,
    /// Its name; empty where nobody knows one.
    pub name: &'a str,
    /// Its tags, in the order in which they were put on.
    pub tags: &'a [String],
    /// `opted_in`, `opted_out` or `unknown`.
    pub opt_in_status: &'static str,
    /// How many conversations there were with it.
    pub conversation_count: i64,
    /// The newest message in either direction.
    pub last_contacted_at: Option<String>,
    /// When it was first seen.
    pub created_at: String,
}

impl<'a> Customer<'a> {
    fn new(view: &'a CustomerView) -> Self {
        Self {
            id: view.id.to_string(),
            wa_id: view.wa_id.as_str(),
            name: &view.name,
            tags: &view.tags,
            opt_in_status: view.consent.as_ref().map_or(UNKNOWN, |consent| consent.status.as_str()),
            conversation_count: view.conversations,
            last_contacted_at: view.last_contacted_at.map(iso),
            created_at: iso(view.created_at),
        }
    }
}

/// A customer's word on being written to.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceConsent)]
pub struct Consent<'a> {
    /// `opted_in`, `opted_out` or `unknown`.
    pub status: &'static str,
    /// Since when.
    pub timestamp: Option<String>,
    /// How it is known.
    pub source: Option<&'a str>,
}

impl<'a> Consent<'a> {
    /// As it is recorded; `None` where nobody recorded one.
    #[must_use]
    pub fn new(consent: Option<&'a chatledger_domain::contact::Consent>) -> Self {
        match consent {
            Some(consent) => Self {
                status: consent.status.as_str(),
                timestamp: Some(iso(consent.timestamp)),
                // Of a customer that was forgotten, only its no is left.
                source: Some(&*consent.source).filter(|source| !source.is_empty()),
            },
            None => Self { status: UNKNOWN, timestamp: None, source: None },
        }
    }
}

/// What is told of how a customer is served.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceCustomerStats)]
pub struct Stats {
    /// How many conversations there were with it.
    pub conversation_count: i64,
    /// The mean time until it was answered (R-CUS-7).
    pub average_response_time: String,
    /// The day of its newest purchase; null until purchases are told to this inbox.
    pub last_purchase_date: Option<String>,
}

/// A customer with all that is known of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceCustomerProfile)]
pub struct CustomerProfile<'a> {
    /// Its id, opaque.
    pub id: String,
    /// Its WhatsApp id.
    pub wa_id: &'a str,
    /// The shop.
    pub shop_id: String,
    /// Its name; empty where nobody knows one.
    pub name: &'a str,
    /// Null: WhatsApp shows businesses no pictures of their customers.
    pub profile_picture_url: Option<String>,
    /// Its word on being written to.
    pub consent: Consent<'a>,
    /// Its tags, in the order in which they were put on.
    pub tags: &'a [String],
    /// What the shop keeps with it.
    #[schema(value_type = Object)]
    pub custom_fields: Map<String, Value>,
    /// How it is served.
    pub stats: Stats,
}

impl<'a> CustomerProfile<'a> {
    fn new(shop: &Shop, view: &'a CustomerProfileView) -> Self {
        let CustomerProfileView { customer, response_seconds } = view;
        Self {
            id: customer.id.to_string(),
            wa_id: customer.wa_id.as_str(),
            shop_id: shop.tenant.to_string(),
            name: &customer.name,
            profile_picture_url: None,
            consent: Consent::new(customer.consent.as_ref()),
            tags: &customer.tags,
            custom_fields: Map::new(),
            stats: Stats {
                conversation_count: customer.conversations,
                average_response_time: in_words(*response_seconds),
                last_purchase_date: None,
            },
        }
    }
}

/// Customers, and how many there are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceCustomers)]
struct Customers<'a> {
    /// A part of those that match.
    customers: Vec<Customer<'a>>,
    /// All that match.
    total_count: i64,
}

/// The customer that a path names.
pub(super) fn customer_in_path(path: &str) -> Result<WaId, ServiceError> {
    WaId::parse(path).map_err(|_| ServiceError::not_found())
}

/// The customers, those contacted last first; to agents, those whose chats they may read.
#[utoipa::path(get, path = "/api/v1/whatsapp/customers", operation_id = "service_list_customers", tag = "Customers",
    params(("shopId" = String, Query, description = "The shop."),
        ("search" = Option<String>, Query, description = "Part of the name or of the digits, in any case."),
        ("tags" = Option<String>, Query, description = "Names of tags, separated by commas, at most 100: customers with any of them."),
        ("skip" = Option<i64>, Query, description = "After so many; 0 by default."),
        ("take" = Option<i64>, Query, description = "At most so many, 1 to 100; 20 by default.")),
    responses((status = 200, description = "Customers.", body = Answer<Customers>, example = json!({"success": true,
        "data": {"customers": [{"id": "0c1b6a52-6a0e-5a55-8f2f-0f6f3b6d6a11", "waId": "84901234567", "name": "Lan Pham",
            "tags": ["vip"], "optInStatus": "opted_in", "conversationCount": 12,
            "lastContactedAt": "2026-01-18T10:20:00Z", "createdAt": "2025-11-02T08:00:00Z"}], "totalCount": 150},
        "error": null, "pagination": {"page": 1, "limit": 20, "total": 150, "totalPages": 8}}))))]
pub async fn list(caller: ServiceCaller, state: State, query: ServiceQuery) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop_of(&query, Limit::General).await?;
    let (part, search) = (query.page()?, query.text("search")?.map(str::to_owned));
    let filter = CustomerFilter { search, tags: query.names("tags")? };
    let page = state.inbox.customers(shop.tenant, &shop.actor, &filter, part).await?;
    let customers = page.rows.iter().map(Customer::new).collect();
    Ok(envelope::list(Customers { customers, total_count: page.count }, part, page.count))
}

/// A customer with all that is known of it.
#[utoipa::path(get, path = "/api/v1/whatsapp/customers/{waId}", operation_id = "service_get_customer",
    tag = "Customers", params(("waId" = String, Path, description = "The customer's WhatsApp id."),
        ("shopId" = String, Query, description = "The shop.")),
    responses((status = 200, description = "The customer.", body = Answer<CustomerProfile>, example = json!({"success": true,
        "data": {"id": "0c1b6a52-6a0e-5a55-8f2f-0f6f3b6d6a11", "waId": "84901234567",
            "shopId": "550e8400-e29b-41d4-a716-446655440000", "name": "Lan Pham", "profilePictureUrl": null,
            "consent": {"status": "opted_in", "timestamp": "2026-01-18T10:20:00Z", "source": "web"}, "tags": ["vip"],
            "customFields": {}, "stats": {"conversationCount": 12, "averageResponseTime": "5m",
            "lastPurchaseDate": null}}, "error": null, "pagination": null}))))]
pub async fn get(
    caller: ServiceCaller,
    state: State,
    path: web::Path<String>,
    query: ServiceQuery,
) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop_of(&query, Limit::General).await?;
    let wa_id = customer_in_path(&path)?;
    let found = state.inbox.customer(shop.tenant, &shop.actor, &wa_id).await?.ok_or_else(ServiceError::not_found)?;
    Ok(envelope::ok(CustomerProfile::new(&shop, &found)))
}
