//! What an answer of WhatsApp means for the message.

use std::time::Duration;

use chatledger_application::ports::{media::NoUpload, whatsapp::Outcome};
use chatledger_domain::RawJson;
use serde::Deserialize;
use serde_json::{Value, json};

/// Codes that say "not now": limits of throughput, of pairs, of spam, of the application; service away.
const NOT_NOW: &[i64] = &[1, 2, 4, 613, 80007, 130_429, 131_016, 131_048, 131_056, 131_057, 133_016, 1011, 1015, 1016];

/// Codes after which WhatsApp wants a longer pause than a second.
const PAUSES: &[(i64, u64)] = &[(131_056, 6), (131_048, 60), (80007, 30), (4, 30), (131_057, 30)];

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    messages: Option<Vec<Taken>>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    errors: Option<Vec<Value>>,
    /// 360dialog's own refusals.
    #[serde(default)]
    meta: Option<Value>,
}

#[derive(Deserialize)]
struct Taken {
    #[serde(default)]
    id: Option<String>,
}

/// What an answer means; `None` for a body that did not come whole.
pub(super) fn outcome(status: u16, after: Option<Duration>, body: Option<&Vec<u8>>) -> Outcome {
    let text = body.and_then(|body| std::str::from_utf8(body).ok());
    let answer: Option<Answer> = text.and_then(|text| serde_json::from_str(text).ok());
    if (200..300).contains(&status) {
        return accepted(text, answer).unwrap_or_else(|| unknown(status, "no message id"));
    }
    let errors = answer.map(errors_of).unwrap_or_default();
    let codes: Vec<i64> = errors.iter().filter_map(|error| error.get("code")?.as_i64()).collect();
    let not_now = is_not_now(&codes);
    let reason = || format!("HTTP {status}, codes {codes:?}");
    match status {
        429 => Outcome::Later { after: after.or_else(|| pause(&codes)), reason: reason() },
        // An error written by WhatsApp itself says that the message was not taken; a gateway's page says nothing.
        500.. if !errors.is_empty() => Outcome::Later { after: after.or_else(|| pause(&codes)), reason: reason() },
        503 if after.is_some() => Outcome::Later { after, reason: reason() },
        408 | 500.. if errors.is_empty() => unknown(status, "no error of WhatsApp"),
        _ if not_now => Outcome::Later { after: after.or_else(|| pause(&codes)), reason: reason() },
        _ if errors.is_empty() => rejected(vec![json!({
            "code": status,
            "title": "WhatsApp refused the message",
            "details": format!("HTTP status {status}"),
        })]),
        _ => rejected(errors),
    }
}

/// Whether these codes say "not now".
pub(super) fn is_not_now(codes: &[i64]) -> bool {
    codes.iter().any(|code| NOT_NOW.contains(code))
}

/// The errors that an answer holds, in one form.
pub(super) fn errors_in(body: &[u8]) -> Vec<Value> {
    serde_json::from_slice(body).map(errors_of).unwrap_or_default()
}

/// What an answer means for a file that was given; WhatsApp's id of it. Giving it again does no harm.
pub(super) fn uploaded(status: u16, after: Option<Duration>, body: Option<&Vec<u8>>) -> Result<String, NoUpload> {
    let answer: Option<Value> = body.and_then(|body| serde_json::from_slice(body).ok());
    let id = answer.as_ref().and_then(|answer| {
        let id = answer.get("id").or_else(|| answer.pointer("/media/0/id"))?;
        id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
    });
    if let (true, Some(id)) = ((200..300).contains(&status), id) {
        return Ok(id);
    }
    match outcome(status, after, body) {
        Outcome::Rejected { errors } => Err(NoUpload::Refused(errors)),
        Outcome::Later { after, reason } => Err(NoUpload::Later { after, reason }),
        Outcome::Unknown { reason } => Err(NoUpload::Later { after, reason }),
        Outcome::Accepted { .. } => Err(NoUpload::Later { after, reason: "no id of the file".to_owned() }),
    }
}

/// Whether WhatsApp says that it does not have what was asked for.
pub(super) fn says_gone(status: u16, body: Option<&Vec<u8>>) -> bool {
    let answer: Option<Answer> = body.and_then(|body| serde_json::from_slice(body).ok());
    let codes: Vec<i64> =
        answer.map(errors_of).unwrap_or_default().iter().filter_map(|error| error.get("code")?.as_i64()).collect();
    // 100: no such object; 1006: the same, on-premises.
    matches!(status, 404 | 410) || (status == 400 && codes.iter().any(|code| matches!(code, 100 | 1006)))
}

/// A refusal of our own: no call can be made.
pub(super) fn rejected_by_us(fault: &str) -> Outcome {
    rejected(vec![json!({ "code": 0, "title": "The message cannot be sent", "details": fault })])
}

fn accepted(text: Option<&str>, answer: Option<Answer>) -> Option<Outcome> {
    let waba_id = answer?.messages?.into_iter().next()?.id.filter(|id| !id.is_empty())?;
    Some(Outcome::Accepted { waba_id, response: RawJson::parse(text?.trim().to_owned()).ok()? })
}

fn unknown(status: u16, what: &str) -> Outcome {
    Outcome::Unknown { reason: format!("HTTP {status}, {what}") }
}

fn rejected(errors: Vec<Value>) -> Outcome {
    Outcome::Rejected { errors: RawJson::from(&Value::Array(errors)) }
}

fn pause(codes: &[i64]) -> Option<Duration> {
    let seconds = codes.iter().filter_map(|code| PAUSES.iter().find(|(known, _)| known == code)).map(|(_, s)| *s).max();
    seconds.map(Duration::from_secs)
}

/// The errors in one form: `code`, `title`, `details`, `href`.
fn errors_of(answer: Answer) -> Vec<Value> {
    let of_list = answer.errors.into_iter().flatten();
    let mut errors: Vec<Value> =
        answer.error.into_iter().chain(of_list).filter(Value::is_object).map(one_form).collect();
    if errors.is_empty()
        && let Some(message) = answer.meta.as_ref().and_then(|meta| meta.get("developer_message")?.as_str())
    {
        let code = answer.meta.as_ref().and_then(|meta| meta.get("http_code")?.as_i64()).unwrap_or_default();
        errors.push(json!({ "code": code, "title": message, "details": message }));
    }
    errors
}

fn one_form(error: Value) -> Value {
    let text = |pointer: &str| error.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let code = error.get("code").and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok()));
    let code = code.unwrap_or_default();
    let message = text("/message").map(|message| without_code(&message, code));
    let title = text("/title").or_else(|| message.clone()).unwrap_or_else(|| "Unknown error".to_owned());
    let details = ["/error_data/details", "/details", "/error_user_msg"].into_iter().find_map(text);
    let mut form = json!({ "code": code, "title": title, "details": details.or(message).unwrap_or(title.clone()) });
    if let Some(href) = text("/href") {
        form["href"] = href.into();
    }
    form
}

/// Graph writes the code into the message: `(#131047) Re-engagement message`.
fn without_code(message: &str, code: i64) -> String {
    message.strip_prefix(&format!("(#{code})")).map_or(message, str::trim_start).to_owned()
}
