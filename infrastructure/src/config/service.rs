//! The settings of the Service API: its tokens and its limits.

use super::Reader;

/// Shorter secrets can be guessed, in bytes (RFC 7518 §3.2).
const MIN_SECRET: usize = 32;

/// `[service_api]`
#[derive(Clone, Default)]
pub struct ServiceApi {
    /// `service_api.jwt_secret`; `None`: one that is derived from the master key.
    pub jwt_secret: Option<String>,
    /// `service_api.jwks_file`
    pub jwks_file: Option<String>,
    /// `service_api.issuer`
    pub issuer: Option<String>,
    /// `service_api.audience`
    pub audience: Option<String>,
    /// `service_api.requests_per_minute`
    pub requests_per_minute: u32,
    /// `service_api.analytics_per_minute`
    pub analytics_per_minute: u32,
    /// `service_api.sandbox_requests_per_minute`
    pub sandbox_requests_per_minute: u32,
}

impl ServiceApi {
    pub(super) fn read(r: &mut Reader) -> Self {
        let jwt_secret = r.text("service_api.jwt_secret");
        let long = jwt_secret.as_ref().is_none_or(|secret| secret.len() >= MIN_SECRET);
        r.check(long, "service_api.jwt_secret", "must have at least 32 bytes");
        Self {
            jwt_secret,
            jwks_file: r.text("service_api.jwks_file"),
            issuer: r.text("service_api.issuer"),
            audience: r.text("service_api.audience"),
            requests_per_minute: r.get("service_api.requests_per_minute"),
            analytics_per_minute: r.get("service_api.analytics_per_minute"),
            sandbox_requests_per_minute: r.get("service_api.sandbox_requests_per_minute"),
        }
    }
}
