//! `/api/v1/persons/`: the customers of the chats that the caller may read.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{State, wire::Person};
use crate::{
    docs::params::{PageParams, SearchParams},
    error::ApiError,
    extract::{Caller, ListPage, Query, wa_id_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/persons/", "list_persons", || to(list)),
    Endpoint::new("GET", "/api/v1/persons/{wa_id}/", "get_person", || to(get)),
];

/// The customers, by name.
#[utoipa::path(get, path = "/api/v1/persons/", operation_id = "list_persons", tag = "Chats",
    params(PageParams, SearchParams),
    responses((status = 200, description = "Customers.", body = ListPage<Person>)))]
pub async fn list(
    caller: Caller,
    state: State,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let search = query.search();
    let part = query.page()?;
    let page = state.inbox.persons(caller.tenant, &caller.actor, search.as_deref(), part.request()).await?;
    let persons = page.rows.iter().map(Person::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, persons)))
}

/// A customer.
#[utoipa::path(get, path = "/api/v1/persons/{wa_id}/", operation_id = "get_person", tag = "Chats",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id.")),
    responses((status = 200, description = "The customer.", body = Person)))]
pub async fn get(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let person = state.inbox.person(caller.tenant, &caller.actor, &wa_id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&Person::new(&person)))
}
