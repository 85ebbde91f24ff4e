//! The photo as each channel tells and takes it. Cloud wants it uploaded first, and then named by its handle.

use bytes::Bytes;
use chatledger_application::ports::whatsapp_account::{Account, AccountFault, Photo};
use chatledger_domain::whatsapp_account::Channel;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Call, fetch},
    profile::path,
};
use crate::whatsapp::client::WhatsAppClient;

const ONPREMISES: &[&str] = &["v1", "settings", "profile", "photo"];

pub(super) async fn of_cloud(client: &WhatsAppClient, account: &Account) -> Result<Option<Photo>, AccountFault> {
    let call = Call::new(client, account, Method::GET, &path(account)).query("fields", "profile_picture_url");
    let answer: Value = call.read().await?;
    let url = answer.pointer("/data/0/profile_picture_url").and_then(Value::as_str).filter(|url| !url.is_empty());
    match url {
        Some(url) => fetch(client, url).await.map(|(mime_type, bytes)| Some(photo(mime_type, bytes))),
        None => Ok(None),
    }
}

pub(super) async fn of_onpremises(client: &WhatsAppClient, account: &Account) -> Result<Option<Photo>, AccountFault> {
    match Call::new(client, account, Method::GET, ONPREMISES).fetch().await {
        Ok((_, bytes)) if bytes.is_empty() => Ok(None),
        Ok((mime_type, bytes)) => Ok(Some(photo(mime_type, bytes))),
        Err(AccountFault::NotFound) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn photo(mime_type: String, bytes: Vec<u8>) -> Photo {
    Photo { mime_type, bytes: Bytes::from(bytes) }
}

pub(super) async fn set_at_cloud(
    client: &WhatsAppClient,
    account: &Account,
    photo: &Photo,
) -> Result<(), AccountFault> {
    #[derive(Deserialize)]
    struct Session {
        id: String,
    }
    #[derive(Deserialize)]
    struct Uploaded {
        h: String,
    }
    let begin: &[&str] = if account.number.channel == Channel::Cloud { &["app", "uploads"] } else { &["uploads"] };
    let session: Session = Call::new(client, account, Method::POST, begin)
        .query("file_length", photo.bytes.len().to_string())
        .query("file_type", photo.mime_type.clone())
        .read()
        .await?;
    // The session's id is a path and, mostly, a query.
    let (id, query) = session.id.split_once('?').unwrap_or((&session.id, ""));
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut upload = Call::new(client, account, Method::POST, &[id]).header("file_offset", "0");
    for (name, value) in &query {
        upload = upload.query(name, value.clone());
    }
    let uploaded: Uploaded = upload.bytes(&photo.mime_type, photo.bytes.clone()).read().await?;
    use_handle(client, account, &uploaded.h).await
}

/// Shows the uploaded photo of this handle; of an empty one, none.
pub(super) async fn use_handle(client: &WhatsAppClient, account: &Account, handle: &str) -> Result<(), AccountFault> {
    let body = json!({ "messaging_product": "whatsapp", "profile_picture_handle": handle });
    Call::new(client, account, Method::POST, &path(account)).json(body).send().await.map(drop)
}

pub(super) async fn set_on_premises(
    client: &WhatsAppClient,
    account: &Account,
    photo: &Photo,
) -> Result<(), AccountFault> {
    let call = Call::new(client, account, Method::POST, ONPREMISES).bytes(&photo.mime_type, photo.bytes.clone());
    call.send().await.map(drop)
}

pub(super) async fn delete_on_premises(client: &WhatsAppClient, account: &Account) -> Result<(), AccountFault> {
    Call::new(client, account, Method::DELETE, ONPREMISES).send().await.map(drop)
}
