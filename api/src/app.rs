//! Puts the HTTP side together; needs neither socket nor database.

use std::{sync::Arc, time::Duration};

use actix_web::web::{self, ServiceConfig};
use chatledger_application::{
    Application,
    ports::clock::{Clock, Random},
};
use chatledger_projections::Inbox;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    docs, family,
    health::Probe,
    media_link::MediaLinks,
    routes,
    service::jwt::{Jwt, JwtSettings},
    shell::Shell,
    throttle::Throttles,
    websocket::{self, Hub},
};

/// What an operator may set about the HTTP side.
#[derive(Clone)]
pub struct ApiSettings {
    /// Whether `X-Forwarded-Proto`, `-Host` and `-For` are believed; only behind a proxy that sets them.
    pub trust_forwarded: bool,
    /// What signs media links; the same on all servers. At least 32 random bytes.
    pub media_key: Vec<u8>,
    /// The deployment's own address, where it has one.
    pub public_url: Option<String>,
    /// Whether websockets are served without TLS.
    pub allow_plain_websockets: bool,
    /// Origins of pages that may open websockets although they are not the inbox's own.
    pub allowed_origins: Vec<String>,
    /// Requests of one user in a minute; 0 for no limit.
    pub requests_per_minute: u32,
    /// Requests of one shop in a minute through the Service API, analytics aside (R-SVC-6); 0 for no limit.
    pub service_requests_per_minute: u32,
    /// The same for its analytics.
    pub service_analytics_per_minute: u32,
    /// Which tokens the Service API takes.
    pub jwt: JwtSettings,
    /// Failed authentications from one address in a minute; 0 for no limit.
    pub failed_authentications_per_minute: u32,
    /// How long the body of a request may take to arrive.
    pub body_deadline: Duration,
    /// How many events a projection may lag behind before `/readyz` says no.
    pub ready_lag: i64,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            trust_forwarded: false,
            media_key: Vec::new(),
            public_url: None,
            allow_plain_websockets: false,
            allowed_origins: Vec::new(),
            requests_per_minute: 600,
            service_requests_per_minute: 60,
            service_analytics_per_minute: 10,
            jwt: JwtSettings::default(),
            failed_authentications_per_minute: 300,
            body_deadline: Duration::from_secs(30),
            ready_lag: 100_000,
        }
    }
}

/// What the binary gives to the HTTP side.
pub struct Parts {
    /// The use cases.
    pub application: Arc<Application>,
    /// The read models.
    pub inbox: Inbox,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// How the server itself fares.
    pub probe: Arc<dyn Probe>,
    /// The metrics, when they are kept.
    pub metrics: Option<PrometheusHandle>,
    /// The websockets.
    pub hub: Arc<Hub>,
    /// The operator's settings.
    pub settings: ApiSettings,
}

/// What every handler can reach. One for all workers.
pub struct AppState {
    /// The use cases.
    pub application: Arc<Application>,
    /// The read models.
    pub inbox: Inbox,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// How the server itself fares.
    pub probe: Arc<dyn Probe>,
    /// The metrics, when they are kept.
    pub metrics: Option<PrometheusHandle>,
    /// The websockets.
    pub hub: Arc<Hub>,
    /// The operator's settings.
    pub settings: ApiSettings,
    /// Signs and checks media links.
    pub media_links: MediaLinks,
    /// Counts requests and failed log-ins.
    pub throttles: Throttles,
    /// Checks and makes tokens of the Service API.
    pub jwt: Jwt,
}

impl AppState {
    /// Makes the state; call it once, before the workers start, so that they share the counters.
    #[must_use]
    pub fn new(parts: Parts) -> web::Data<Self> {
        let Parts { application, inbox, clock, random, probe, metrics, hub, settings } = parts;
        let media_links = MediaLinks::new(&settings.media_key);
        let throttles = Throttles::new(settings.requests_per_minute, settings.failed_authentications_per_minute);
        let jwt = Jwt::new(settings.jwt.clone());
        web::Data::new(Self {
            application,
            inbox,
            clock,
            random,
            probe,
            metrics,
            hub,
            settings,
            media_links,
            throttles,
            jwt,
        })
    }
}

/// Registers every endpoint. For `App::configure`.
pub fn configure(state: web::Data<AppState>) -> impl Fn(&mut ServiceConfig) + Clone {
    move |config| {
        config.app_data(state.clone()).service(
            web::scope("")
                .wrap(Shell)
                .configure(routes::register)
                .configure(docs::register)
                .configure(websocket::register)
                .default_service(web::to(family::not_found)),
        );
    }
}
