//! Calls WhatsApp over HTTP, in the three forms of the contract (webhooks §6.4), and says what came of a call.
//!
//! The one question that matters is whether a message may be sent again: only when it was certainly not taken.

mod account;
mod answer;
mod contacts;
mod media;
mod receipt;
mod request;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    whatsapp::{Letter, Outcome, WhatsApp},
};
use chatledger_domain::whatsapp_account::Number;
use reqwest::{Client, Response, header::HeaderValue, redirect::Policy};

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Where WhatsApp is reached. Addresses without a slash at the end.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The Graph API, with its version: `https://graph.facebook.com/v23.0`.
    pub graph_url: String,
    /// 360dialog, Cloud-hosted: `https://waba-v2.360dialog.io`.
    pub d360_url: String,
    /// The on-premises API, or 360dialog's form of it: `https://waba.360dialog.io`.
    pub onpremises_url: String,
    /// How long a call may take in all.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            graph_url: "https://graph.facebook.com/v23.0".to_owned(),
            d360_url: "https://waba-v2.360dialog.io".to_owned(),
            onpremises_url: "https://waba.360dialog.io".to_owned(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(4),
        }
    }
}

/// The way to WhatsApp over HTTP.
#[derive(Clone, Debug)]
pub struct WhatsAppClient {
    http: Client,
    endpoints: Endpoints,
}

impl WhatsAppClient {
    /// A client for these addresses.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(endpoints: Endpoints) -> Result<Self, Unavailable> {
        // Fails only when a provider is set already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            // The access token goes to the configured address and nowhere else.
            .no_proxy()
            .redirect(Policy::none())
            .timeout(endpoints.timeout)
            .connect_timeout(endpoints.connect_timeout)
            // Shorter than the keep-alive of servers: a message written to a closing connection has an unknown outcome.
            .pool_idle_timeout(Duration::from_secs(20))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Unavailable::new("TLS", error))?;
        Ok(Self { http, endpoints })
    }
}

#[async_trait]
impl WhatsApp for WhatsAppClient {
    async fn send(&self, number: &Number, access_token: &str, letter: &Letter) -> Outcome {
        let request = match request::Request::of(&self.endpoints, number, access_token, letter) {
            Ok(request) => request,
            Err(fault) => return answer::rejected_by_us(fault),
        };
        let sent = self
            .http
            .post(request.url)
            .header(request.credential.0, request.credential.1)
            .header("content-type", HeaderValue::from_static("application/json"))
            .body(request.body)
            .send()
            .await;
        match sent {
            Ok(response) => read(response).await,
            Err(error) => not_answered(&error),
        }
    }
}

async fn read(response: Response) -> Outcome {
    let status = response.status().as_u16();
    let after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let body = whole(response).await;
    answer::outcome(status, after, body.as_ref())
}

/// The body of an answer, where all of it came and it is no longer than answers are.
async fn whole(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            Ok(None) => return Some(body),
            Ok(Some(_)) | Err(_) => return None,
        }
    }
}

/// Nothing was written before there was a connection; afterwards nobody knows.
fn not_answered(error: &reqwest::Error) -> Outcome {
    let reason = reason_of(error);
    if error.is_connect() || error.is_builder() {
        Outcome::Later { after: None, reason }
    } else {
        Outcome::Unknown { reason }
    }
}

/// The chain of causes without the address, which holds the number.
fn reason_of(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() { "timed out" } else { "connection failed" };
    let mut reason = kind.to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    reason
}
