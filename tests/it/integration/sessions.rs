//! Contract §B: sessions of browsers, and the proof that their requests come from our own pages.

use serde_json::json;

use super::NOT_PROVIDED;
use crate::harness::{http::Answer, inbox::Inbox};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORGED: &str = r#"{"detail":"CSRF Failed: CSRF token missing or incorrect."}"#;

/// What a browser holds after a log-in.
struct Browser {
    session: String,
    csrf: String,
}

impl Browser {
    fn cookies(&self) -> String {
        format!("sessionid={}; csrftoken={}", self.session, self.csrf)
    }
}

/// The `Set-Cookie` header of this cookie.
fn set_cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned());
    all.into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")))
}

/// The value of a cookie that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let value = set_cookie(answer, name)?;
    Some(value[name.len() + 1..value.find(';').unwrap_or(value.len())].to_owned())
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Inbox {
    /// A log-in whose cookie and token against forgery are one, with more fields and headers.
    async fn try_log_in(
        &self,
        username: &str,
        password: &str,
        more: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let fields = [("username", username), ("password", password), ("csrfmiddlewaretoken", "abc")];
        let headers = [&[FORM, ("Cookie", "csrftoken=abc")], headers].concat();
        self.raw("POST", "/login/", &headers, &form(&[&fields[..], more].concat())).await
    }

    async fn browser(&self, username: &str, password: &str) -> Browser {
        let answer = self.try_log_in(username, password, &[], &[]).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        Browser { session: cookie(&answer, "sessionid").unwrap(), csrf: cookie(&answer, "csrftoken").unwrap() }
    }

    async fn agents_browser(&self) -> Browser {
        self.browser("agent", &self.agent.password).await
    }

    async fn who(&self, cookies: &str) -> Answer {
        self.raw("GET", "users/current/", &[("Cookie", cookies)], "").await
    }

    /// Creates a tag as this browser, with these headers beside the cookies.
    async fn tags(&self, browser: &Browser, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies = browser.cookies();
        self.raw("POST", "tags/", &[&[("Cookie", &*cookies)], headers].concat(), body).await
    }
}

fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status, &answer.text)
}

#[tokio::test]
async fn r_auth_9_a_log_in_gives_the_two_cookies_and_leads_on() {
    let inbox = Inbox::start().await;
    let page = inbox.raw("GET", "/login", &[], "").await;
    assert_eq!((page.status, &page.headers["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
    let token = cookie(&page, "csrftoken").unwrap();
    assert!(page.text.contains(&format!(r#"name="csrfmiddlewaretoken" value="{token}""#)), "{}", page.text);
    for label in [r#"<label for="username">"#, r#"<label for="password">"#, r#"<html lang="en">"#] {
        assert!(page.text.contains(label), "{}", page.text);
    }
    // As a browser does it, wherever the form came from.
    let body = form(&[
        ("csrfmiddlewaretoken", &token),
        ("next", "/docs/"),
        ("username", "Agent"),
        ("password", &inbox.agent.password),
    ]);
    let kept = format!("csrftoken={token}");
    let answer = inbox.raw("POST", "/login/", &[FORM, ("Cookie", &kept)], &body).await;
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (302, "/docs/"));
    let session = set_cookie(&answer, "sessionid").unwrap();
    for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
        assert!(session.contains(part), "{session}");
    }
    let csrf = set_cookie(&answer, "csrftoken").unwrap();
    for part in ["; SameSite=Lax", "; Path=/", "; Max-Age=31449600"] {
        assert!(csrf.contains(part), "{csrf}");
    }
    assert!(!csrf.contains("HttpOnly") && !session.contains("Secure") && !csrf.contains("Secure"), "{session} {csrf}");
    let cookies = format!("sessionid={}", cookie(&answer, "sessionid").unwrap());
    assert_eq!(inbox.who(&cookies).await.expect(200)["username"], "agent");
}

#[tokio::test]
async fn r_auth_9_a_failed_log_in_shows_the_form_again() {
    let inbox = Inbox::start().await;
    let long = "x".repeat(129);
    for (username, password) in
        [("agent", "wrong"), ("nobody", "wrong"), ("", "x"), ("agent", ""), ("agent", &long), ("<b>\"", "x")]
    {
        let answer = inbox.try_log_in(username, password, &[], &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(set_cookie(&answer, "sessionid"), None);
        assert!(answer.text.contains(r#"role="alert""#) && answer.text.contains("<form"), "{}", answer.text);
        assert!(!answer.text.contains("<b>") && !answer.text.contains("wrong"), "{}", answer.text);
    }
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sessions").await, 0);
}

#[tokio::test]
async fn r_auth_9_next_never_leads_to_another_host() {
    let inbox = Inbox::start().await;
    for (next, place) in [
        ("/docs/?a=b", "/docs/?a=b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nX-Evil: 1", "/"),
        ("evil", "/"),
        ("", "/"),
    ] {
        let answer = inbox.try_log_in("agent", &inbox.agent.password, &[("next", next)], &[]).await;
        assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (302, place), "{next}");
        assert!(!answer.headers.contains_key("x-evil"));
        let query = form(&[("next", next)]);
        let page = inbox.raw("GET", &format!("/login/?{query}"), &[], "").await;
        assert!(!page.text.contains("evil"), "{}", page.text);
    }
}

#[tokio::test]
async fn s11_a_log_in_that_another_site_sends_is_refused() {
    let inbox = Inbox::start().await;
    let body = |token: &str| {
        form(&[("username", "agent"), ("password", &inbox.agent.password), ("csrfmiddlewaretoken", token)])
    };
    for (cookie, token, more) in [
        ("", "", ("Accept", "*/*")),
        ("csrftoken=abc", "", ("Accept", "*/*")),
        ("", "abc", ("Accept", "*/*")),
        ("csrftoken=abc", "abd", ("Accept", "*/*")),
        ("csrftoken=", "", ("Accept", "*/*")),
        ("csrftoken=abc", "abc", ("Origin", "http://evil.example")),
        ("csrftoken=abc", "abc", ("Origin", "null")),
        ("csrftoken=abc", "abc", ("Sec-Fetch-Site", "cross-site")),
    ] {
        let answer = inbox.raw("POST", "/login/", &[FORM, ("Cookie", cookie), more], &body(token)).await;
        assert_eq!(refused(&answer), (403, FORGED), "{cookie} {token} {more:?}");
        assert_eq!(set_cookie(&answer, "sessionid"), None);
    }
}

#[tokio::test]
async fn r_auth_10_a_session_needs_the_token_for_what_is_not_safe() {
    let inbox = Inbox::start().await;
    let browser = inbox.agents_browser().await;
    let other = inbox.browser("admin", &inbox.admin.password).await;
    let by_header = ("X-CSRFToken", &*browser.csrf);
    // Header.
    inbox.tags(&browser, &[JSON, by_header], r#"{"name":"one"}"#).await.expect(201);
    // Form field, in both forms; the handler reads the same body.
    let two = form(&[("name", "two"), ("csrfmiddlewaretoken", &browser.csrf)]);
    assert_eq!(inbox.tags(&browser, &[FORM], &two).await.expect(201)["name"], "two");
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let three = [part("csrfmiddlewaretoken", &browser.csrf), part("name", "three"), "--x--\r\n".to_owned()].concat();
    let multipart = ("Content-Type", "multipart/form-data; boundary=x");
    assert_eq!(inbox.tags(&browser, &[multipart], &three).await.expect(201)["name"], "three");
    // The header decides where both are there; without it a body of JSON has no field.
    let wrong = ("X-CSRFToken", &*other.csrf);
    let in_json = json!({"name": "no", "csrfmiddlewaretoken": browser.csrf}).to_string();
    let foreign = form(&[("name", "no"), ("csrfmiddlewaretoken", &other.csrf)]);
    let big = form(&[("name", "no"), ("x", &"y".repeat(4_000)), ("csrfmiddlewaretoken", &other.csrf)]);
    for (headers, body) in [
        (&[JSON][..], r#"{"name":"no"}"#),
        (&[JSON], &in_json),
        (&[JSON, wrong], r#"{"name":"no"}"#),
        (&[JSON, ("X-CSRFToken", "")], r#"{"name":"no"}"#),
        (&[FORM], "name=no"),
        (&[FORM], &foreign),
        (&[FORM], &big),
        (&[FORM, wrong], &two),
        (&[multipart], "--x\r\nnonsense"),
        (&[("Content-Type", "text/plain")], r#"{"name":"no"}"#),
        (&[], ""),
        (&[JSON, by_header, ("Origin", "http://evil.example")], r#"{"name":"no"}"#),
        (&[JSON, by_header, ("Sec-Fetch-Site", "cross-site")], r#"{"name":"no"}"#),
    ] {
        let answer = inbox.tags(&browser, headers, body).await;
        assert_eq!(refused(&answer), (403, FORGED), "{headers:?} {body}");
    }
    // Handlers that take no body check as well.
    let one = inbox.page(&inbox.agent, "tags/").await["results"][0]["id"].clone();
    let cookies = other.cookies();
    let path = format!("tags/{one}/");
    assert_eq!(refused(&inbox.raw("DELETE", &path, &[("Cookie", &cookies)], "").await), (403, FORGED));
    assert_eq!(refused(&inbox.raw("POST", "auth/logout/", &[("Cookie", &cookies), FORM], "a=b").await), (403, FORGED));
    let answer = inbox.raw("DELETE", &path, &[("Cookie", &cookies), ("X-CSRFToken", &other.csrf)], "").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    // Reading needs none, and what was refused changed nothing.
    assert_eq!(inbox.who(&browser.cookies()).await.status, 200);
    assert_eq!(inbox.total(&inbox.agent, "tags/").await, 2);
    // A form too large to be looked through is told so, with the header it is read as any other.
    let large = form(&[("name", &"x".repeat(1024 * 1024)), ("csrfmiddlewaretoken", &browser.csrf)]);
    assert_eq!(inbox.tags(&browser, &[FORM], &large).await.status, 413);
}

#[tokio::test]
async fn r_auth_10_tokens_and_keys_need_no_proof_whatever_cookies_come_along() {
    let inbox = Inbox::start().await;
    let browser = inbox.agents_browser().await;
    let key = inbox.sandbox_state()["access_token"].as_str().unwrap().to_owned();
    let token = super::credential(&inbox.bot);
    for (number, credential) in [("Authorization", &*token), ("D360-Api-Key", &key)].into_iter().enumerate() {
        for (content_type, body) in
            [(JSON, json!({"name": format!("{number} a")}).to_string()), (FORM, format!("name={number} b"))]
        {
            let answer = inbox.tags(&browser, &[credential, content_type], &body).await;
            assert_eq!(answer.status, 201, "{credential:?}: {}", answer.text);
        }
    }
    // A key that opens nothing leaves the session, which needs its proof; the body is still there for it.
    let bad = ("D360-Api-Key", "nobody's");
    assert_eq!(refused(&inbox.tags(&browser, &[bad, FORM], "name=no").await), (403, FORGED));
    let proven = form(&[("name", "yes"), ("csrfmiddlewaretoken", &browser.csrf)]);
    inbox.tags(&browser, &[bad, FORM], &proven).await.expect(201);
}

#[tokio::test]
async fn r_auth_9_and_10_over_https_cookies_are_secure_and_the_page_must_be_named() {
    let inbox = Inbox::start_with(|config| config.trust_proxy = true).await;
    let https = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "inbox.example")];
    let here = ("Origin", "https://inbox.example");
    let silent = inbox.try_log_in("agent", &inbox.agent.password, &[], &https).await;
    assert_eq!(refused(&silent), (403, FORGED));
    let answer = inbox.try_log_in("agent", &inbox.agent.password, &[], &[https[0], https[1], here]).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    for name in ["sessionid", "csrftoken"] {
        assert!(set_cookie(&answer, name).unwrap().contains("; Secure"));
    }
    assert!(answer.headers.contains_key("strict-transport-security"));
    let browser =
        Browser { session: cookie(&answer, "sessionid").unwrap(), csrf: cookie(&answer, "csrftoken").unwrap() };
    let token = ("X-CSRFToken", &*browser.csrf);
    for (source, status) in [
        (("Origin", "https://inbox.example"), 201),
        (("Referer", "https://inbox.example/docs/?a=b"), 201),
        (("Referer", "https://evil.example/inbox.example/"), 403),
        (("Referer", "https://inbox.example.evil.example/"), 403),
        (("Origin", "https://inbox.example:8443"), 403),
        (("Accept", "*/*"), 403),
    ] {
        let body = json!({"name": format!("{source:?}")}).to_string();
        let answer = inbox.tags(&browser, &[https[0], https[1], JSON, token, source], &body).await;
        assert_eq!(answer.status, status, "{source:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn s10_an_id_is_new_at_each_log_in_and_dies_with_what_it_stands_for() {
    let inbox = Inbox::start().await;
    // Fixation: what the browser was made to hold is no session, and an earlier one ends.
    let planted = format!("{}{}", chatledger_domain::TenantId(inbox.tenant).tag(), "0".repeat(64));
    let held = format!("csrftoken=abc; sessionid={planted}");
    let first = inbox.try_log_in("agent", &inbox.agent.password, &[], &[("Cookie", &held)]).await;
    let first = cookie(&first, "sessionid").unwrap();
    assert_ne!(first, planted);
    assert!(first.len() >= 72, "{first}");
    assert_eq!(refused(&inbox.who(&format!("sessionid={planted}")).await), (403, NOT_PROVIDED));
    let held = format!("csrftoken=abc; sessionid={first}");
    let again = inbox.try_log_in("agent", &inbox.agent.password, &[], &[("Cookie", &held)]).await;
    let second = cookie(&again, "sessionid").unwrap();
    assert_ne!(first, second);
    assert_eq!(refused(&inbox.who(&format!("sessionid={first}")).await), (403, NOT_PROVIDED));
    let current = format!("sessionid={second}");
    assert_eq!(inbox.who(&current).await.status, 200);
    // Unused for too long, then too old, and until then not.
    for (sql, status) in
        [("last_seen_at = now() - interval '71 hours'", 200), ("last_seen_at = now() - interval '73 hours'", 403)]
    {
        sqlx::query(&format!("UPDATE vault.sessions SET {sql}")).execute(&inbox.pool).await.unwrap();
        assert_eq!(inbox.who(&current).await.status, status, "{sql}");
    }
    let third = inbox.agents_browser().await;
    sqlx::query("UPDATE vault.sessions SET expires_at = now() - interval '1 second'")
        .execute(&inbox.pool)
        .await
        .unwrap();
    assert_eq!(refused(&inbox.who(&third.cookies()).await), (403, NOT_PROVIDED));
    // Its user.
    let fourth = inbox.agents_browser().await;
    sqlx::query("UPDATE read_models.users SET deactivated = true WHERE username = 'agent'")
        .execute(&inbox.pool)
        .await
        .unwrap();
    assert_eq!(refused(&inbox.who(&fourth.cookies()).await), (403, NOT_PROVIDED));
}

#[tokio::test]
async fn s10_a_new_password_and_the_end_of_access_end_all_sessions() {
    let inbox = Inbox::start().await;
    let [first, second] = [inbox.agents_browser().await, inbox.agents_browser().await];
    let admins = inbox.browser("admin", &inbox.admin.password).await;
    let new = "correct horse battery";
    let change = json!({"current_password": inbox.agent.password, "new_password": new});
    inbox.put(&inbox.agent, "users/password/change/", change).await.expect(200);
    for browser in [&first, &second] {
        assert_eq!(refused(&inbox.who(&browser.cookies()).await), (403, NOT_PROVIDED));
    }
    let third = inbox.browser("agent", new).await;
    assert_eq!(inbox.who(&third.cookies()).await.status, 200);
    let path = format!("users/{}/password/change/", inbox.agent.id);
    inbox.put(&inbox.admin, &path, json!({"password": "another horse battery"})).await.expect(200);
    assert_eq!(refused(&inbox.who(&third.cookies()).await), (403, NOT_PROVIDED));
    let fourth = inbox.browser("agent", "another horse battery").await;
    assert_eq!(inbox.delete(&inbox.admin, &format!("users/{}/", inbox.agent.id)).await.status, 204);
    assert_eq!(refused(&inbox.who(&fourth.cookies()).await), (403, NOT_PROVIDED));
    assert_eq!(inbox.who(&admins.cookies()).await.status, 200, "others stay");
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sessions").await, 1);
}

#[tokio::test]
async fn r_auth_1_3_and_4_a_token_comes_before_a_session_and_a_bearer_is_not_looked_at() {
    let inbox = Inbox::start().await;
    let cookies = inbox.agents_browser().await.cookies();
    let ask = async |sent: &str| {
        inbox.raw("GET", "users/current/", &[("Cookie", &cookies), ("Authorization", sent)], "").await
    };
    assert_eq!(ask(&super::credential(&inbox.bot)).await.expect(200)["username"], "bot");
    for bad in ["Token x", "Token", "Token a b"] {
        assert_eq!(refused(&ask(bad).await), (403, r#"{"detail":"Invalid token."}"#), "{bad}");
    }
    for other in [format!("Bearer {}", inbox.bot.token), "Bearer x".to_owned(), "Basic YTpi".to_owned()] {
        assert_eq!(ask(&other).await.expect(200)["username"], "agent", "{other}");
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_and_leaves_the_token() {
    let inbox = Inbox::start().await;
    for method in ["GET", "POST"] {
        let (browser, other) = (inbox.agents_browser().await, inbox.agents_browser().await);
        let headers = [("Cookie", &*browser.cookies()), ("X-CSRFToken", &browser.csrf)];
        let answer = inbox.raw(method, "auth/logout/", &headers, "").await;
        assert_eq!(refused(&answer), (200, "{}"));
        assert!(set_cookie(&answer, "sessionid").unwrap().contains("Max-Age=0"));
        assert_eq!(refused(&inbox.who(&browser.cookies()).await), (403, NOT_PROVIDED));
        assert_eq!(inbox.who(&other.cookies()).await.status, 200);
        assert_eq!(inbox.get(&inbox.agent, "users/current/").await.status, 200);
        // A program has no session to end; and nobody has nothing to end.
        let credential = super::credential(&inbox.agent);
        let answer = inbox.raw(method, "auth/logout", &[("Authorization", &credential)], "").await;
        assert_eq!(refused(&answer), (200, "{}"));
        assert_eq!(refused(&inbox.raw(method, "auth/logout/", &[], "").await), (403, NOT_PROVIDED));
    }
}

#[tokio::test]
async fn r_gen_2_a_session_is_of_one_tenant_and_its_host() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    let boss = inbox.add_user_to("acme", "boss", chatledger_domain::Role::Admin).await;
    let host = ("Host", "acme.example");
    // Two tenants and no word which: the page says so.
    let answer = inbox.try_log_in("boss", &boss.password, &[], &[]).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("<form") && answer.text.contains("X-Tenant"), "{}", answer.text);
    let answer = inbox.try_log_in("boss", &boss.password, &[], &[host]).await;
    let session = format!("sessionid={}", cookie(&answer, "sessionid").unwrap());
    assert_eq!(inbox.raw("GET", "users/current/", &[("Cookie", &session), host], "").await.status, 200);
    let agent = inbox.try_log_in("agent", &inbox.agent.password, &[], &[("X-Tenant", "demo")]).await;
    let session = format!("sessionid={}", cookie(&agent, "sessionid").unwrap());
    assert_eq!(inbox.who(&session).await.expect(200)["username"], "agent");
    let elsewhere = inbox.raw("GET", "users/current/", &[("Cookie", &session), host], "").await;
    assert_eq!(refused(&elsewhere), (403, NOT_PROVIDED));
    // Another tenant's password opens nothing.
    assert_eq!(inbox.try_log_in("agent", &inbox.agent.password, &[], &[host]).await.status, 200);
}

#[tokio::test]
async fn r_gen_11_the_root_keeps_a_good_csrftoken_and_replaces_another() {
    let inbox = Inbox::start().await;
    let good = "0123456789abcdef".repeat(4);
    for (sent, kept) in [(&*good, true), ("short", false), (&"z".repeat(64), false)] {
        let answer = inbox.raw("GET", "/api/v1/", &[("Cookie", &format!("csrftoken={sent}"))], "").await;
        assert_eq!(refused(&answer), (200, "{}"));
        let set = cookie(&answer, "csrftoken").unwrap();
        assert_eq!((set == sent, set.len()), (kept, 64), "{sent}");
    }
    // Also for one who is logged in, who then uses it.
    let browser = inbox.agents_browser().await;
    let root = inbox.raw("GET", "/api/v1/", &[("Cookie", &format!("sessionid={}", browser.session))], "").await;
    let browser = Browser { csrf: cookie(&root, "csrftoken").unwrap(), ..browser };
    inbox.tags(&browser, &[JSON, ("X-CSRFToken", &browser.csrf)], r#"{"name":"vip"}"#).await.expect(201);
}
