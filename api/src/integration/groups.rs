//! `/api/v1/groups/`: the groups of users.

use actix_web::{HttpRequest, HttpResponse};

use super::{State, wire::Group};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Caller, ListPage, Query},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[Endpoint::new("GET", "/api/v1/groups/", "list_groups", || to(list))];

/// The groups, by id.
#[utoipa::path(get, path = "/api/v1/groups/", operation_id = "list_groups", tag = "Users", params(PageParams),
    responses((status = 200, description = "Groups.", body = ListPage<Group>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let page = state.inbox.groups(caller.tenant, part.request()).await?;
    let groups = page.rows.iter().map(Group::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, groups)))
}
