//! Refusals as WhatsApp writes them.

use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode};
use serde_json::{Value, json};

/// The HTTP status and the words of the codes that matter.
fn known(code: i64) -> (u16, &'static str) {
    match code {
        4 => (400, "Application request limit reached"),
        100 => (400, "Invalid parameter"),
        190 => (401, "Invalid OAuth access token"),
        470 | 131_047 => (400, "Re-engagement message"),
        80007 => (400, "Rate limit issues"),
        130_429 => (429, "Rate limit hit"),
        131_000 => (500, "Something went wrong"),
        131_016 => (503, "Service unavailable"),
        131_026 => (400, "Message undeliverable"),
        131_048 => (429, "Spam rate limit hit"),
        131_049 => (400, "This message was not delivered to maintain healthy ecosystem engagement"),
        131_051 => (400, "Unsupported message type"),
        131_053 => (400, "Media upload error"),
        131_056 => (400, "(Business Account, Consumer Account) pair rate limit hit"),
        131_057 => (500, "Account in maintenance mode"),
        132_001 => (404, "Template name does not exist in the translation"),
        _ => (400, "Error"),
    }
}

/// One object of an `errors` list in a status.
pub(super) fn of_status(code: i64) -> Value {
    let (_, title) = known(code);
    json!({
        "code": code, "title": title, "message": title, "error_data": { "details": details(code) },
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    })
}

/// A refusal as the answer, in the Graph API's form or the on-premises one.
pub(super) fn answer(code: i64, why: &str, flat: bool) -> HttpResponse {
    let (status, _) = known(code);
    builder(status).json(body(code, why, flat))
}

/// An answer with this HTTP status and a general error, or none at all.
pub(super) fn of_http(status: u16, bare: bool, flat: bool, retry_after: Option<u64>) -> HttpResponse {
    let mut answer = builder(status);
    if let Some(seconds) = retry_after {
        answer.insert_header(("retry-after", seconds.to_string()));
    }
    if bare {
        return answer.content_type("text/html").body("<html><body>Bad gateway</body></html>");
    }
    answer.json(body(if status == 429 { 130_429 } else { 2 }, "Service temporarily unavailable", flat))
}

fn body(code: i64, why: &str, flat: bool) -> Value {
    let (_, title) = known(code);
    let why = if why.is_empty() { details(code) } else { why };
    if flat {
        json!({ "meta": { "api_status": "stable", "version": "2.53" },
                "errors": [{ "code": code, "title": title, "details": why }] })
    } else {
        json!({ "error": {
            "message": format!("(#{code}) {title}"), "type": "OAuthException", "code": code,
            "error_data": { "messaging_product": "whatsapp", "details": why }, "fbtrace_id": "AsimulatedTrace",
        } })
    }
}

fn details(code: i64) -> &'static str {
    match code {
        470 | 131_047 => {
            "Message failed to send because more than 24 hours have passed since the customer last replied."
        }
        _ => known(code).1,
    }
}

fn builder(status: u16) -> HttpResponseBuilder {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}
