//! Address books outside, asked over HTTP. The protocol is two GET requests with JSON answers:
//!
//! - `GET {url}/contacts?tenant=acme&limit=100[&search=rui][&cursor=…]` →
//!   `{"contacts":[…],"count":37,"next":"…"}`; `count` and `next` may be `null` or absent: it cannot tell, it has no more.
//!   What came as `next` is sent as `cursor` for the page after.
//! - `GET {url}/contacts/{wa_id}?tenant=acme` → `{"contacts":[…]}`, or 404 where it knows nobody.
//!
//! A contact is `{"name":"Rui Costa","phone_numbers":[{"phone_number":"+351912000111","description":"mobile"}],
//! "email_addresses":[{"email_address":"rui@costa.example","description":"work"}]}`; all but the name may be absent.
//! User and password in the URL are sent as basic authentication.

use std::time::Duration;

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    contacts::{ContactEntry, ContactPage, ContactProvider, ContactQuery, ProviderOf, Reader},
};
use chatledger_domain::{
    TenantId, WaId,
    contact::{EmailAddress, PhoneNumber},
};
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use serde::Deserialize;

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// The longest place to go on at, in bytes: it travels in the links of our own answers.
const MAX_NEXT: usize = 1_024;

/// An address book behind a URL.
#[derive(Clone, Debug)]
pub struct HttpContacts {
    name: String,
    url: Url,
    http: Client,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    contacts: Vec<Contact>,
    count: Option<i64>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Contact {
    name: String,
    #[serde(default)]
    phone_numbers: Vec<Phone>,
    #[serde(default)]
    email_addresses: Vec<Email>,
}

#[derive(Deserialize)]
struct Phone {
    phone_number: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Email {
    email_address: String,
    #[serde(default)]
    description: String,
}

impl From<Contact> for ContactEntry {
    fn from(contact: Contact) -> Self {
        let phone = |Phone { phone_number, description }| PhoneNumber { phone_number, description };
        let email = |Email { email_address, description }| EmailAddress { email_address, description };
        Self {
            name: contact.name,
            phone_numbers: contact.phone_numbers.into_iter().map(phone).collect(),
            email_addresses: contact.email_addresses.into_iter().map(email).collect(),
        }
    }
}

impl HttpContacts {
    /// The address book of this name at this URL.
    ///
    /// # Errors
    /// When the URL is none, or TLS cannot be set up on this machine.
    pub fn new(name: String, url: &str) -> Result<Self, Unavailable> {
        // Fails only when a provider is set already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let what = "a contact provider";
        let url = Url::parse(url).map_err(|error| Unavailable::new(what, error))?;
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| Unavailable::new(what, error))?;
        Ok(Self { name, url, http })
    }

    async fn ask(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Unavailable> {
        let fault = |error: reqwest::Error| Unavailable::new("a contact provider", error.without_url());
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("contacts").extend(path);
        }
        let mut response = self.http.get(url).query(query).send().await.map_err(fault)?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(Answer { contacts: Vec::new(), count: Some(0), next: None });
        }
        response.error_for_status_ref().map_err(fault)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(Unavailable::new("a contact provider", "it answers too much"));
            }
            bytes.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&bytes).map_err(|error| Unavailable::new("a contact provider", error))
    }
}

#[async_trait]
impl ContactProvider for HttpContacts {
    fn of(&self, _: TenantId) -> ProviderOf {
        ProviderOf { kind: "http", name: self.name.clone(), id: self.name.clone() }
    }

    async fn search(&self, reader: Reader<'_>, query: ContactQuery<'_>) -> Result<ContactPage, Unavailable> {
        let limit = query.limit.to_string();
        let mut asked = vec![("tenant", reader.slug), ("limit", limit.as_str())];
        asked.extend(query.search.map(|search| ("search", search)));
        asked.extend(query.after.map(|after| ("cursor", after)));
        let Answer { contacts, count, next } = self.ask(&[], &asked).await?;
        let most = usize::try_from(query.limit).unwrap_or_default();
        Ok(ContactPage {
            contacts: contacts.into_iter().take(most).map(ContactEntry::from).collect(),
            next: next.filter(|next| !next.is_empty() && next.len() <= MAX_NEXT),
            count: count.filter(|count| *count >= 0),
        })
    }

    async fn by_wa_id(&self, reader: Reader<'_>, wa_id: &WaId) -> Result<Vec<ContactEntry>, Unavailable> {
        let answer = self.ask(&[wa_id.as_str()], &[("tenant", reader.slug)]).await?;
        Ok(answer.contacts.into_iter().map(ContactEntry::from).collect())
    }
}
