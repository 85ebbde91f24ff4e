//! What an operator sets for a tenant, from the command line, and what follows; and that no secret of the settings
//! shows anywhere but to whom it belongs.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{ANA, RUI};
use crate::harness::{
    http::Client,
    inbox::{Inbox, now},
    postgres::database,
    process::binary,
};

impl Inbox {
    /// Runs `chatledger tenant …` beside the server; what it printed.
    fn tenant(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(binary());
        command.args(["tenant"]).args(arguments).env("DATABASE_URL", &self.database_url);
        command.env("CHATLEDGER_SECRETS__MASTER_KEY", "0f".repeat(32)).env("CHATLEDGER_LOGS__FILTER", "warn");
        let output = command.output().expect("the program runs");
        let text = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }

    /// What WhatsApp was told to be read, once there are so many.
    async fn reads(&self, at_least: usize) -> Vec<Value> {
        let url = format!("{}/simulator/reads", self.simulator_url);
        for _ in 0..400 {
            let told: Value = self.http.raw.get(&url).send().await.expect("an answer").json().await.expect("JSON");
            let reads = told["reads"].as_array().expect("a list").clone();
            if reads.len() >= at_least {
                return reads;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("WhatsApp was not told within 20 s");
    }

    async fn mark(&self, chat: &str, timestamp: i64) {
        let body = json!({"customer_wa_id": chat, "timestamp": timestamp});
        self.post(&self.agent, "mark_as_received/", body).await.expect(201);
    }
}

#[tokio::test]
async fn an_operator_sets_and_sees_the_settings_of_a_tenant() {
    let inbox = Inbox::start().await;
    let shown = inbox.tenant(&["show", "demo"]);
    for line in
        ["slug:                    demo", "number:                  +351210000000", "read receipts:           off"]
    {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(shown.contains("provider authentication: on"), "{shown}");
    let set = inbox.tenant(&["set", "demo", "--read-receipts", "on", "--free-entry-window", "on"]);
    assert!(set.contains("read receipts:           on") && set.contains("free entry window:       on"), "{set}");
    // What is not named stays, and so does what an admin has set meanwhile.
    inbox.put(&inbox.admin, "settings/api_access/", json!({"enabled": true})).await.expect(200);
    let set = inbox.tenant(&["set", "demo", "--free-entry-window", "off"]);
    assert!(set.contains("read receipts:           on") && set.contains("free entry window:       off"), "{set}");
    assert!(set.contains("api access:              on"), "{set}");
    assert!(inbox.tenant(&["show", "demo"]).contains("api access:              on"), "{set}");
    let set = inbox.tenant(&["set", "demo", "--legacy-tagging-payloads", "on"]);
    assert!(set.lines().any(|line| line == "legacy tagging payloads: on"), "{set}");
    let events = "SELECT count(*) FROM ledger.events WHERE event_type = 'TenantSettingsChanged'";
    assert_eq!(inbox.count(events).await, 4);
}

#[tokio::test]
async fn r_rcv_6_whatsapp_is_told_only_where_the_tenant_wants_it() {
    let inbox = Inbox::start().await;
    let at = now() - 600;
    inbox.customer_wrote(RUI, "off", at).await;
    inbox.mark(RUI, at).await;
    inbox.tenant(&["set", "demo", "--read-receipts", "on"]);
    // The server may have looked at its tenants just before, and looks again within five seconds.
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let first = inbox.customer_wrote(RUI, "one", at + 10).await;
    let second = inbox.customer_wrote(RUI, "two", at + 20).await;
    let third = inbox.customer_wrote(ANA, "three", at + 30).await;
    let body = json!({"wa_id": ANA, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    // Up to the mark, not to the end.
    inbox.mark(RUI, at + 15).await;
    let told = |id: &str| json!({"messaging_product": "whatsapp", "status": "read", "message_id": id});
    assert_eq!(inbox.reads(1).await, [told(&first)]);
    inbox.mark(RUI, at + 20).await;
    assert_eq!(inbox.reads(2).await, [told(&first), told(&second)]);
    // A mark that does not grow tells nothing; our own messages are not the customer's.
    inbox.mark(RUI, at + 5).await;
    inbox.mark(ANA, now()).await;
    assert_eq!(inbox.reads(3).await, [told(&first), told(&second), told(&third)]);
    inbox.tenant(&["set", "demo", "--read-receipts", "off"]);
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    inbox.customer_wrote(RUI, "off again", at + 40).await;
    inbox.mark(RUI, at + 40).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(inbox.reads(3).await.len(), 3);
}

/// Every row of every table, as text; bytes in hexadecimal digits.
async fn dump(pool: &PgPool) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
         WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(pool)
    .await
    .expect("tables");
    let mut dump = String::new();
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(&format!("SELECT t::text FROM {table} t")).fetch_all(pool).await.expect("rows");
        dump.push_str(&rows.join("\n"));
    }
    dump
}

#[tokio::test]
async fn s8_and_s16_no_secret_of_the_settings_stands_in_a_table_or_a_log() {
    let (database, folder) = (database().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("log");
    let mut server = Command::new(binary())
        .args(["serve", "--sandbox", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .env("DATABASE_URL", &database.url)
        .env("CHATLEDGER_LOGS__FILTER", "trace")
        .stdout(Stdio::piped())
        .stderr(File::create(&log).expect("a file"))
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("an output")).read_line(&mut line).expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    let http = Client::new(ready["base_url"].as_str().expect("an address").to_owned());
    let token = ready["admin"]["token"].as_str().expect("a token").to_owned();
    let call = async |method: Method, path: &str, body: Value, status: u16| {
        http.call(method, path, Some(&token), Some(body)).await.expect(status)
    };
    let target = |n: u8| {
        let url = format!("http://127.0.0.1:18080/canary{n}path?auth=canary{n}query");
        json!({"url": url, "headers": {"Authorization": format!("canary{n}header")}, "mode": "custom"})
    };
    let made = call(Method::POST, "webhooks/waba/", target(1), 201).await;
    let path = format!("webhooks/waba/{}/", made["id"]);
    call(Method::PUT, &path, target(2), 200).await;
    call(Method::POST, "webhooks/waba/", target(3), 400).await;
    call(Method::PUT, "settings/rule_engine/", target(4), 200).await;
    // Refused, with the secret inside what is refused.
    for url in ["http://10.0.0.1/?auth=canary5", "http://canary6@127.0.0.1/", "http://127.0.0.1:22/canary7"] {
        let told = call(Method::PATCH, &path, json!({"url": url}), 400).await;
        assert!(!told.to_string().contains("canary"), "{told}");
    }
    let told = call(Method::PATCH, &path, json!({"headers": {"x": "canary8\n"}}), 400).await;
    assert!(!told.to_string().contains("canary"), "{told}");
    let api_token = call(Method::POST, "settings/api_tokens/", json!({"name": "x"}), 201).await["token"].clone();
    let api_token = api_token.as_str().expect("a token");
    server.kill().expect("killed");
    server.wait().expect("gone");
    let tables = dump(&database.pool).await;
    let log = std::fs::read_to_string(&log).expect("a log");
    assert!(tables.contains("WebhookRegistered") && !log.is_empty());
    for secret in ["canary", &hex::encode("canary"), api_token, &hex::encode(api_token)] {
        assert!(!tables.contains(secret), "{secret} stands in a table");
        let shown = log.lines().find(|line| line.contains(secret));
        assert_eq!(shown, None, "{secret} stands in the log");
    }
}
