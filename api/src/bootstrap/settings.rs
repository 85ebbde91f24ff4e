//! The HTTP side's settings, from the operator's.

use std::{path::Path, sync::Arc};

use chatledger_infrastructure::config::Config;
use sha2::{Digest, Sha256};

use super::StartError;
use crate::{
    app::ApiSettings,
    service::jwt::{JwtSettings, parse_jwks},
};

pub(super) fn settings(config: &Config) -> ApiSettings {
    ApiSettings {
        trust_forwarded: config.trust_proxy,
        media_key: derived(config, b"media links\n"),
        public_url: config.public_url.clone(),
        allow_plain_websockets: config.allow_plain_websockets.unwrap_or(false),
        allowed_origins: config.allowed_origins.clone(),
        requests_per_minute: config.requests_per_minute,
        service_requests_per_minute: config.service_api.requests_per_minute,
        service_analytics_per_minute: config.service_api.analytics_per_minute,
        failed_authentications_per_minute: config.failed_authentications_per_minute,
        ..ApiSettings::default()
    }
}

/// Which tokens the Service API takes.
pub(super) fn jwt(config: &Config) -> Result<JwtSettings, StartError> {
    let service = &config.service_api;
    let secret = match &service.jwt_secret {
        Some(secret) => secret.clone().into_bytes(),
        None => derived(config, b"service tokens\n"),
    };
    let jwks = match &service.jwks_file {
        Some(file) => {
            let wrong = |why: String| StartError::Other(format!("service_api.jwks_file: {file}: {why}"));
            let text = std::fs::read_to_string(Path::new(file)).map_err(|error| wrong(error.to_string()))?;
            Some(Arc::new(parse_jwks(&text).map_err(wrong)?))
        }
        None => None,
    };
    Ok(JwtSettings { secret, jwks, issuer: service.issuer.clone(), audience: service.audience.clone() })
}

/// A key of its own for a purpose, so that what it signs stays good over restarts and on every server; never the master
/// key itself.
fn derived(config: &Config, purpose: &[u8]) -> Vec<u8> {
    let of = |master: &[u8; 32]| Sha256::new().chain_update(purpose).chain_update(master).finalize().to_vec();
    config.master_key.as_ref().map(of).unwrap_or_default()
}
