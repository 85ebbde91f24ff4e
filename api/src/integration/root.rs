//! `GET /api/v1/`: whether the API is there (R-GEN-11).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::State;
use crate::{
    auth::cookies,
    extract::Visitor,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[Endpoint::new("GET", "/api/v1/", "get_root", || to(root))];

/// Answers `{}` and sets the `csrftoken` cookie. A token that is sent along must be good.
#[utoipa::path(get, path = "/api/v1/", operation_id = "get_root", tag = "Access", security(()),
    responses((status = 200, description = "The API is there.", body = Object, example = json!({}))))]
pub async fn root(_: Visitor, state: State, request: HttpRequest) -> HttpResponse {
    let mut response = super::ok(&json!({}));
    cookies::set_csrf_token(&mut response, &request, &cookies::csrf_token_or_new(&state, &request));
    response
}
