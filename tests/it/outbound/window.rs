//! R-WIN-1, 4, 5, 6: when the window is closed, and what then may be sent.

use serde_json::json;

use super::{RUI, delivered, message, open, queued, send, template, text};
use crate::harness::inbox::{Inbox, now};

async fn wrote(ago: i64) -> Inbox {
    let inbox = Inbox::start().await;
    inbox.customer_wrote(RUI, "Hi", now() - ago).await;
    inbox
}

#[tokio::test]
async fn r_win_1_the_window_is_open_until_24_hours_after_the_customers_message() {
    let inbox = wrote(86_400 - 60).await;
    send(&inbox, text(RUI, "Just in time")).await.expect(201);
    let chat = inbox.get(&inbox.admin, &format!("chats/{RUI}/")).await.expect(200);
    let (written, closes) =
        (&chat["contact"]["last_message_timestamp"], &chat["contact"]["messaging_window_expires_at"]);
    assert_eq!(closes.as_i64().unwrap(), written.as_i64().unwrap() + 86_400);
}

#[tokio::test]
async fn r_win_1_at_24_hours_it_is_closed() {
    let inbox = wrote(86_400).await;
    send(&inbox, text(RUI, "Too late")).await.expect(453);
}

#[tokio::test]
async fn r_win_1_a_server_that_saw_the_window_closed_sees_it_opened_by_another() {
    let inbox = wrote(100_000).await;
    let beside = inbox.beside().await;
    send(&beside, text(RUI, "Too early")).await.expect(453);
    inbox.customer_writes(RUI, "Hi again").await;
    let sent = send(&beside, text(RUI, "Welcome back")).await;
    assert!(matches!(sent.status, 201 | 202), "{}", sent.text);
}

#[tokio::test]
async fn r_win_5_outside_everything_but_a_template_is_453_and_nothing_is_recorded() {
    let inbox = wrote(100_000).await;
    let others = [
        text(RUI, "Hi"),
        json!({"wa_id": RUI, "type": "image", "image": {"link": "https://cdn.example/x.png"}}),
        json!({"wa_id": RUI, "type": "location", "location": {"latitude": 1, "longitude": 2}}),
        json!({"wa_id": RUI, "type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "x"}}),
        json!({"wa_id": RUI, "type": "interactive", "interactive": {"type": "cta_url"}}),
    ];
    let before = inbox.count("SELECT count(*) FROM ledger.events").await;
    for body in others {
        let refused = send(&inbox, body).await.expect(453);
        assert_eq!(
            refused,
            json!({"reason": "The 24-hour customer service window is closed. Send a template message.",
                "waba_response": {"errors": [{"code": 470, "title": "Re-engagement message"}]}})
        );
    }
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, before);
    assert!(delivered(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_win_4_outside_template_and_hsm_may_be_sent() {
    let inbox = wrote(100_000).await;
    send(&inbox, template(RUI)).await.expect(201);
    let hsm = json!({"wa_id": RUI, "type": "hsm", "hsm": {"namespace": "n", "element_name": "hello_world",
        "language": {"code": "en_US", "policy": "deterministic"}}});
    send(&inbox, hsm).await.expect(201);
    // To somebody who never wrote, too.
    send(&inbox, template("351912000999")).await.expect(201);
    send(&inbox, text("351912000998", "Hi")).await.expect(453);
    assert_eq!(delivered(&inbox).await.len(), 3);
    assert_eq!(inbox.get(&inbox.admin, "chats/351912000998/").await.status, 404);
}

#[tokio::test]
async fn r_win_6_whatsapps_own_window_error_fails_the_message_with_that_error() {
    let inbox = open().await;
    for (sent, code) in (1..).zip([131_047, 470]) {
        inbox.behave(json!({"fail_next": {"code": code}})).await;
        let refused = send(&inbox, text(RUI, "Hi")).await.expect(453);
        assert!(refused["reason"].is_string(), "{refused}");
        assert_eq!(refused["waba_response"]["errors"][0]["code"], code);
        assert_eq!(queued(&inbox).await, sent);
        let page = inbox.get(&inbox.admin, &format!("messages/{RUI}/?from_us=true&limit=1")).await.expect(200);
        let message = &page["results"][0];
        assert_eq!(message["is_failed"], true, "{message}");
        assert_eq!(message["waba_payload"]["errors"][0]["code"], code);
    }
}

#[tokio::test]
async fn r_win_6_the_same_error_by_status_fails_the_message() {
    let inbox = open().await;
    inbox.behave(json!({"fail_status": {"code": 131_047}})).await;
    let sent = send(&inbox, text(RUI, "Hi")).await.expect(201);
    for _ in 0..100 {
        let shown = message(&inbox, RUI, &sent["id"]).await;
        if shown["is_failed"] == true {
            assert_eq!(shown["waba_payload"]["errors"][0]["code"], 131_047);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the message did not fail");
}
