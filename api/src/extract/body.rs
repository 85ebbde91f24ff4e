//! The body of a request: JSON, a form or multipart, all the same to handlers (R-GEN-4).

use std::{
    collections::HashMap,
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header,
    web::{self, Bytes},
};
use serde_json::{Value, value::RawValue};

use super::{Fields, Given, multipart, raw_body::read_body, value::text::type_name};
use crate::{app::AppState, error::ApiError};

/// The longest body (errors-and-limits §8), in bytes.
const MAX_BODY: usize = 1024 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A body that is not read yet.
pub struct Body {
    payload: Payload,
    media_type: String,
    content_type: String,
    length: Option<usize>,
    deadline: Duration,
}

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self::take(request, payload)))
    }
}

/// The value of a header, empty where it is missing or no text.
fn header(request: &HttpRequest, name: header::HeaderName) -> &str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

impl Body {
    /// Takes the body of a request.
    pub(crate) fn take(request: &HttpRequest, payload: &mut Payload) -> Self {
        let content_type = header(request, header::CONTENT_TYPE).to_owned();
        let deadline = request
            .app_data::<web::Data<AppState>>()
            .map_or(Duration::from_secs(30), |state| state.settings.body_deadline);
        let length = header(request, header::CONTENT_LENGTH).parse().ok();
        Self { payload: payload.take(), media_type: media_type(&content_type), content_type, length, deadline }
    }

    /// Whether the body of a request is a form.
    pub(crate) fn is_form(request: &HttpRequest) -> bool {
        matches!(&*media_type(header(request, header::CONTENT_TYPE)), FORM | MULTIPART)
    }

    /// The body as it came, unread.
    pub(crate) fn into_payload(self) -> Payload {
        self.payload
    }

    /// Reads the body.
    ///
    /// # Errors
    /// 400 when it cannot be parsed, 408, 413, 415.
    pub async fn read(self) -> Result<Fields, ApiError> {
        self.read_and_keep().await.map(|(fields, _)| fields)
    }

    /// Reads the body, and keeps its bytes as they came.
    pub(crate) async fn read_and_keep(self) -> Result<(Fields, Bytes), ApiError> {
        let bytes = read_body(self.payload, self.length, MAX_BODY, self.deadline).await?;
        let fields = match self.media_type.as_str() {
            _ if bytes.is_empty() => Fields::default(),
            "application/json" => from_json(&bytes)?,
            FORM => from_form(&bytes),
            MULTIPART => multipart::read(&self.content_type, bytes.clone()).await?,
            _ => return Err(ApiError::UnsupportedMediaType(self.media_type)),
        };
        Ok((fields, bytes))
    }
}

/// Reads a JSON object.
pub(super) fn from_json(bytes: &[u8]) -> Result<Fields, ApiError> {
    let unparsable = |error: serde_json::Error| ApiError::Parse(error.to_string());
    // Whole, so that bombs of depth and lone surrogates are found; then again for each field's own text.
    let tree: Value = serde_json::from_slice(bytes).map_err(unparsable)?;
    let Value::Object(mut tree) = tree else {
        let message = format!("Invalid data. Expected a dictionary, but got {}.", type_name(&tree));
        return Err(ApiError::field("non_field_errors", message));
    };
    let raw: HashMap<String, Box<RawValue>> = serde_json::from_slice(bytes).map_err(unparsable)?;
    let field = |(name, raw): (String, Box<RawValue>)| {
        let value = tree.remove(&name).unwrap_or_default();
        (name, Given::Json(raw, value))
    };
    Ok(Fields::new(raw.into_iter().map(field).collect()))
}

fn from_form(bytes: &[u8]) -> Fields {
    let pairs = url::form_urlencoded::parse(bytes);
    Fields::new(pairs.map(|(name, text)| (name.into_owned(), Given::from_text(text.into_owned()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_gen_4_a_form_equals_json() {
        let bodies = [
            from_json(br#"{"tag": 5, "chat": "+351 912", "extra": {"a": 1}}"#).unwrap(),
            from_form(b"tag=5&chat=%2B351+912&extra=%7B%22a%22%3A+1%7D"),
        ];
        for mut fields in bodies {
            let read = (fields.pk("tag"), fields.wa_id("chat"), fields.optional_object("extra"));
            let (tag, chat, extra) = fields.finish(read).unwrap();
            let extra = extra.map(|(raw, _)| raw.text().to_owned());
            assert_eq!((tag, chat.as_str(), extra.as_deref()), (5, "351912", Some(r#"{"a": 1}"#)));
        }
    }

    #[test]
    fn a_bomb_of_depth_and_a_lone_surrogate_are_parse_errors() {
        let bomb = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        for body in [bomb.as_str(), r#"{"a":"\ud800"}"#, "{", "{\"a\":1}x"] {
            assert!(matches!(from_json(body.as_bytes()), Err(ApiError::Parse(_))));
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_told() {
        assert!(matches!(from_json(b"[]"), Err(ApiError::Fields(_))));
    }
}
