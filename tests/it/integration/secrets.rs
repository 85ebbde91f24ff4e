//! R-AUTH-12, S7, S8, S16: what opens something is nowhere but with whom it was given to; and refresh tokens.

use std::{fs, process::Command};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{
    http::{Answer, Client},
    inbox::Inbox,
    postgres::database,
    process::{Process, binary},
};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Every row of every table of ours, as text.
async fn dump(pool: &PgPool) -> String {
    let sql = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
               WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')";
    let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    assert!(tables.iter().any(|table| table == "vault.sessions") && tables.len() > 15, "{tables:?}");
    let mut dump = String::new();
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(&format!("SELECT t::text FROM {table} t")).fetch_all(pool).await.unwrap();
        dump.push_str(&rows.join("\n"));
    }
    dump
}

/// The secret as it is, and as `bytea` shows it.
fn forms(secret: &str) -> [String; 2] {
    [secret.to_owned(), hex::encode(secret)]
}

async fn send(client: &Client, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = client.raw.request(method.parse().unwrap(), client.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(body.to_owned())).await
}

fn session_of(answer: &Answer) -> String {
    let mut cookies = answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let cookie = cookies.find_map(|cookie| cookie.strip_prefix("sessionid=")).expect("a session");
    cookie.split(';').next().unwrap().to_owned()
}

/// `chatledger user refresh-token …` beside the sandbox in this folder.
fn refresh_token(data: &std::path::Path, database_url: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(binary());
    command.args(["user", "--data-dir"]).arg(data).arg("refresh-token").args(arguments);
    let output = command.env("DATABASE_URL", database_url).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let found = text.lines().find_map(|line| line.strip_prefix("refresh token: ")).map(str::to_owned);
    found.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_and_r_auth_12_no_secret_is_logged_recorded_or_kept_as_it_is() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    let process = Process::start_logged(data.path(), &database.url, &log);
    let client = Client::new(process.text("/base_url"));
    let state: Value = serde_json::from_str(&fs::read_to_string(data.path().join("sandbox.json")).unwrap()).unwrap();
    let secret = |name: &str| state[name].as_str().unwrap().to_owned();
    let (password, key) = (secret("agent_password"), secret("access_token"));
    let mut secrets = vec![password.clone(), key.clone(), secret("admin_password"), secret("master_key")];

    // What is right …
    let body = json!({"username": "agent", "password": password}).to_string();
    let answer = send(&client, "POST", "auth/token/", &[JSON], &body).await;
    let token = answer.expect(200)["token"].as_str().unwrap().to_owned();
    let form = format!("username=agent&password={password}&csrfmiddlewaretoken=abc");
    let as_form = ("Content-Type", "application/x-www-form-urlencoded");
    let answer = send(&client, "POST", "/login/", &[as_form, ("Cookie", "csrftoken=abc")], &form).await;
    let session = session_of(&answer);
    let refresh = refresh_token(data.path(), &database.url, &["agent", "--hours", "1"]).unwrap();
    let convert = json!({"refresh_token": refresh, "keep_refresh_token": true}).to_string();
    send(&client, "POST", "auth/convert_refresh_token/", &[JSON], &convert).await.expect(200);
    let authorization = format!("Token {token}");
    let cookie = format!("sessionid={session}");
    for header in [("Authorization", &*authorization), ("Cookie", &cookie), ("D360-Api-Key", &key)] {
        send(&client, "GET", "users/current/", &[header], "").await.expect(200);
    }
    secrets.extend([token, session, refresh]);

    // … and what is wrong, with lines of its own where it can.
    let canary = |name: &str| format!("canary-{name}-7f3a9c");
    let forged = "\r\n2026-01-01T00:00:00Z  WARN forged: a line of its own";
    for path in ["auth/token/", "/login/", "auth/convert_refresh_token/", "users/current/"] {
        for body in [
            json!({"username": format!("{}{forged}", canary("name")), "password": canary("password"),
                   "refresh_token": canary("refresh"), "csrfmiddlewaretoken": "abc"})
            .to_string(),
            format!(r#"{{"password": "{}", "username": "#, canary("password")),
            json!({"username": [canary("password")], "password": {"a": canary("password")}}).to_string(),
        ] {
            let (token, cookie) =
                (format!("Token {}", canary("token")), format!("csrftoken=abc; sessionid={}", canary("session")));
            let (key, cookies) = (canary("key"), cookie.as_str());
            let headers = [JSON, ("Authorization", &*token), ("Cookie", cookies), ("D360-Api-Key", &*key)];
            send(&client, "POST", path, &headers, &body).await;
            send(&client, "GET", path, &headers[2..], "").await;
            let path = format!("{path}?token={}", canary("query"));
            send(&client, "POST", &path, &[JSON, ("Cookie", "csrftoken=abc")], &body).await;
        }
    }
    let names = ["password", "token", "session", "key", "refresh", "query"];
    secrets.extend(names.map(canary));

    let kept = dump(&database.pool).await;
    let pid_ended = process.terminate();
    assert!(pid_ended.as_secs() < 60);
    let logged = fs::read_to_string(&log).unwrap();
    assert!(logged.lines().count() > 5, "{logged}");
    for secret in &secrets {
        for form in forms(secret) {
            assert!(!kept.contains(&form), "{secret} is in the database");
            assert!(!logged.contains(&form), "{secret} is in the log");
        }
    }
    assert!(!logged.lines().any(|line| line.contains("WARN forged")), "{logged}");
}

#[tokio::test]
async fn convert_refresh_token_gives_the_users_token_once() {
    let inbox = Inbox::start().await;
    let data = inbox.data_dir();
    let make = |arguments: &[&str]| refresh_token(data, &inbox.database_url, arguments);
    let convert =
        async |body: Value| inbox.raw("POST", "auth/convert_refresh_token/", &[JSON], &body.to_string()).await;
    let used = r#"{"reason":"The refresh token is unknown, used or expired."}"#;
    let token = make(&["agent"]).unwrap();
    let made = "SELECT count(*) FROM ledger.events WHERE event_type = 'RefreshTokenIssued'";
    assert_eq!(inbox.count(made).await, 1, "the history tells of it");
    // Kept, it can be used again; then, among parallel ones, once.
    for _ in 0..2 {
        let answer = convert(json!({"refresh_token": token, "keep_refresh_token": true})).await;
        assert_eq!(answer.expect(200), json!({"token": inbox.agent.token}));
    }
    let answers = join_all((0..8).map(|_| convert(json!({"refresh_token": token})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((answer.status, &*answer.text), (400, used));
    }
    for keep in [json!(true), json!(false), json!(null)] {
        let answer = convert(json!({"refresh_token": token, "keep_refresh_token": keep})).await;
        assert_eq!((answer.status, &*answer.text), (400, used));
    }
    // Nobody's, expired, of one who may not act any more.
    let late = make(&["agent", "--tenant", "demo"]).unwrap();
    sqlx::query("UPDATE vault.refresh_tokens SET expires_at = now()").execute(&inbox.pool).await.unwrap();
    for other in [&*late, "x", &inbox.agent.token, &"x".repeat(900)] {
        assert_eq!(convert(json!({"refresh_token": other})).await.text, used, "{other}");
    }
    let missing = convert(json!({})).await.expect(400);
    assert_eq!(missing["refresh_token"], json!(["This field is required."]));
    assert!(make(&["nobody"]).is_err() && make(&["agent", "--tenant", "acme"]).is_err());
    assert!(make(&["agent", "--hours", "0"]).is_err());
}
