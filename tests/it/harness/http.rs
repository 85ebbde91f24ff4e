//! A client that says what came back: status, headers, body.

use hmac::{Hmac, Mac};
use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use sha2::Sha256;

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// The body as JSON, `Null` where it is none.
    pub body: Value,
}

impl Answer {
    /// Wants a status, and gives the body on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, body }
    }
}

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    pub base_url: String,
    pub raw: reqwest::Client,
}

impl Client {
    /// Of the server at this address.
    pub fn new(base_url: String) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let raw = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        Self { base_url, raw: raw.expect("a client") }
    }

    /// A call; paths without a leading slash are below `/api/v1/`.
    pub async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = self.raw.request(method, self.url(path));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Token {token}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::read(request.send().await.expect("the server answers")).await
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.base_url)
        } else {
            format!("{}/api/v1/{path}", self.base_url)
        }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.expect("the server answers")).await
    }

    /// A webhook call with a signature over its bytes.
    pub async fn signed(&self, secret: &str, body: Vec<u8>) -> Answer {
        let request = self.raw.post(self.url("whatsapp/webhooks")).header("X-Hub-Signature-256", sign(secret, &body));
        self.send(request.header("Content-Type", "application/json").body(body)).await
    }

    /// The same, without a panic when the server is gone.
    pub async fn try_signed(&self, secret: &str, body: Vec<u8>) -> Option<u16> {
        let request = self.raw.post(self.url("whatsapp/webhooks")).header("X-Hub-Signature-256", sign(secret, &body));
        let response = request.header("Content-Type", "application/json").body(body).send().await.ok()?;
        Some(response.status().as_u16())
    }
}

/// Meta's signature of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
