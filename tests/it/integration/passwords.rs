//! Contract §E: passwords.

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};

use super::{FORBIDDEN, NOT_FOUND};
use crate::harness::inbox::Inbox;

const OWN: &str = "users/password/change/";
const NEW: &str = "another good one";

async fn log_in(inbox: &Inbox, user: &Login, password: &str) -> (u16, Value) {
    let body = json!({"username": user.username, "password": password});
    let answer = inbox.http.call(reqwest::Method::POST, "auth/token/", None, Some(body)).await;
    (answer.status, answer.body["token"].clone())
}

fn own(current: &str, new: &str) -> Value {
    json!({"current_password": current, "new_password": new})
}

#[tokio::test]
async fn r_usr_9_ones_own_password_changes_and_the_token_stays() {
    let inbox = Inbox::start().await;
    let (agent, bot) = (&inbox.agent, &inbox.bot);
    assert_eq!(inbox.put(agent, OWN, own(&agent.password, NEW)).await.expect(200), json!({}));
    assert_eq!(log_in(&inbox, agent, &agent.password).await.0, 400);
    assert_eq!(log_in(&inbox, agent, NEW).await, (200, json!(agent.token)));
    inbox.get(agent, "users/current/").await.expect(200);
    assert_eq!(inbox.post(bot, OWN, own(&bot.password, " with blanks ")).await.expect(200), json!({}));
    assert_eq!(log_in(&inbox, bot, "with blanks").await.0, 400);
    assert_eq!(log_in(&inbox, bot, " with blanks ").await.0, 200);
    let told = inbox.put(agent, OWN, own(&agent.password, "yet another one")).await.expect(400);
    assert_eq!(told, json!({"reason": "Current password is incorrect."}));
    assert_eq!(log_in(&inbox, agent, NEW).await.0, 200);
    let sql = format!("SELECT count(*) FROM ledger.events WHERE payload::text LIKE '%{NEW}%'");
    assert_eq!(inbox.count(&sql).await, 0);
}

#[tokio::test]
async fn r_usr_9_weak_passwords_are_refused_with_the_reason() {
    let inbox = Inbox::start().await;
    let (agent, of_bot) = (&inbox.agent, format!("users/{}/password/change/", inbox.bot.id));
    let long = "x".repeat(129);
    for (password, message) in [
        (json!("seven 7"), "This password is too short. It must contain at least 8 characters."),
        (json!("4815162342"), "This password is entirely numeric."),
        (json!(4_815_162_342_i64), "This password is entirely numeric."),
        (json!("Password1"), "This password is too common."),
        (json!("qwertyuiop"), "This password is too common."),
        (json!(long), "Ensure this field has no more than 128 characters."),
        (json!(""), "This field may not be blank."),
        (json!(null), "This field may not be null."),
        (json!(["a good password"]), "Not a valid string."),
        (json!("a good\u{0}password"), "Null characters are not allowed."),
    ] {
        let body = json!({"current_password": agent.password, "new_password": password});
        let told = inbox.put(agent, OWN, body).await.expect(400);
        let wanted = json!({"new_password": [message], "reason": format!("new_password: {message}")});
        assert_eq!(told, wanted, "{password}");
        let told = inbox.post(&inbox.admin, &of_bot, json!({ "password": password })).await.expect(400);
        assert_eq!(told, json!({"password": [message], "reason": format!("password: {message}")}), "{password}");
    }
    let told = inbox.post(agent, OWN, json!({})).await.expect(400);
    let required = json!(["This field is required."]);
    assert_eq!((&told["current_password"], &told["new_password"]), (&required, &required));
    assert_eq!(inbox.put(&inbox.admin, &of_bot, json!({})).await.expect(400)["password"], required);
    assert_eq!(log_in(&inbox, agent, &agent.password).await.0, 200);
    inbox.put(agent, OWN, own(&agent.password, &"x".repeat(128))).await.expect(200);
}

#[tokio::test]
async fn an_admin_sets_anybodys_password() {
    let inbox = Inbox::start().await;
    let path = format!("users/{}/password/change/", inbox.agent.id);
    for (by, status) in [(&inbox.agent, 403), (&inbox.bot, 403), (&inbox.admin, 200)] {
        let answer = inbox.put(by, &path, json!({ "password": NEW })).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(status == 200 || answer.text == FORBIDDEN);
    }
    assert_eq!(log_in(&inbox, &inbox.agent, NEW).await, (200, json!(inbox.agent.token)));
    for id in ["999999", "0", "x", "current"] {
        let path = format!("users/{id}/password/change/");
        let answer = inbox.post(&inbox.admin, &path, json!({ "password": NEW })).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{id}");
    }
    // An admin's own password is set this way too, without the current one.
    let path = format!("users/{}/password/change/", inbox.admin.id);
    inbox.post(&inbox.admin, &path, json!({ "password": NEW })).await.expect(200);
    assert_eq!(log_in(&inbox, &inbox.admin, NEW).await.0, 200);
}

#[tokio::test]
async fn the_current_password_cannot_be_found_by_trying() {
    let inbox = Inbox::start().await;
    let agent = &inbox.agent;
    for _ in 0..10 {
        inbox.put(agent, OWN, own("a wrong password", NEW)).await.expect(400);
    }
    let answer = inbox.put(agent, OWN, own(&agent.password, NEW)).await;
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"));
}

/// A browser's cookies after it logged in.
async fn browser(inbox: &Inbox, user: &Login) -> String {
    let form = [("content-type", "application/x-www-form-urlencoded"), ("cookie", "csrftoken=abc")];
    let body = format!("csrfmiddlewaretoken=abc&username={}&password={}", user.username, user.password);
    let answer = inbox.raw("POST", "/login/", &form, &body).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    let mut cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session = cookies.rfind(|cookie| cookie.starts_with("sessionid=")).unwrap();
    session.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn s10_and_r_usr_8_sessions_end_with_the_password_and_with_the_user() {
    let inbox = Inbox::start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    let who = async |cookies: &str| inbox.raw("GET", "users/current/", &[("cookie", cookies)], "").await.status;
    let of_agent = format!("SELECT count(*) FROM vault.sessions WHERE user_id = {}", agent.id);
    let bystander = browser(&inbox, &inbox.bot).await;
    // Changed by itself, set by an admin, and ended.
    let sessions = [browser(&inbox, agent).await, browser(&inbox, agent).await];
    inbox.put(agent, OWN, own(&agent.password, NEW)).await.expect(200);
    assert_eq!((who(&sessions[0]).await, who(&sessions[1]).await, inbox.count(&of_agent).await), (403, 403, 0));
    let session = browser(&inbox, &Login { password: NEW.to_owned(), ..agent.clone() }).await;
    assert_eq!(who(&session).await, 200);
    let path = format!("users/{}/password/change/", agent.id);
    inbox.put(admin, &path, json!({"password": agent.password})).await.expect(200);
    assert_eq!((who(&session).await, inbox.count(&of_agent).await), (403, 0));
    let session = browser(&inbox, agent).await;
    assert_eq!(who(&session).await, 200);
    inbox.delete(admin, &format!("users/{}/", agent.id)).await;
    assert_eq!((who(&session).await, inbox.count(&of_agent).await), (403, 0));
    assert_eq!((who(&bystander).await, inbox.get(&inbox.bot, "users/current/").await.status), (200, 200));
}
