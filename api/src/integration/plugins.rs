//! `GET /api/v1/plugins/public/`: what plugins show to everybody.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use chatledger_application::ports::plugins::PluginFault;
use chatledger_domain::RawJson;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::State;
use crate::{
    error::ApiError,
    extract::{Caller, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("GET", "/api/v1/plugins/public/", "get_plugin_data", || to(get))];

/// Which plugin; every other parameter goes on to it as it is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PluginParams {
    /// The plugin's type, as the operator named it in the configuration.
    #[param(example = "shop")]
    pub r#type: String,
}

/// What a plugin answered.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"response": {"templates": []}}))]
pub struct PluginData {
    /// The plugin's answer.
    #[schema(value_type = Object)]
    pub response: RawJson,
}

/// Asks a plugin for its public data.
#[utoipa::path(get, path = "/api/v1/plugins/public/", operation_id = "get_plugin_data", tag = "Plugins",
    params(PluginParams),
    responses(
        (status = 200, description = "The plugin's answer.", body = PluginData),
        (status = 404, description = "No such plugin.", body = Object, example = json!({"detail": "Not found."})),
        (status = 502, description = "The plugin failed.", body = Object,
            example = json!({"reason": "The plugin did not answer as it should."}))))]
pub async fn get(_caller: Caller, state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let all = url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned();
    let (mut named, parameters): (Vec<_>, Vec<_>) = all.partition(|(name, _)| name == "type");
    let kind = named.pop().map(|(_, kind)| kind).filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| ApiError::field("type", text::REQUIRED))?;
    match state.application.ask_plugin(&kind, &parameters).await {
        Ok(response) => Ok(super::ok(&PluginData { response })),
        Err(PluginFault::Unknown) => Err(ApiError::NotFound),
        Err(PluginFault::Failed(why)) => {
            tracing::warn!(kind, why, "a plugin failed");
            Err(ApiError::Outside(StatusCode::BAD_GATEWAY, "The plugin did not answer as it should."))
        }
    }
}
