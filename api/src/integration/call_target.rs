//! Reads the address and the headers of what a tenant wants called: webhooks and rule engines.

use actix_web::http::header::{HeaderName, HeaderValue};
use chatledger_application::{
    endpoints::{Headers, is_reserved},
    ports::addresses::AddressError,
};
use serde_json::Value;

use crate::{
    error::ApiError,
    extract::{FieldErrors, Fields, Valid, text},
};

/// The longest address, in characters.
pub(super) const MAX_URL: usize = 2_000;
/// Headers at most …
const MAX_HEADERS: usize = 20;
/// … each with a name of at most so many characters …
const MAX_NAME: usize = 100;
/// … and a value of at most so many.
const MAX_VALUE: usize = 4_000;

/// `headers`: absent `None`, `null` or empty none at all.
pub(super) fn headers(fields: &mut Fields) -> Valid<Option<Headers>> {
    let given = fields.optional_object("headers")?;
    if !fields.has("headers") {
        return Some(None);
    }
    let Some((_, Value::Object(given))) = given else { return Some(Some(Headers::new())) };
    let mut headers = Headers::new();
    let mut wrong = Vec::new();
    if given.len() > MAX_HEADERS {
        wrong.push(format!("Ensure this field has no more than {MAX_HEADERS} headers."));
    }
    for (name, value) in given {
        match checked(&name, &value) {
            Err(why) => wrong.push(why),
            Ok(_) if headers.keys().any(|known: &String| known.eq_ignore_ascii_case(&name)) => {
                wrong.push(format!("The header \"{name}\" is given twice."));
            }
            Ok(value) => drop(headers.insert(name, value)),
        }
    }
    let valid = wrong.is_empty();
    // Names are told, values never: they may be secrets.
    wrong.into_iter().for_each(|why| fields.refuse("headers", why));
    valid.then_some(Some(headers))
}

fn checked(name: &str, value: &Value) -> Result<String, String> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let is_name = name.len() <= MAX_NAME && HeaderName::from_bytes(name.as_bytes()).is_ok();
    if !is_name {
        return Err(format!("\"{shown}\" is not a valid header name."));
    }
    if is_reserved(name) {
        return Err(format!("The header \"{shown}\" cannot be set."));
    }
    let Value::String(value) = value else { return Err(text::STRING.to_owned()) };
    // Visible ASCII, blanks between: no line breaks, nothing that receivers read differently.
    let plain = value.bytes().all(|b| (b' '..=b'~').contains(&b)) && value.trim() == value;
    if value.len() > MAX_VALUE || !plain || HeaderValue::from_str(value).is_err() {
        return Err(format!("The value of the header \"{shown}\" is not valid."));
    }
    Ok(value.clone())
}

/// 400 for an address that may not be called: that it is none, and why.
pub(super) fn bad_address(error: AddressError) -> ApiError {
    let mut errors = FieldErrors::one("url", AddressError::Malformed.to_string());
    if error != AddressError::Malformed {
        errors.add("url", error.to_string());
    }
    ApiError::Fields(errors)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::extract::fields_of;

    fn read(given: Value) -> Result<Option<Headers>, String> {
        let mut fields = fields_of(&json!({ "headers": given }).to_string());
        let read = (headers(&mut fields),);
        match fields.finish(read) {
            Ok((headers,)) => Ok(headers),
            Err(ApiError::Fields(errors)) => Err(errors.body()["headers"].to_string()),
            Err(_) => panic!("another error"),
        }
    }

    #[test]
    fn headers_that_can_be_sent_are_taken_as_they_are() {
        let given = json!({"Authorization": "Bearer a b", "X-Key": "", "x_y!": "~"});
        assert_eq!(json!(read(given.clone()).unwrap().unwrap()), given);
        assert_eq!(read(Value::Null).unwrap(), Some(Headers::new()));
        let mut none = fields_of("{}");
        assert_eq!(headers(&mut none), Some(None));
    }

    #[test]
    fn what_would_break_a_call_or_smuggle_into_it_is_refused_without_telling_values() {
        let many: serde_json::Map<String, Value> = (0..=MAX_HEADERS).map(|n| (format!("x-{n}"), json!(""))).collect();
        for given in [
            json!({"Authorization": "canary\r\nHost: x"}),
            json!({"Authorization": "canary\n"}),
            json!({"Authorization": " canary"}),
            json!({"Authorization": "canaryé"}),
            json!({"Authorization": "canary\u{7f}"}),
            json!({"Authorization": format!("canary{}", "x".repeat(MAX_VALUE))}),
            json!({"Authorization": ["canary"]}),
            json!({"Authorization": 1}),
            json!({"": "canary"}),
            json!({"a b": "canary"}),
            json!({"a\r\nb": "canary"}),
            json!({"é": "canary"}),
            json!({"x".repeat(MAX_NAME + 1): "canary"}),
            json!({"Host": "canary"}),
            json!({"transfer-Encoding": "canary"}),
            json!({"Content-Length": "1"}),
            json!({"webhook-signature": "canary"}),
            json!({"x-a": "canary", "X-A": "canary"}),
            json!(many),
            json!(["canary"]),
            json!("canary"),
        ] {
            let told = read(given.clone()).expect_err(&given.to_string());
            assert!(!told.contains("canary"), "{told}");
        }
    }
}
