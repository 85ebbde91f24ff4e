//! Plugins over HTTP: each type is an address in the configuration (section `plugins`), set by the operator alone.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    plugins::{PluginFault, Plugins},
};
use chatledger_domain::RawJson;
use reqwest::{Client, Url, redirect::Policy};

/// How long a plugin may take in all.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// The configured plugins.
#[derive(Clone, Debug)]
pub struct HttpPlugins {
    http: Client,
    addresses: BTreeMap<String, Url>,
}

impl HttpPlugins {
    /// Plugins at these addresses.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine, or an address is not a URL.
    pub fn new(addresses: &BTreeMap<String, String>) -> Result<Self, Unavailable> {
        // Fails only when a provider is set already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().redirect(Policy::none()).timeout(TIMEOUT).build();
        let http = http.map_err(|error| Unavailable::new("TLS", error))?;
        let parsed = addresses.iter().map(|(kind, url)| Ok((kind.clone(), Url::parse(url)?)));
        let addresses = parsed.collect::<Result<_, url::ParseError>>();
        Ok(Self { http, addresses: addresses.map_err(|error| Unavailable::new("a plugin", error))? })
    }
}

#[async_trait]
impl Plugins for HttpPlugins {
    async fn ask(&self, kind: &str, parameters: &[(String, String)]) -> Result<RawJson, PluginFault> {
        let mut url = self.addresses.get(kind).cloned().ok_or(PluginFault::Unknown)?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let failed = |error: reqwest::Error| PluginFault::Failed(error.without_url().to_string());
        let mut response = self.http.get(url).header("accept", "application/json").send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(PluginFault::Failed(format!("HTTP {}", response.status().as_u16())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(PluginFault::Failed("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(body).map_err(|_| PluginFault::Failed("not UTF-8".to_owned()))?;
        let answer = RawJson::parse(text.trim().to_owned()).map_err(|_| PluginFault::Failed("not JSON".to_owned()))?;
        if !answer.text().starts_with('{') {
            return Err(PluginFault::Failed("not an object".to_owned()));
        }
        Ok(answer)
    }
}
