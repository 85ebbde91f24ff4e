//! Whether the server lives, whether it can work, and its metrics.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web,
};
use async_trait::async_trait;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    extract::Anyone,
    family::{Family, json_body},
    routes::{Endpoint, to},
};

/// The endpoints.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/healthz", "get_health", || to(alive)),
    Endpoint::new("GET", "/readyz", "get_readiness", || to(ready)),
    Endpoint::new("GET", "/metrics", "get_metrics", || to(metrics)),
];

/// How the server fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Condition {
    /// Whether the database answers.
    pub database: bool,
    /// Whether the database has the shape that this version needs.
    pub migrated: bool,
    /// How many events the slowest read model is behind, of those that writes wait for; absent when it cannot be told.
    pub lag: Option<i64>,
    /// How many read models are far behind the others, for a release has added them; absent when it cannot be told.
    pub catching_up: Option<i64>,
    /// How many streams read models leave out because of an event that they cannot fold; absent when it cannot be told.
    pub parked: Option<i64>,
    /// How many read models were built by other code and wait for a rebuild; absent when it cannot be told.
    pub outdated: Option<i64>,
    /// Whether the server is about to stop.
    pub stopping: bool,
}

impl Condition {
    fn is_ready(&self, most_lag: i64) -> bool {
        self.database && self.migrated && !self.stopping && self.lag.is_some_and(|lag| lag <= most_lag)
    }
}

/// Looks how the server fares. Answers within a second or so, whatever state the database is in.
#[async_trait]
pub trait Probe: Send + Sync {
    /// The condition now.
    async fn look(&self) -> Condition;
    /// Whether the server is about to stop.
    fn is_stopping(&self) -> bool;
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "Operation", security(()),
    responses((status = 200, description = "It lives.", body = Object, example = json!({"status": "ok"}))))]
pub async fn alive(_: Anyone) -> HttpResponse {
    json_body(HttpResponse::Ok(), &json!({"status": "ok"}))
}

/// The server can work: database there and migrated, read models in step, not about to stop.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "Operation", security(()),
    responses((status = 200, description = "Ready.", body = Condition),
        (status = 503, description = "Not ready.", body = Condition)))]
pub async fn ready(_: Anyone, state: web::Data<AppState>) -> HttpResponse {
    let condition = state.probe.look().await;
    let is_ready = condition.is_ready(state.settings.ready_lag);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_body(HttpResponse::build(status), &condition)
}

/// The metrics, in Prometheus' text form.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "Operation", security(()),
    responses((status = 200, description = "Metrics.", body = String, content_type = "text/plain")))]
pub async fn metrics(_: Anyone, state: web::Data<AppState>) -> HttpResponse {
    match &state.metrics {
        Some(handle) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
            .body(handle.render()),
        None => Family::Integration.status_error(StatusCode::NOT_FOUND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_all_of_it() {
        let well = Condition {
            database: true,
            migrated: true,
            lag: Some(10),
            catching_up: Some(1),
            parked: Some(1),
            outdated: Some(1),
            stopping: false,
        };
        assert!(well.is_ready(10));
        let ills = [
            Condition { database: false, ..well },
            Condition { migrated: false, ..well },
            Condition { lag: Some(11), ..well },
            Condition { lag: None, ..well },
            Condition { stopping: true, ..well },
        ];
        assert!(ills.iter().all(|condition| !condition.is_ready(10)));
    }
}
