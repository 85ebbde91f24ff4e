//! Gives and takes files, in the three forms of the contract (webhooks §6.4).

use std::time::Duration;

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    media::{Download, NoDownload, NoUpload, OutgoingFile, WhatsAppMedia},
};
use chatledger_domain::whatsapp_account::{Channel, Number};
use futures_util::StreamExt;
use reqwest::{
    Body, RequestBuilder, Response, Url,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    multipart::{Form, Part},
};
use serde::Deserialize;

use super::{
    WhatsAppClient, answer, reason_of,
    request::{credential, url},
    whole,
};

/// How long a file may take in all.
const DEADLINE: Duration = Duration::from_secs(600);
/// Where Meta keeps files. The access token goes nowhere else, whatever address an answer names.
const FILE_HOSTS: &[&str] = &["fbsbx.com", "facebook.com", "whatsapp.net", "fbcdn.net"];

/// Where a file is.
#[derive(Deserialize)]
struct Place {
    url: String,
    #[serde(default)]
    mime_type: Option<String>,
}

#[async_trait]
impl WhatsAppMedia for WhatsAppClient {
    async fn download(&self, number: &Number, access_token: &str, waba_id: &str) -> Result<Download, NoDownload> {
        let (credential, value) = credential(number.channel, access_token).map_err(later)?;
        let get = |url: Url| self.http.get(url).header(&credential, &value);
        let base = self.base(number.channel);
        if number.channel == Channel::Onpremises {
            let response = asked(get(url(base, &["v1", "media", waba_id]).map_err(later)?).timeout(DEADLINE)).await?;
            let response = found(response).await?;
            return Ok(file(response, None));
        }
        let response = found(asked(get(url(base, &[waba_id]).map_err(later)?)).await?).await?;
        let body = whole(response).await.ok_or_else(|| later("the answer did not come whole"))?;
        let place: Place = serde_json::from_slice(&body).map_err(|_| later("the answer names no address"))?;
        let address = self.address(number.channel, &place.url).map_err(later)?;
        let response = asked(get(address).timeout(DEADLINE)).await?;
        if !response.status().is_success() {
            // The address lives for minutes only; whether the file is gone tells the id.
            return Err(NoDownload::Later { after: retry_after(&response), reason: told(&response) });
        }
        Ok(file(response, place.mime_type))
    }

    async fn upload(&self, number: &Number, access_token: &str, file: OutgoingFile) -> Result<String, NoUpload> {
        let refused = |reason: &str| NoUpload::Later { after: None, reason: reason.to_owned() };
        let (credential, value) = credential(number.channel, access_token).map_err(refused)?;
        let path: &[&str] = match number.channel {
            Channel::Cloud => &[&number.phone_number_id, "media"],
            Channel::D360 => &["media"],
            Channel::Onpremises => &["v1", "media"],
        };
        let address = url(self.base(number.channel), path).map_err(refused)?;
        let request = self.http.post(address).header(credential, value).timeout(DEADLINE);
        let OutgoingFile { mime_type, filename, size, chunks } = file;
        let chunks = Body::wrap_stream(chunks.map(|chunk| chunk.map_err(|fault| std::io::Error::other(fault.source))));
        let request = if number.channel == Channel::Onpremises {
            request.header(CONTENT_TYPE, mime_type).header(CONTENT_LENGTH, size).body(chunks)
        } else {
            let part = Part::stream_with_length(chunks, size).file_name(filename);
            let part = part.mime_str(&mime_type).map_err(|_| refused("the file has no type"))?;
            request
                .multipart(Form::new().text("messaging_product", "whatsapp").text("type", mime_type).part("file", part))
        };
        let response = request.send().await.map_err(|error| refused(&reason_of(&error)))?;
        let (status, after) = (response.status().as_u16(), retry_after(&response));
        answer::uploaded(status, after, whole(response).await.as_ref())
    }
}

impl WhatsAppClient {
    fn base(&self, channel: Channel) -> &str {
        match channel {
            Channel::Cloud => &self.endpoints.graph_url,
            Channel::D360 => &self.endpoints.d360_url,
            Channel::Onpremises => &self.endpoints.onpremises_url,
        }
    }

    /// The address to ask for a file, where it is one that the access token may be shown to.
    fn address(&self, channel: Channel, told: &str) -> Result<Url, &'static str> {
        let fault = "the address of the file is not a URL";
        let mut told = Url::parse(told).map_err(|_| fault)?;
        let base = Url::parse(self.base(channel)).map_err(|_| fault)?;
        if channel == Channel::D360 {
            // 360dialog passes the file on under its own name.
            told.set_scheme(base.scheme()).map_err(|()| fault)?;
            told.set_host(base.host_str()).map_err(|_| fault)?;
            told.set_port(base.port()).map_err(|()| fault)?;
        }
        let known = |host: &str| {
            FILE_HOSTS.iter().any(|known| host.strip_suffix(known).is_some_and(|h| h.is_empty() || h.ends_with('.')))
        };
        let is_metas = told.scheme() == "https" && told.port().is_none() && told.host_str().is_some_and(known);
        let bare = told.username().is_empty() && told.password().is_none();
        if bare && (told.origin() == base.origin() || is_metas) {
            Ok(told)
        } else {
            Err("the file is at a strange host")
        }
    }
}

fn later(reason: &str) -> NoDownload {
    NoDownload::Later { after: None, reason: reason.to_owned() }
}

async fn asked(request: RequestBuilder) -> Result<Response, NoDownload> {
    request.send().await.map_err(|error| later(&reason_of(&error)))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn told(response: &Response) -> String {
    format!("HTTP {}", response.status().as_u16())
}

/// An answer about a file that is there.
async fn found(response: Response) -> Result<Response, NoDownload> {
    let (status, after, reason) = (response.status(), retry_after(&response), told(&response));
    if status.is_success() {
        return Ok(response);
    }
    let body = whole(response).await;
    if answer::says_gone(status.as_u16(), body.as_ref()) {
        return Err(NoDownload::Gone("WhatsApp does not have the file any more.".to_owned()));
    }
    Err(NoDownload::Later { after, reason })
}

fn file(response: Response, mime_type: Option<String>) -> Download {
    let told = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let size = response.content_length();
    let chunks =
        response.bytes_stream().map(|chunk| chunk.map_err(|error| Unavailable::new("WhatsApp", reason_of(&error))));
    Download { mime_type: mime_type.or(told), size, chunks: chunks.boxed() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whatsapp::Endpoints;

    #[test]
    fn s4_the_access_token_is_shown_to_whatsapp_alone() {
        let client = WhatsAppClient::new(Endpoints::default()).unwrap();
        let cloud = |url| client.address(Channel::Cloud, url).map(|url| url.to_string());
        let lookaside = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=x";
        assert_eq!(cloud(lookaside).unwrap(), lookaside);
        assert!(cloud("https://graph.facebook.com/v23.0/x").is_ok());
        for strange in [
            "http://lookaside.fbsbx.com/x",
            "https://lookaside.fbsbx.com:8443/x",
            "https://lookaside.fbsbx.com.evil.example/x",
            "https://evilfbsbx.com/x",
            "https://user@lookaside.fbsbx.com/x",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:5432/",
            "http://[::1]/",
            "file:///etc/passwd",
            "nothing",
        ] {
            assert!(cloud(strange).is_err(), "{strange}");
        }
        let d360 = client.address(Channel::D360, lookaside).unwrap();
        assert_eq!(d360.as_str(), "https://waba-v2.360dialog.io/whatsapp_business/attachments/?mid=1&hash=x");
    }
}
