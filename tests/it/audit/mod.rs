//! Audit: who did what, when, in whose name, and what a chat was like at any past moment, by command and over REST.

mod as_of;
mod filters;
mod forms;
mod people;
mod story;
mod trail;
mod unreadable;

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{inbox::Inbox, process::binary};

const RUI: &str = "351912000111";
const ANA: &str = "351912000222";

/// Runs `chatledger audit …` beside the server: whether it went well, what it printed, what it complained of.
async fn audit(inbox: &Inbox, arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(binary());
    command.args(["audit", "--data-dir"]).arg(inbox.data_dir()).args(arguments);
    command.env("DATABASE_URL", &inbox.database_url).env("CHATLEDGER_LOGS__FILTER", "error");
    let output = command.output().await.expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// The same, where it has to go well.
async fn audited(inbox: &Inbox, arguments: &[&str]) -> String {
    let (fine, told, complaint) = audit(inbox, arguments).await;
    assert!(fine, "{arguments:?}: {told}{complaint}");
    told
}

/// Every event of a history over REST, page by page.
async fn history(inbox: &Inbox, path: &str) -> Vec<Value> {
    let mut results = Vec::new();
    let mut next = Some(format!("audit/{path}"));
    while let Some(path) = next {
        let page = inbox.get(&inbox.admin, &path).await.expect(200);
        results.extend(page["results"].as_array().expect("a list").clone());
        next = page["next"].as_str().map(|link| link.split_once("/api/v1/").expect("a path").1.to_owned());
    }
    results
}

/// The words of a history.
fn words(history: &[Value]) -> Vec<&str> {
    history.iter().map(|entry| entry["what"].as_str().expect("words")).collect()
}

/// The kinds of a history.
fn kinds(history: &[Value]) -> Vec<&str> {
    history.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect()
}

async fn new_tag(inbox: &Inbox, name: &str, color: Option<&str>) -> i64 {
    let body = json!({"name": name, "web_inbox_color": color});
    inbox.post(&inbox.admin, "tags/", body).await.expect(201)["id"].as_i64().expect("an id")
}

async fn new_group(inbox: &Inbox, name: &str) -> i64 {
    inbox.post(&inbox.admin, "groups/", json!({"name": name})).await.expect(201)["id"].as_i64().expect("an id")
}

async fn tag_chat(inbox: &Inbox, by: &Login, chat: &str, tag: i64) -> i64 {
    let body = json!({"tag": tag, "chat": chat});
    inbox.post(by, "chat_tagging/", body).await.expect(201)["id"].as_i64().expect("an id")
}

async fn assign(inbox: &Inbox, by: &Login, chat: &str, assignment: Value) {
    inbox.patch(by, &format!("chat_assignment/{chat}/"), assignment).await.expect(200);
}

/// The newest position of the tenant.
async fn head(inbox: &Inbox) -> i64 {
    let sql = format!("SELECT head_position FROM ledger.heads WHERE tenant_id = '{}'", inbox.tenant);
    inbox.count(&sql).await
}
