//! `/api/v1/settings/api_access/` and `/api/v1/settings/api_tokens/`: programs of the other APIs, for admins (R-TOK-*).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::{ApplicationError, api_tokens::NewApiToken};
use chatledger_domain::{ApiTokenId, api_token::ABILITIES};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    State,
    wire::{ApiAccess, ApiToken, NewToken},
};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Admin, Body, Caller, Fields, ListPage, Query, Valid, number_in_path, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/settings/api_access/", "get_api_access", || to(get_access)),
    Endpoint::new("PUT", "/api/v1/settings/api_access/", "put_api_access", || to(put_access)),
    Endpoint::new("GET", "/api/v1/settings/api_tokens/", "list_api_tokens", || to(list)),
    Endpoint::new("POST", "/api/v1/settings/api_tokens/", "create_api_token", || to(create)),
    Endpoint::new("DELETE", "/api/v1/settings/api_tokens/", "delete_api_token_by_query", || to(delete_by_query)),
    Endpoint::new("DELETE", "/api/v1/settings/api_tokens/{id}/", "delete_api_token", || to(delete)),
];

/// The longest name, in characters.
const MAX_NAME: usize = 255;

/// Whether tokens are to be accepted.
#[derive(ToSchema)]
#[schema(example = json!({"enabled": true}))]
pub struct NewApiAccess {
    /// Off: every call with a token is refused.
    pub enabled: bool,
}

/// A token to be.
#[derive(ToSchema)]
#[schema(example = json!({"name": "ERP", "abilities": ["contacts.read", "messages.send"]}))]
pub struct TokenFields {
    /// Its name; at most 255 characters.
    pub name: String,
    /// What it may do; everything unless told.
    pub abilities: Option<Vec<String>>,
    /// When it ends by itself, POSIX seconds; never unless told.
    pub expires_at: Option<i64>,
}

/// Whether tokens of programs are accepted.
#[utoipa::path(get, path = "/api/v1/settings/api_access/", operation_id = "get_api_access", tag = "Settings",
    responses((status = 200, description = "The switch.", body = ApiAccess)))]
pub async fn get_access(Admin(caller): Admin, state: State) -> Result<HttpResponse, ApiError> {
    let settings = state.application.tenant_settings(caller.tenant).await?;
    Ok(super::ok(&ApiAccess { enabled: settings.api_access }))
}

/// Switches tokens of programs on or off; off at first.
#[utoipa::path(put, path = "/api/v1/settings/api_access/", operation_id = "put_api_access", tag = "Settings",
    request_body = NewApiAccess, responses((status = 200, description = "The switch from now on.", body = ApiAccess)))]
pub async fn put_access(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.boolean("enabled"),);
    let (enabled,) = fields.finish(read)?;
    let settings = state.application.set_api_access(&caller.context(), enabled).await?;
    Ok(super::ok(&ApiAccess { enabled: settings.api_access }))
}

/// The tokens that are not revoked, by id, without the tokens themselves.
#[utoipa::path(get, path = "/api/v1/settings/api_tokens/", operation_id = "list_api_tokens", tag = "Settings",
    params(PageParams), responses((status = 200, description = "Tokens.", body = ListPage<ApiToken>)))]
pub async fn list(
    Admin(caller): Admin,
    state: State,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let page = state.inbox.api_tokens(caller.tenant, part.request()).await?;
    let tokens = page.rows.iter().map(ApiToken::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, tokens)))
}

/// Issues a token; it is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/settings/api_tokens/", operation_id = "create_api_token", tag = "Settings",
    request_body = TokenFields, responses((status = 201, description = "The token.", body = NewToken)))]
pub async fn create(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let (name, abilities) = (fields.text("name", MAX_NAME), abilities(&mut fields));
    let expires_at = end(&mut fields, state.clock.now().timestamp());
    let (name, abilities, expires_at) = fields.finish((name, abilities, expires_at))?;
    let new = NewApiToken { name, abilities, expires_at };
    let issued = state.application.issue_api_token(&caller.context(), new.clone()).await?;
    let last_four = &issued.token[issued.token.len() - 4..];
    let NewApiToken { name, abilities, expires_at } = &new;
    let (id, created_at, expires_at) = (issued.id.0, issued.issued_at, *expires_at);
    let shown = ApiToken { id, name, abilities, created_at, expires_at, last_four };
    Ok(super::created(&NewToken { shown, token: &issued.token }))
}

/// Revokes a token.
#[utoipa::path(delete, path = "/api/v1/settings/api_tokens/{id}/", operation_id = "delete_api_token",
    tag = "Settings", params(("id" = i64, Path, description = "The token's id.")),
    responses((status = 204, description = "Revoked.")))]
pub async fn delete(Admin(caller): Admin, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    revoke(&caller, &state, number_in_path(&path)?).await
}

/// Revokes the token that the query names.
#[utoipa::path(delete, path = "/api/v1/settings/api_tokens/", operation_id = "delete_api_token_by_query",
    tag = "Settings", params(("id" = i64, Query, description = "The token's id.")),
    responses((status = 204, description = "Revoked."),
        (status = 404, description = "No such token.", body = Object, example = json!({"detail": "Not found."}))))]
pub async fn delete_by_query(Admin(caller): Admin, state: State, mut query: Query) -> Result<HttpResponse, ApiError> {
    if query.get("id").is_none() {
        return Err(ApiError::field("id", text::REQUIRED));
    }
    let id = query.integer("id").ok_or_else(|| ApiError::field("id", text::INTEGER))?;
    revoke(&caller, &state, id).await
}

async fn revoke(caller: &Caller, state: &State, id: i64) -> Result<HttpResponse, ApiError> {
    match state.application.revoke_api_token(&caller.context(), ApiTokenId(id)).await {
        Ok(()) => Ok(super::no_content()),
        Err(ApplicationError::UnknownApiToken) => Err(ApiError::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// A list of known abilities, each once; all of them when none is given (R-PUB-3).
fn abilities(fields: &mut Fields) -> Valid<Vec<String>> {
    if !fields.has("abilities") {
        return Some(ABILITIES.map(str::to_owned).into());
    }
    let (_, given) = fields.json("abilities")?;
    let Value::Array(given) = given else {
        fields.refuse("abilities", text::not_a_list(&given));
        return None;
    };
    if given.is_empty() {
        fields.refuse("abilities", "This list may not be empty.");
        return None;
    }
    let mut abilities: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    for ability in &given {
        match ability.as_str() {
            Some(name) if !ABILITIES.contains(&name) => wrong.push(format!("\"{name}\" is not a valid choice.")),
            Some(name) if abilities.iter().any(|known| known == name) => {}
            Some(name) => abilities.push(name.to_owned()),
            None => wrong.push(text::STRING.to_owned()),
        }
    }
    let valid = wrong.is_empty();
    wrong.into_iter().take(5).for_each(|why| fields.refuse("abilities", why));
    valid.then_some(abilities)
}

fn end(fields: &mut Fields, now: i64) -> Valid<Option<i64>> {
    let end = fields.optional_integer("expires_at")?;
    if end.is_some_and(|end| end <= now) {
        fields.refuse("expires_at", "Ensure this value is in the future.");
        return None;
    }
    Some(end)
}
