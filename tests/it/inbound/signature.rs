//! R-IN-1: only what Meta signed comes in, and what it did not leaves no trace.

use chrono::Utc;
use serde_json::json;

use super::ANA;
use crate::harness::{
    http::{Answer, sign},
    inbox::{Inbox, now, text_message},
};

async fn deliver(inbox: &Inbox, body: &str, signature: Option<&str>) -> Answer {
    let mut request = inbox.http.raw.post(inbox.http.url("whatsapp/webhooks")).body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("X-Hub-Signature-256", signature);
    }
    inbox.http.send(request.header("Content-Type", "application/json")).await
}

#[tokio::test]
async fn r_in_1_what_is_not_signed_right_is_401_and_leaves_no_trace() {
    let inbox = Inbox::start().await;
    let body = inbox.call(json!({"messages": [text_message(ANA, "wamid.forged", now(), "Hi")]})).to_string();
    let right = sign(&inbox.app_secret, body.as_bytes());
    let altered = if right.ends_with('0') { "1" } else { "0" };
    let bare = right.trim_start_matches("sha256=").to_owned();
    let wrong = [
        None,
        Some(String::new()),
        Some("sha256=".to_owned()),
        Some("sha256=zz".to_owned()),
        Some(sign("another secret", body.as_bytes())),
        Some(sign(&inbox.app_secret, format!("{body} ").as_bytes())),
        Some(format!("{}{altered}", &right[..right.len() - 1])),
        Some(right[..right.len() - 2].to_owned()),
        Some(format!("{right}00")),
        Some(format!("sha1={bare}")),
        Some(format!("sha1={}", &bare[..40])),
        Some(bare.clone()),
    ];
    let before = rows(&inbox).await;
    for signature in &wrong {
        let answer = deliver(&inbox, &body, signature.as_deref()).await;
        assert_eq!(answer.status, 401, "{signature:?}");
        assert_eq!(
            answer.text, r#"{"success":false,"error":"Invalid signature","details":{"code":"INVALID_SIGNATURE"}}"#,
            "{signature:?}"
        );
    }
    // One bit of the body altered, under the signature of the other.
    let forged = body.replace("\"Hi\"", "\"Hj\"");
    assert_eq!(deliver(&inbox, &forged, Some(&right)).await.status, 401);
    // Nor is what could not be read kept, unless it is signed.
    assert_eq!(deliver(&inbox, "not JSON", Some(&right)).await.status, 401);
    assert_eq!(rows(&inbox).await, before);
    assert_eq!(deliver(&inbox, &body, Some(&right)).await.status, 200);
}

#[tokio::test]
async fn r_in_1_the_signature_is_over_the_raw_bytes() {
    let inbox = Inbox::start().await;
    // Written as no serialiser would write it: spaces, escapes, another order.
    let number = &inbox.phone_number_id;
    let stamp = Utc::now().timestamp();
    let body = format!(
        "{{ \"entry\" : [ {{\"changes\":[ {{\"value\":{{\"metadata\":{{\"phone_number_id\":\"{number}\"}},\
         \"messages\":[{{\"type\":\"text\",\"text\":{{\"body\":\"caf\\u00e9 \\/\"}},\"timestamp\":\"{stamp}\",\
         \"id\":\"wamid.raw\",\"from\":\"{ANA}\"}}]}},\"field\":\"messages\"}} ],\"id\":\"1\"}} ],\n\
         \"object\":\"whatsapp\\u005fbusiness_account\"}}\n"
    );
    let answer = deliver(&inbox, &body, Some(&sign(&inbox.app_secret, body.as_bytes()))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"success":true}"#));
    inbox.settle().await;
    let page = inbox.get(&inbox.admin, &format!("messages/{ANA}/")).await;
    assert!(page.text.contains(r#""body":"caf\u00e9 \/""#), "{}", page.text);
}

/// What is stored anywhere, table by table.
async fn rows(inbox: &Inbox) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
         WHERE schemaname IN ('ledger', 'read_models', 'outbound') AND tablename <> 'cursors' ORDER BY 1",
    )
    .fetch_all(&inbox.pool)
    .await
    .unwrap();
    inbox.settle().await;
    let mut rows = Vec::new();
    for table in tables {
        let count = inbox.count(&format!("SELECT count(*) FROM {table}")).await;
        rows.push((table, count));
    }
    assert!(rows.len() > 5, "{rows:?}");
    rows
}
