//! Proof that a request with a session comes from our own pages (R-AUTH-10).
//!
//! The token may stand in a header or in a field of the form, and whether it is needed is known before the body is
//! read. So the caller's extractor reads such a form itself and leaves its bytes in the body's place: no handler can
//! forget the check, and none notices it.

use std::pin::Pin;

use actix_web::{
    HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::{Method, header},
    web::Bytes,
};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use url::Url;

use super::cookies;
use crate::{
    error::ApiError,
    extract::{Body, Fields},
    origin,
};

/// The header with the token.
const HEADER: &str = "x-csrftoken";
/// The field with the token.
pub(crate) const FIELD: &str = "csrfmiddlewaretoken";
/// Longer tokens are none, in characters.
const MAX_TOKEN: usize = 200;

/// The body of a form, taken out of the request until it is known whether the token in it is needed.
pub(super) struct SetAside {
    form: Option<Body>,
    give_back: Option<oneshot::Sender<Payload>>,
}

impl SetAside {
    /// Takes the body of a form that may hold the token; the request is left with a promise of it.
    pub fn where_needed(request: &HttpRequest, payload: &mut Payload) -> Option<Self> {
        if is_safe(request.method()) || request.headers().contains_key(HEADER) || !Body::is_form(request) {
            return None;
        }
        let form = Body::take(request, payload);
        let (give_back, given_back) = oneshot::channel();
        let promise = given_back.map(|body| body.unwrap_or(Payload::None)).into_stream().flatten();
        let promise: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(promise);
        *payload = Payload::Stream { payload: promise };
        Some(Self { form: Some(form), give_back: Some(give_back) })
    }

    /// Reads the form's token, and gives the form back.
    async fn token(mut self) -> Result<Option<String>, ApiError> {
        let Some(form) = self.form.take() else { return Ok(None) };
        let (mut fields, bytes) = match form.read_and_keep().await {
            Ok(read) => read,
            Err(error @ (ApiError::TooLarge | ApiError::TooSlow)) => return Err(error),
            Err(_) => return Ok(None),
        };
        self.put_back(Payload::Stream { payload: Box::pin(stream::once(std::future::ready(Ok(bytes)))) });
        Ok(token_in(&mut fields))
    }

    fn put_back(&mut self, body: Payload) {
        if let Some(give_back) = self.give_back.take() {
            // Nobody waits where the handler takes no body.
            let _ = give_back.send(body);
        }
    }
}

/// Whoever did not need the token leaves the body as it was.
impl Drop for SetAside {
    fn drop(&mut self) {
        if let Some(form) = self.form.take() {
            self.put_back(form.into_payload());
        }
    }
}

/// The token in the fields of a form.
pub(crate) fn token_in(fields: &mut Fields) -> Option<String> {
    fields.optional_text(FIELD, MAX_TOKEN).flatten()
}

/// Checks a request that a session stands for.
pub(super) async fn check_session(request: &HttpRequest, form: Option<SetAside>) -> Result<(), ApiError> {
    if is_safe(request.method()) {
        return Ok(());
    }
    let in_form = match form {
        Some(form) => form.token().await?,
        None => None,
    };
    check(request, in_form.as_deref())
}

/// Checks that the token, from the header or else the form, is the cookie's, and that no other site sent it.
pub(crate) fn check(request: &HttpRequest, in_form: Option<&str>) -> Result<(), ApiError> {
    let in_header = request.headers().get(HEADER).map(|token| token.to_str().unwrap_or_default());
    let (kept, sent) = (cookies::csrf_token(request), in_header.or(in_form));
    let is_same = match (&kept, sent) {
        // Digests, so that the time of the comparison tells nothing about the token.
        (Some(kept), Some(sent)) => !sent.is_empty() && Sha256::digest(kept) == Sha256::digest(sent),
        _ => false,
    };
    if is_same && is_from_here(request) { Ok(()) } else { Err(ApiError::Forged) }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether nothing says that another site sent the request; over https something must say that none did.
fn is_from_here(request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if text("sec-fetch-site").is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
        return false;
    }
    let is_https = origin::is_https(request);
    let referer = text(header::REFERER.as_str()).filter(|_| is_https);
    match text(header::ORIGIN.as_str()).or(referer) {
        Some(source) => is_here(request, source),
        None => !is_https,
    }
}

/// The scheme is left out: behind a proxy that does not tell, ours may be wrong.
fn is_here(request: &HttpRequest, source: &str) -> bool {
    let (Ok(source), Ok(here)) = (Url::parse(source), Url::parse(&origin::base_url(request))) else { return false };
    source.host_str().is_some() && source.host_str() == here.host_str() && source.port() == here.port()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn r_auth_10_the_cookie_and_what_is_sent_must_be_one() {
        let verdict = |cookie: &str, sent: Option<&str>, in_form: Option<&str>| {
            let mut request = TestRequest::post().insert_header((header::COOKIE, cookie));
            if let Some(sent) = sent {
                request = request.insert_header((HEADER, sent));
            }
            check(&request.to_http_request(), in_form).is_ok()
        };
        assert!(verdict("csrftoken=a1", Some("a1"), None));
        assert!(verdict("csrftoken=a1", None, Some("a1")));
        assert!(!verdict("csrftoken=a1", None, None));
        assert!(!verdict("csrftoken=a1", Some("a2"), Some("a1")));
        assert!(!verdict("csrftoken=", Some(""), None));
        assert!(!verdict("sessionid=x", Some("a1"), Some("a1")));
    }

    #[test]
    fn s11_another_sites_request_is_seen() {
        let verdict = |headers: &[(&str, &str)]| {
            let mut request = TestRequest::post().insert_header((header::HOST, "inbox.example:8443"));
            for header in headers {
                request = request.insert_header(*header);
            }
            is_from_here(&request.to_http_request())
        };
        assert!(verdict(&[]));
        for origin in ["http://inbox.example:8443", "https://inbox.example:8443"] {
            assert!(verdict(&[("origin", origin), ("sec-fetch-site", "same-origin")]), "{origin}");
        }
        for origin in ["null", "", "http://inbox.example", "http://evil.example:8443", "inbox.example:8443"] {
            assert!(!verdict(&[("origin", origin)]), "{origin}");
        }
        assert!(!verdict(&[("sec-fetch-site", "Cross-Site")]));
    }
}
