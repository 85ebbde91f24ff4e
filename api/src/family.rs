//! Which API family a path belongs to, and the form of its errors where no handler speaks (R-ERR-1).

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{Method, StatusCode, header},
};
use serde::Serialize;
use serde_json::json;

/// An API family, as far as errors differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The Integration API, and every path that is nobody's.
    Integration,
    /// The Service API, and the doors for WhatsApp.
    Service,
}

/// The Service API's form, keys in the contract's order.
#[derive(Serialize)]
struct Envelope<'a> {
    success: bool,
    data: (),
    error: &'a str,
    pagination: (),
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    code: &'a str,
}

impl Family {
    /// The family of a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let within = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if within("/api/v1/whatsapp") || within("/hooks") { Self::Service } else { Self::Integration }
    }

    /// An error in this family's form. `text` is for people, `code` for programs.
    #[must_use]
    pub fn error(self, status: StatusCode, text: &str, code: &str) -> HttpResponse {
        let builder = HttpResponse::build(status);
        match self {
            Self::Integration if status == StatusCode::BAD_REQUEST => {
                json_body(builder, &json!({"detail": text, "reason": text}))
            }
            Self::Integration => json_body(builder, &json!({"detail": text})),
            Self::Service => {
                let (data, pagination) = ((), ());
                json_body(
                    builder,
                    &Envelope { success: false, data, error: text, pagination, details: Details { code } },
                )
            }
        }
    }

    /// The error that stands for a status, with nothing of its cause.
    #[must_use]
    pub fn status_error(self, status: StatusCode) -> HttpResponse {
        let (text, code) = match status.as_u16() {
            400 => ("Malformed request.", "BAD_REQUEST"),
            403 => ("You do not have permission to perform this action.", "FORBIDDEN"),
            404 => ("Not found.", "NOT_FOUND"),
            405 => ("Method not allowed.", "METHOD_NOT_ALLOWED"),
            408 => ("The request did not arrive in time.", "REQUEST_TIMEOUT"),
            413 => ("The request is too large.", "PAYLOAD_TOO_LARGE"),
            415 => ("Unsupported media type in request.", "UNSUPPORTED_MEDIA_TYPE"),
            429 => ("Request was throttled.", "RATE_LIMIT_EXCEEDED"),
            503 => ("The service is temporarily unavailable.", "UNAVAILABLE"),
            _ if status.is_client_error() => ("The request was refused.", "REFUSED"),
            _ => ("A server error occurred.", "INTERNAL_ERROR"),
        };
        self.error(status, text, code)
    }

    /// 405 with the methods that are allowed.
    #[must_use]
    pub fn method_not_allowed(self, method: &Method, allow: &str) -> HttpResponse {
        let text = format!("Method \"{method}\" not allowed.");
        let mut response = self.error(StatusCode::METHOD_NOT_ALLOWED, &text, "METHOD_NOT_ALLOWED");
        if let Ok(allow) = header::HeaderValue::from_str(allow) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// A JSON answer with its charset (R-GEN-5).
pub(crate) fn json_body(mut builder: HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    match serde_json::to_string(body) {
        Ok(text) => builder.insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8")).body(text),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Answers every path that is nobody's.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    Family::of(request.path()).status_error(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_err_1_a_path_has_one_family() {
        assert_eq!(Family::of("/api/v1/whatsapp"), Family::Service);
        assert_eq!(Family::of("/api/v1/whatsapp/x"), Family::Service);
        assert_eq!(Family::of("/api/v1/whatsapp_accounts/"), Family::Integration);
        assert_eq!(Family::of("/hooks/waba/x"), Family::Service);
        assert_eq!(Family::of("/api/v1/tags/"), Family::Integration);
        assert_eq!(Family::of("/"), Family::Integration);
    }
}
