//! What could not be recorded, in the operator's hands: list, show, try again.

use std::path::Path;

use chatledger_domain::TenantId;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use super::{ANA, quarantined};
use crate::harness::{
    inbox::{Inbox, contact, now, text_message},
    process::binary,
};

/// A folder for a sandbox whose commands are run beside it.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs the program beside a sandbox: whether it succeeded, and what it said.
pub async fn cli(inbox: &Inbox, data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    // The group's own options come before what is to be done.
    command.arg(arguments[0]).arg("--data-dir").arg(data).args(&arguments[1..]);
    command.env("DATABASE_URL", &inbox.database_url).env("CHATLEDGER_LOGS__FILTER", "error");
    command
        .env("CHATLEDGER_ACCESS_TOKEN", "simulated-access-token")
        .env("CHATLEDGER_PASSWORD", "correct horse battery");
    let output = command.output().await.expect("the program runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

async fn sandbox() -> (Inbox, TempDir) {
    let data = folder();
    let path = data.path().to_string_lossy().into_owned();
    (Inbox::start_with(|config| config.data_dir = path).await, data)
}

async fn only_id(inbox: &Inbox) -> String {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id::text FROM ledger.quarantine").fetch_all(&inbox.pool).await.unwrap();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids[0].clone()
}

#[tokio::test]
async fn r_in_6_a_row_that_became_readable_is_recorded_by_a_retry() {
    let (inbox, data) = sandbox().await;
    let value =
        json!({"contacts": [contact(ANA, "Ana Later")], "messages": [text_message(ANA, "wamid.1", now(), "Early")]});
    let call = inbox.call(value).to_string().replace(&inbox.phone_number_id, "777000777");
    assert_eq!(inbox.deliver(&call).await.status, 200);
    let id = only_id(&inbox).await;

    let (fine, listed) = cli(&inbox, data.path(), &["quarantine", "list"]).await;
    assert!(fine && listed.contains(&id) && listed.contains("number"), "{listed}");
    let (fine, shown) = cli(&inbox, data.path(), &["quarantine", "show", &id]).await;
    assert!(fine && shown.contains("wamid.1") && shown.contains("777000777"), "{shown}");
    let (fine, told) = cli(&inbox, data.path(), &["quarantine", "retry", &id]).await;
    assert!(!fine && told.contains("kept"), "{told}");
    assert_eq!(only_id(&inbox).await, id, "still the same row");

    let (fine, told) = cli(&inbox, data.path(), &["tenant", "create", "--slug", "late", "--name", "Late"]).await;
    assert!(fine, "{told}");
    let connect = ["tenant", "connect", "--tenant", "late", "--phone-number-id", "777000777", "--phone-number", "+1"];
    let (fine, told) = cli(&inbox, data.path(), &connect).await;
    assert!(fine, "{told}");
    let (fine, told) = cli(&inbox, data.path(), &["quarantine", "retry", &id]).await;
    assert!(fine && told.contains("recorded"), "{told}");
    assert!(quarantined(&inbox).await.is_empty());
    let late = TenantId::of_slug("late").0;
    let received = format!(
        "SELECT count(*) FROM ledger.events WHERE event_type = 'MessageReceived' AND tenant_id = '{late}' \
         AND payload::text LIKE '%wamid.1%'"
    );
    assert_eq!(inbox.count(&received).await, 1);
    // The contact came along, and WhatsApp's own repeat changes nothing.
    let named =
        format!("SELECT count(*) FROM ledger.events WHERE tenant_id = '{late}' AND payload::text LIKE '%Ana Later%'");
    assert_eq!(inbox.count(&named).await, 1);
    assert_eq!(inbox.deliver(&call).await.status, 200);
    assert_eq!(inbox.count(&received).await, 1);
    let (fine, told) = cli(&inbox, data.path(), &["quarantine", "retry", &id]).await;
    assert!(!fine && told.contains("no such row"), "{told}");
}

#[tokio::test]
async fn r_in_6_a_row_that_is_still_bad_stays() {
    let (inbox, data) = sandbox().await;
    assert_eq!(inbox.deliver("not JSON").await.status, 400);
    let bad = json!({"messages": [{"from": ANA, "id": "wamid.bad", "timestamp": "soon", "type": "text"}]});
    inbox.bring(bad).await;
    let before = quarantined(&inbox).await;
    assert_eq!(before.len(), 2);
    let (fine, told) = cli(&inbox, data.path(), &["quarantine", "retry", "--all"]).await;
    assert!(!fine, "{told}");
    assert_eq!(told.matches("kept").count(), 2, "{told}");
    assert_eq!(quarantined(&inbox).await, before);
    let (fine, listed) = cli(&inbox, data.path(), &["quarantine", "list", "--limit", "1"]).await;
    assert!(fine && listed.contains("1 row(s)"), "{listed}");
}
