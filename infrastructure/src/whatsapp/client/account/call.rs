//! One call about the account, and what its answer means.

use bytes::Bytes;
use chatledger_application::ports::whatsapp_account::{Account, AccountFault};
use chatledger_domain::{RawJson, whatsapp_account::Channel};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::{WhatsAppClient, answer, reason_of, request};

/// The most of an answer that is read, in bytes: a page of templates.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// A call that is being put together.
pub(super) struct Call<'a> {
    client: &'a WhatsAppClient,
    account: &'a Account,
    method: Method,
    path: Vec<&'a str>,
    query: Vec<(&'a str, String)>,
    header: Option<(&'static str, String)>,
    content_type: String,
    body: Option<Bytes>,
}

impl<'a> Call<'a> {
    pub(super) fn new(client: &'a WhatsAppClient, account: &'a Account, method: Method, path: &[&'a str]) -> Self {
        Self {
            client,
            account,
            method,
            path: path.to_vec(),
            query: Vec::new(),
            header: None,
            content_type: String::new(),
            body: None,
        }
    }

    pub(super) fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn json(self, body: Value) -> Self {
        self.bytes("application/json", body.to_string().into())
    }

    /// A body of another type than JSON.
    pub(super) fn bytes(mut self, mime_type: &str, body: Bytes) -> Self {
        self.content_type = mime_type.to_owned();
        self.body = Some(body);
        self
    }

    /// A header beside the credential.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    /// Makes the call and reads its answer.
    pub(super) async fn read<T: DeserializeOwned>(self) -> Result<T, AccountFault> {
        let body = self.send().await?;
        serde_json::from_slice(&body).map_err(|error| AccountFault::Unreadable(error.to_string()))
    }

    /// Makes the call; the answer's body.
    pub(super) async fn send(self) -> Result<Vec<u8>, AccountFault> {
        self.fetch().await.map(|(_, body)| body)
    }

    /// Makes the call; the answer's type and body.
    pub(super) async fn fetch(self) -> Result<(String, Vec<u8>), AccountFault> {
        let endpoints = &self.client.endpoints;
        let channel = self.account.number.channel;
        let base = match channel {
            Channel::Cloud => &endpoints.graph_url,
            Channel::D360 => &endpoints.d360_url,
            Channel::Onpremises => &endpoints.onpremises_url,
        };
        let by_us =
            |why: &str| refused(vec![json!({ "code": 0, "title": "WhatsApp cannot be asked", "details": why })]);
        let url = request::url(base, &self.path).map_err(by_us)?;
        let (name, credential) = request::credential(channel, &self.account.access_token).map_err(by_us)?;
        let mut call = self.client.http.request(self.method, url).header(name, credential);
        if !self.query.is_empty() {
            call = call.query(&self.query);
        }
        if let Some((name, value)) = self.header {
            call = call.header(name, value);
        }
        if let Some(body) = self.body {
            call = call.header("content-type", self.content_type).body(body);
        }
        answer_to(call).await
    }
}

/// The type and body of an address that WhatsApp gave us; without the credential, which is for WhatsApp's API alone.
pub(super) async fn fetch(client: &WhatsAppClient, url: &str) -> Result<(String, Vec<u8>), AccountFault> {
    answer_to(client.http.get(url)).await
}

async fn answer_to(call: RequestBuilder) -> Result<(String, Vec<u8>), AccountFault> {
    match call.send().await {
        Ok(response) => answered(response).await,
        Err(error) => Err(not_answered(&error)),
    }
}

async fn answered(mut response: Response) -> Result<(String, Vec<u8>), AccountFault> {
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Ok(Some(_)) => return Err(AccountFault::Unreadable("too long".to_owned())),
            Err(error) => return Err(not_answered(&error)),
        }
    }
    if (200..300).contains(&status) {
        return Ok((kind, body));
    }
    let errors = answer::errors_in(&body);
    let codes: Vec<i64> = errors.iter().filter_map(|error| error["code"].as_i64()).collect();
    let reason = || format!("HTTP {status}, codes {codes:?}");
    match status {
        404 => Err(AccountFault::NotFound),
        300..400 => Err(AccountFault::Unreadable(reason())),
        408 | 429 | 500.. => Err(AccountFault::Away(reason())),
        _ if answer::is_not_now(&codes) => Err(AccountFault::Away(reason())),
        _ if codes.contains(&UNKNOWN_TEMPLATE) => Err(AccountFault::NotFound),
        _ if errors.is_empty() => {
            let details = format!("HTTP status {status}");
            Err(refused(vec![json!({ "code": status, "title": "WhatsApp refused", "details": details })]))
        }
        _ => Err(refused(errors)),
    }
}

/// "Template name does not exist in the translation."
const UNKNOWN_TEMPLATE: i64 = 132_001;

fn refused(errors: Vec<Value>) -> AccountFault {
    AccountFault::Refused(RawJson::from(&Value::Array(errors)))
}

fn not_answered(error: &reqwest::Error) -> AccountFault {
    if error.is_connect() || error.is_builder() {
        AccountFault::Away(reason_of(error))
    } else if error.is_timeout() {
        AccountFault::Late
    } else {
        AccountFault::Unreadable(reason_of(error))
    }
}
