//! The body of a request: a JSON object, read field by field; the first thing that is wrong is told (R-SVC-5).

use std::{
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use serde_json::{Map, Value};

use super::error::ServiceError;
use crate::{app::AppState, extract::read_body};

/// The longest body (errors-and-limits §8), in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// A body that is not read yet.
pub struct JsonBody {
    payload: Payload,
    is_json: bool,
    length: Option<usize>,
    deadline: Duration,
}

impl FromRequest for JsonBody {
    type Error = ServiceError;
    type Future = Ready<Result<Self, ServiceError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let kind = text(header::CONTENT_TYPE).map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let is_json = kind.is_none_or(|kind| kind.is_empty() || kind.eq_ignore_ascii_case("application/json"));
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let deadline = request
            .app_data::<web::Data<AppState>>()
            .map_or(Duration::from_secs(30), |state| state.settings.body_deadline);
        ready(Ok(Self { payload: payload.take(), is_json, length, deadline }))
    }
}

impl JsonBody {
    /// Reads the body; one that is not there has no fields.
    ///
    /// # Errors
    /// 400 when it is no JSON object, 408, 413, 415.
    pub async fn read(self) -> Result<JsonFields, ServiceError> {
        let bytes = read_body(self.payload, self.length, MAX_BODY, self.deadline).await?;
        if bytes.is_empty() {
            return Ok(JsonFields::default());
        }
        if !self.is_json {
            return Err(ServiceError::unsupported_media_type());
        }
        match serde_json::from_slice(&bytes).map_err(ServiceError::invalid_json)? {
            Value::Object(fields) => Ok(JsonFields { path: String::new(), fields }),
            _ => Err(ServiceError::invalid_json("it is something else")),
        }
    }
}

/// The fields of an object. Those that nobody asks for are ignored (R-SVC-4); `null` counts as absent.
#[derive(Clone, Debug, Default)]
pub struct JsonFields {
    path: String,
    fields: Map<String, Value>,
}

impl JsonFields {
    /// The fields of an object found elsewhere.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn at(path: String, value: &Value) -> Result<Self, ServiceError> {
        match value {
            Value::Object(fields) => Ok(Self { path, fields: fields.clone() }),
            _ => Err(ServiceError::invalid_type(&path, "an object")),
        }
    }

    /// The full name of a field.
    #[must_use]
    pub fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Whether a field was given, be it as `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// A field as it is.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// A text that may be absent; trimmed, and absent when nothing is left.
    ///
    /// # Errors
    /// 400 for another type, 422 for one that is too long or cannot be stored.
    pub fn optional_text(&self, field: &str, at_most: usize) -> Result<Option<String>, ServiceError> {
        self.read(field, at_most, str::trim)
    }

    /// A text.
    ///
    /// # Errors
    /// 422 when it is missing or empty; else as [`Self::optional_text`].
    pub fn text(&self, field: &str, at_most: usize) -> Result<String, ServiceError> {
        self.optional_text(field, at_most)?.ok_or_else(|| ServiceError::required(&self.name(field)))
    }

    /// A text as it was written, for people to read; absent when it is but blanks.
    ///
    /// # Errors
    /// As [`Self::optional_text`].
    pub fn optional_words(&self, field: &str, at_most: usize) -> Result<Option<String>, ServiceError> {
        self.read(field, at_most, |text| text)
    }

    /// A text as it was written.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn words(&self, field: &str, at_most: usize) -> Result<String, ServiceError> {
        self.optional_words(field, at_most)?.ok_or_else(|| ServiceError::required(&self.name(field)))
    }

    fn read(&self, field: &str, at_most: usize, taken: impl Fn(&str) -> &str) -> Result<Option<String>, ServiceError> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let name = self.name(field);
        let text = value.as_str().ok_or_else(|| ServiceError::invalid_type(&name, "a text"))?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let text = taken(text);
        if text.chars().count() > at_most {
            return Err(ServiceError::invalid_value(&name, &format!("at most {at_most} characters")));
        }
        if text.contains('\0') {
            return Err(ServiceError::invalid_value(&name, "without null characters"));
        }
        Ok(Some(text.to_owned()))
    }

    /// A number that may be absent.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn optional_number(&self, field: &str) -> Result<Option<f64>, ServiceError> {
        let number =
            |value: &Value| value.as_f64().ok_or_else(|| ServiceError::invalid_type(&self.name(field), "a number"));
        self.value(field).map(number).transpose()
    }

    /// An object.
    ///
    /// # Errors
    /// 400 for another type, 422 when it is missing.
    pub fn object(&self, field: &str) -> Result<Self, ServiceError> {
        let path = self.name(field);
        match self.value(field) {
            Some(Value::Object(fields)) => Ok(Self { path, fields: fields.clone() }),
            Some(_) => Err(ServiceError::invalid_type(&path, "an object")),
            None => Err(ServiceError::required(&path)),
        }
    }

    /// A list that may be absent.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn optional_list(&self, field: &str) -> Result<Option<&Vec<Value>>, ServiceError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(ServiceError::invalid_type(&self.name(field), "a list")),
        }
    }

    /// The objects of a list that must have some.
    ///
    /// # Errors
    /// 400 for another type, 422 when there is none or there are too many.
    pub fn objects(&self, field: &str, at_most: usize) -> Result<Vec<Self>, ServiceError> {
        let name = self.name(field);
        let list = self.optional_list(field)?.filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| ServiceError::required(&name))?;
        if list.len() > at_most {
            return Err(ServiceError::invalid_value(&name, &format!("at most {at_most}")));
        }
        list.iter().enumerate().map(|(index, value)| Self::at(format!("{name}.{index}"), value)).collect()
    }

    /// The object itself.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.fields)
    }
}
