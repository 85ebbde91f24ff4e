//! What a request shows to prove who it is from.

use actix_web::{HttpRequest, http::header};

use super::cookies;

/// Longer secrets are nobody's and are not looked up, in bytes.
const MAX_SECRET: usize = 512;

/// The token of an `Authorization: Token …` header: `Some(None)` when the scheme is ours and no single token of a
/// possible length follows.
pub(super) fn token(request: &HttpRequest) -> Option<Option<&str>> {
    let header = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    let mut words = header.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if !words.next()?.eq_ignore_ascii_case(b"token") {
        return None;
    }
    let token = words.next().filter(|_| words.next().is_none());
    Some(token.and_then(|token| std::str::from_utf8(token).ok()).filter(|token| token.len() <= MAX_SECRET))
}

/// The key of a provider (R-AUTH-5).
pub(super) fn provider_key(request: &HttpRequest) -> Option<&str> {
    let key = request.headers().get("d360-api-key")?.to_str().ok()?.trim();
    (!key.is_empty() && key.len() <= MAX_SECRET).then_some(key)
}

/// The id of a session.
pub(super) fn session(request: &HttpRequest) -> Option<String> {
    cookies::session(request).filter(|id| !id.is_empty() && id.len() <= MAX_SECRET)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn r_auth_2_and_4_only_the_scheme_token_is_looked_at_in_any_case() {
        let read = |value: &str| {
            let request = TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request();
            token(&request).map(|token| token.map(str::to_owned))
        };
        assert_eq!(read("Token abc"), Some(Some("abc".to_owned())));
        assert_eq!(read("tOkEn  abc"), Some(Some("abc".to_owned())));
        assert_eq!(read("Token"), Some(None));
        assert_eq!(read("Token a b"), Some(None));
        assert_eq!(read("Token \u{e9}"), Some(Some("\u{e9}".to_owned())));
        assert_eq!(read(&format!("Token {}", "a".repeat(513))), Some(None));
        assert_eq!(read("Bearer abc"), None);
        assert_eq!(read("abc"), None);
    }
}
