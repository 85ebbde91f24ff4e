//! `PUT /api/v1/whatsapp/customers/{waId}/tags`: puts tags on a customer and takes them off, by name (R-CUS-3).

use actix_web::{HttpResponse, web};
use chatledger_application::customers::{CustomerTags, TagProblem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Limit, ServiceCaller, State,
    body::{JsonBody, JsonFields},
    customers::customer_in_path,
    envelope::{self, Answer},
    error::ServiceError,
    query::ServiceQuery,
};
use crate::routes::{Endpoint, to};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("PUT", "/api/v1/whatsapp/customers/{waId}/tags", "service_put_customer_tags", || to(put))];

/// The longest name of a tag, in characters (errors-and-limits §8).
const MAX_LEN: usize = 1_000;
/// The most tags that one call puts on, or takes off.
const MAX_TAGS: usize = 100;

/// Tags to be put on and taken off; one list at least.
#[derive(ToSchema)]
#[schema(as = ServiceCustomerTags, example = json!({"addTags": ["vip", "electronics-buyer"], "removeTags": ["new"]}))]
pub struct TagsBody {
    /// Names of tags to be put on; those that do not exist are created.
    #[schema(rename = "addTags")]
    pub add_tags: Option<Vec<String>>,
    /// Names of tags to be taken off.
    #[schema(rename = "removeTags")]
    pub remove_tags: Option<Vec<String>>,
}

/// A customer's tags.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceTagged)]
struct Tagged<'a> {
    /// The customer's WhatsApp id.
    wa_id: &'a str,
    /// Its tags from now on, in the order in which they were put on.
    tags: Vec<String>,
}

/// Changes a customer's tags; for who may use tags. Tags it has already stay where they are.
#[utoipa::path(put, path = "/api/v1/whatsapp/customers/{waId}/tags", operation_id = "service_put_customer_tags",
    tag = "Customers", params(("waId" = String, Path, description = "The customer's WhatsApp id."),
        ("shopId" = String, Query, description = "The shop.")), request_body = TagsBody,
    responses((status = 200, description = "Its tags from now on.", body = Answer<Tagged>, example = json!({"success": true,
            "data": {"waId": "84901234567", "tags": ["vip", "electronics-buyer"]}, "error": null, "pagination": null})),
        (status = 422, description = "A name does not fit, or there is no chat with the customer yet: tags belong to \
            chats.", body = Object, example = json!({"success": false, "data": null,
            "error": "Tags belong to chats, and there is none with this customer yet", "pagination": null,
            "details": {"field": "waId", "code": "INVALID_VALUE"}}))))]
pub async fn put(
    caller: ServiceCaller,
    state: State,
    path: web::Path<String>,
    query: ServiceQuery,
    body: JsonBody,
) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop_of(&query, Limit::General).await?;
    let wa_id = customer_in_path(&path)?;
    let tags = tags(&body.read().await?)?;
    let application = &state.application;
    shop.act(&state, async |by| application.change_customer_tags(by, &wa_id, &tags).await).await?;
    let tags = state.inbox.customer_tags(shop.tenant, &wa_id).await?;
    Ok(envelope::ok(Tagged { wa_id: wa_id.as_str(), tags }))
}

fn tags(fields: &JsonFields) -> Result<CustomerTags, ServiceError> {
    let (add, remove) = (names(fields, "addTags")?, names(fields, "removeTags")?);
    if add.is_none() && remove.is_none() {
        return Err(ServiceError::required("addTags"));
    }
    let (add, remove) = (add.unwrap_or_default(), remove.unwrap_or_default());
    CustomerTags::of(&add, &remove).map_err(|problem| match problem {
        TagProblem::EmptyAdded => ServiceError::required("addTags"),
        TagProblem::EmptyRemoved => ServiceError::required("removeTags"),
        TagProblem::Both(_) => ServiceError::invalid_value("removeTags", "other tags than addTags"),
    })
}

fn names(fields: &JsonFields, field: &str) -> Result<Option<Vec<String>>, ServiceError> {
    let Some(list) = fields.optional_list(field)? else { return Ok(None) };
    if list.len() > MAX_TAGS {
        return Err(ServiceError::invalid_value(field, "at most 100 names"));
    }
    let name = |value: &Value| match value.as_str() {
        None => Err(ServiceError::invalid_type(field, "a list of texts")),
        Some(name) if name.chars().count() > MAX_LEN || name.contains('\0') => {
            Err(ServiceError::invalid_value(field, "names of at most 1000 characters, without null characters"))
        }
        Some(name) => Ok(name.to_owned()),
    };
    list.iter().map(name).collect::<Result<_, _>>().map(Some)
}
