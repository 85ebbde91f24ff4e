//! Asks WhatsApp's provider whether a key is valid for a number (R-AUTH-5).

use std::time::Duration;

use async_trait::async_trait;
use chatledger_application::ports::{Unavailable, provider::Provider};
use chatledger_domain::whatsapp_account::Number;
use moka::sync::Cache;
use reqwest::{
    Client, StatusCode,
    header::{HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use sha2::{Digest, Sha256};

/// What stands in the address for WhatsApp's id of the number.
pub const NUMBER: &str = "{phone_number_id}";

/// How long a provider may take (R-AUTH-7).
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a yes and a no are remembered.
const YES: Duration = Duration::from_secs(300);
const NO: Duration = Duration::from_secs(30);
/// How many keys are remembered.
const REMEMBERED: u64 = 10_000;

/// A key for a number, as it is remembered: nothing that opens anything.
type Asked = [u8; 32];

/// A provider that is asked over HTTP: 200 is yes.
#[derive(Clone, Debug)]
pub struct HttpProvider {
    http: Client,
    url: String,
    yes: Cache<Asked, ()>,
    no: Cache<Asked, ()>,
}

impl HttpProvider {
    /// One at this address, in which [`NUMBER`] stands for the number.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(url: String) -> Result<Self, Unavailable> {
        // Fails only when a provider is set already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(TIMEOUT).connect_timeout(TIMEOUT);
        let http = client.build().map_err(|error| Unavailable::new("TLS", error))?;
        let cache = |life| Cache::builder().max_capacity(REMEMBERED).time_to_live(life).build();
        Ok(Self { http, url, yes: cache(YES), no: cache(NO) })
    }

    /// The provider's word; `None` when it has none to say about the key.
    async fn ask(&self, key: &str, number: &Number) -> Option<bool> {
        let mut key = HeaderValue::from_str(key).ok()?;
        key.set_sensitive(true);
        let url = self.url.replace(NUMBER, &number.phone_number_id);
        let answer = self.http.get(url).header("D360-Api-Key", key).send().await;
        match answer.map_err(reqwest::Error::without_url) {
            Ok(answer) if answer.status() == StatusCode::OK => Some(true),
            Ok(answer) if answer.status().is_client_error() && !answer.headers().contains_key(RETRY_AFTER) => {
                Some(false)
            }
            Ok(answer) => {
                tracing::warn!(status = %answer.status(), "the provider does not say whether a key is valid");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the provider cannot be asked whether a key is valid");
                None
            }
        }
    }
}

#[async_trait]
impl Provider for HttpProvider {
    async fn takes(&self, key: &str, number: &Number) -> bool {
        let about = number.phone_number_id.as_bytes();
        let asked: Asked = Sha256::new().chain_update(about).chain_update(b"\n").chain_update(key).finalize().into();
        if self.yes.contains_key(&asked) {
            return true;
        }
        if self.no.contains_key(&asked) {
            return false;
        }
        let answer = self.ask(key, number).await;
        match answer {
            Some(true) => self.yes.insert(asked, ()),
            Some(false) => self.no.insert(asked, ()),
            // It may be there again the next moment.
            None => {}
        }
        answer == Some(true)
    }
}
