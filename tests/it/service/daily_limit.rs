//! R-ACC-4: how many customers a number may write to on a day without having been written to.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::asking::{account, inbox};
use crate::harness::inbox::{Inbox, now};

const RUI: &str = "351912000333";

fn template(wa_id: &str) -> Value {
    json!({"wa_id": wa_id, "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}})
}

/// So many customers, nobody of whom ever wrote.
fn strangers(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|n| format!("3519130{n:05}")).collect()
}

async fn send(inbox: &Inbox, body: Value) -> u16 {
    inbox.post(&inbox.admin, "messages/", body).await.status
}

/// WhatsApp allows 250 customers, and so many are counted already.
async fn with_used(inbox: &Inbox, used: i64) {
    let notice = json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": [
        {"field": "business_capability_update", "value": {"max_daily_conversations_per_business": 250}}]}]});
    assert_eq!(inbox.deliver(&notice.to_string()).await.status, 200);
    let sql = "INSERT INTO outbound.template_days (tenant_id, day, customers) VALUES ($1, (now() AT TIME ZONE 'UTC')::date, $2)
        ON CONFLICT (tenant_id, day) DO UPDATE SET customers = $2";
    sqlx::query(sql).bind(inbox.tenant).bind(used).execute(&inbox.pool).await.unwrap();
}

#[tokio::test]
async fn r_acc_4_distinct_customers_outside_the_window_are_counted() {
    let inbox = inbox().await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(send(&inbox, template(RUI)).await, 201);
    assert_eq!(account(&inbox, inbox.tenant).await["messagesUsedToday"], 0, "inside the window nobody is counted");
    let strangers = strangers(0, 3);
    for wa_id in strangers.iter().chain(&strangers) {
        assert_eq!(send(&inbox, template(wa_id)).await, 201);
    }
    assert_eq!(account(&inbox, inbox.tenant).await["messagesUsedToday"], 3, "each counts once");
    inbox.customer_wrote("351914000001", "Long ago", now() - 90_000).await;
    assert_eq!(send(&inbox, template("351914000001")).await, 201);
    assert_eq!(account(&inbox, inbox.tenant).await["messagesUsedToday"], 4, "a closed window is none");
    let outside = "SELECT count(*) FROM ledger.events WHERE payload->>'outside_window' = 'true'";
    assert_eq!(inbox.count(outside).await, 7);
}

#[tokio::test]
async fn r_acc_4_at_the_limit_only_those_who_are_counted_get_more_templates() {
    let inbox = inbox().await;
    inbox.customer_writes(RUI, "Hello").await;
    let strangers = strangers(0, 4);
    assert_eq!(send(&inbox, template(&strangers[0])).await, 201);
    with_used(&inbox, 249).await;
    assert_eq!(send(&inbox, template(&strangers[1])).await, 201, "the 250th");
    let queued = "SELECT count(*) FROM ledger.events WHERE event_type = 'MessageQueued'";
    let before = inbox.count(queued).await;
    let refused = inbox.post(&inbox.admin, "messages/", template(&strangers[2])).await.expect(400);
    assert_eq!(
        refused["reason"],
        "The daily limit of customers to be written to outside the 24-hour window is reached."
    );
    assert_eq!(inbox.count(queued).await, before, "nothing is recorded");
    assert_eq!(send(&inbox, template(&strangers[1])).await, 201, "counted already");
    assert_eq!(send(&inbox, template(RUI)).await, 201, "inside the window");
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    assert_eq!(send(&inbox, text).await, 201);
    let bulk = json!({"recipients": [{"recipient": strangers[0]}, {"recipient": strangers[3]}],
        "payload": {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}});
    inbox.post(&inbox.admin, "bulk_messages/", bulk).await.expect(201);
    let mut settled = Vec::new();
    for _ in 0..200 {
        let elements = inbox.get(&inbox.admin, "bulk_message_elements/?limit=10").await.expect(200);
        let of = |wa_id: &str| {
            let all = elements["results"].as_array().unwrap().clone();
            all.into_iter().find(|element| element["wa_id"] == wa_id).map(|element| element["status_code"].clone())
        };
        settled = vec![of(&strangers[0]), of(&strangers[3])];
        if settled.iter().all(|status| status.as_ref().is_some_and(Value::is_number)) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(settled, [Some(json!(201)), Some(json!(400))], "bulk messages as well");
}

#[tokio::test]
async fn r_acc_4_of_many_who_send_at_once_on_two_servers_no_more_get_through_than_may() {
    let inbox = inbox().await;
    let beside = inbox.beside().await;
    with_used(&inbox, 240).await;
    let strangers = strangers(100, 30);
    let sends = strangers.iter().enumerate().map(|(n, wa_id)| {
        let server = if n % 2 == 0 { &inbox } else { &beside };
        async move { send(server, template(wa_id)).await }
    });
    let statuses = join_all(sends).await;
    let through = statuses.iter().filter(|status| matches!(status, 201 | 202)).count();
    assert_eq!((through, statuses.iter().filter(|status| **status == 400).count()), (10, 20), "{statuses:?}");
}

#[tokio::test]
async fn r_acc_4_counts_that_a_crash_has_lost_are_made_anew_from_the_ledger() {
    let inbox = inbox().await;
    let strangers = strangers(200, 5);
    for wa_id in &strangers[..3] {
        assert_eq!(send(&inbox, template(wa_id)).await, 201);
    }
    sqlx::query("TRUNCATE outbound.template_days, outbound.template_day_customers").execute(&inbox.pool).await.unwrap();
    assert_eq!(send(&inbox, template(&strangers[0])).await, 201, "counted, as the ledger says");
    assert_eq!(send(&inbox, template(&strangers[3])).await, 201);
    assert_eq!(inbox.count("SELECT customers FROM outbound.template_days").await, 4);
    assert_eq!(account(&inbox, inbox.tenant).await["messagesUsedToday"], 4);
}
