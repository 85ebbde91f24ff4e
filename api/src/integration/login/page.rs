//! The page with the form: no script, no picture, nothing from elsewhere.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

const STYLE: &str = "\
body{font:1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;\
background:#f4f5f7;color:#1c1e21}\
main{box-sizing:border-box;width:min(22rem,100%);padding:2rem;background:#fff;border-radius:.5rem;\
box-shadow:0 1px 4px #0003}\
h1{margin:0 0 1rem;font-size:1.25rem}\
label{display:block;margin-top:1rem;font-weight:600}\
input{box-sizing:border-box;width:100%;padding:.5rem;font:inherit;border:1px solid #767676;border-radius:.25rem}\
button{width:100%;margin-top:1.5rem;padding:.6rem;font:inherit;font-weight:600;color:#fff;background:#0b5c3b;border:0;\
border-radius:.25rem}\
:focus-visible{outline:3px solid #1a73e8;outline-offset:2px}\
[role=alert]{margin:0;padding:.5rem .75rem;color:#7a0b0b;background:#fdecea;border-radius:.25rem}";

/// Nothing but this very style, and the form goes nowhere but here.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// What the page shows.
#[derive(Clone, Copy, Default)]
pub(super) struct Page<'a> {
    /// What the form shows to prove that it is ours.
    pub csrf_token: &'a str,
    /// Where to go afterwards.
    pub next: &'a str,
    /// What was entered before.
    pub username: &'a str,
    /// What was wrong with it.
    pub error: &'a str,
}

impl Page<'_> {
    /// The page as an answer.
    pub fn answer(&self, status: StatusCode) -> HttpResponse {
        HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
            // With `no-referrer` browsers would send the form with `Origin: null`, which is not taken for ours.
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .body(self.html())
    }

    fn html(&self) -> String {
        let [csrf_token, next, username, error] = [self.csrf_token, self.next, self.username, self.error].map(escaped);
        let alert = if error.is_empty() { String::new() } else { format!(r#"<p role="alert" id="error">{error}</p>"#) };
        let (described, focus_name, focus_password) = match (error.is_empty(), username.is_empty()) {
            (true, _) => ("", " autofocus", ""),
            (false, true) => (r#" aria-describedby="error""#, " autofocus", ""),
            (false, false) => (r#" aria-describedby="error""#, "", " autofocus"),
        };
        format!(
            r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Log in</h1>
{alert}
<form method="post" action="/login/">
<input type="hidden" name="csrfmiddlewaretoken" value="{csrf_token}">
<input type="hidden" name="next" value="{next}">
<label for="username">Username</label>
<input id="username" name="username" value="{username}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="150" required{described}{focus_name}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{described}{focus_password}>
<button>Log in</button>
</form>
</main>
</body>
</html>
"#
        )
    }
}

/// Text as HTML, inside elements and quoted attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_shown_as_text() {
        let hostile = r#""><script>alert('&')</script>"#;
        let html = Page { username: hostile, next: hostile, error: hostile, ..Page::default() }.html();
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;").count(), 3);
    }
}
