//! What a call to WhatsApp looks like, by channel. Bodies are put together from text, so values keep their form.

use chatledger_application::ports::whatsapp::{Letter, callback_data};
use chatledger_domain::whatsapp_account::{Channel, Number};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use serde_json::value::RawValue;

use super::Endpoints;
use crate::whatsapp::payload::entries;

/// Keys of a letter that are ours to set.
const OURS: &[&str] =
    &["messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"];

/// A call ready to be made.
pub(super) struct Request {
    /// Where to.
    pub(super) url: Url,
    /// The header with the credential.
    pub(super) credential: (HeaderName, HeaderValue),
    /// The body, JSON.
    pub(super) body: String,
}

impl Request {
    /// The call for a letter.
    ///
    /// # Errors
    /// Why no such call can be made, for the sender of the message.
    pub(super) fn of(
        endpoints: &Endpoints,
        number: &Number,
        access_token: &str,
        letter: &Letter,
    ) -> Result<Self, &'static str> {
        Ok(Self {
            url: messages_url(endpoints, number)?,
            credential: credential(number.channel, access_token)?,
            body: body(number.channel, letter)?,
        })
    }
}

/// Where messages go.
pub(super) fn messages_url(endpoints: &Endpoints, number: &Number) -> Result<Url, &'static str> {
    match number.channel {
        Channel::Cloud => url(&endpoints.graph_url, &[&number.phone_number_id, "messages"]),
        Channel::D360 => url(&endpoints.d360_url, &["messages"]),
        Channel::Onpremises => url(&endpoints.onpremises_url, &["v1", "messages"]),
    }
}

/// The header with which a channel is asked.
pub(super) fn credential(channel: Channel, access_token: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let (name, credential) = match channel {
        Channel::Cloud => (HeaderName::from_static("authorization"), format!("Bearer {access_token}")),
        Channel::D360 | Channel::Onpremises => (HeaderName::from_static("d360-api-key"), access_token.to_owned()),
    };
    let mut credential =
        HeaderValue::from_str(&credential).map_err(|_| "The access token cannot be sent in a header")?;
    credential.set_sensitive(true);
    Ok((name, credential))
}

/// An address below a base.
pub(super) fn url(base: &str, path: &[&str]) -> Result<Url, &'static str> {
    let fault = "The address of WhatsApp is not a URL";
    let mut url = Url::parse(base).map_err(|_| fault)?;
    url.path_segments_mut().map_err(|()| fault)?.pop_if_empty().extend(path);
    Ok(url)
}

fn body(channel: Channel, letter: &Letter) -> Result<String, &'static str> {
    let fields = entries(letter.message.text()).ok_or("The message is not an object")?;
    let kind = fields.iter().find(|(name, _)| name == "type").map(|(_, kind)| kind.get());
    let cloud = channel != Channel::Onpremises;
    // The Cloud API knows voice messages as audio.
    let voice = cloud && kind == Some("\"voice\"");
    let mut body = Body::new();
    if cloud {
        body.text("messaging_product", "whatsapp");
    }
    let recipient_type = fields.iter().find(|(name, _)| name == "recipient_type").map(|(_, value)| value.get());
    body.raw("recipient_type", recipient_type.unwrap_or("\"individual\""));
    let recipient = if cloud && letter.wa_id.is_business_scoped() { "recipient" } else { "to" };
    body.text(recipient, letter.wa_id.as_str());
    if let Some(kind) = kind {
        body.raw("type", if voice { "\"audio\"" } else { kind });
    }
    for (name, value) in &fields {
        match name.as_str() {
            name if OURS.contains(&name) => {}
            name if cloud => {
                let name = if voice && name == "voice" { "audio" } else { name };
                body.raw(name, &without(value, unknown_to_cloud(name)));
            }
            name => body.raw(name, value.get()),
        }
    }
    if let Some(context) = &letter.context {
        body.raw("context", &serde_json::json!({ "message_id": context }).to_string());
    }
    if cloud {
        body.text("biz_opaque_callback_data", &callback_data(letter.message_id, &letter.wa_id));
    }
    Ok(body.finish())
}

/// What the on-premises API knows and the Cloud API refuses.
fn unknown_to_cloud(name: &str) -> &'static str {
    match name {
        "template" => "namespace",
        "image" | "video" | "audio" | "document" | "sticker" => "mime_type",
        _ => "",
    }
}

fn without(value: &RawValue, unknown: &str) -> String {
    let fields = (!unknown.is_empty()).then(|| entries(value.get())).flatten();
    match fields {
        Some(fields) if fields.iter().any(|(name, _)| name == unknown) => {
            let mut body = Body::new();
            fields.iter().filter(|(name, _)| name != unknown).for_each(|(name, value)| body.raw(name, value.get()));
            body.finish()
        }
        _ => value.get().to_owned(),
    }
}

/// An object under construction.
struct Body(String);

impl Body {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn raw(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&serde_json::Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(value);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.raw(name, &serde_json::Value::from(value).to_string());
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
