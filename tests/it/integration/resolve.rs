//! Contract §F: resolving chats (R-CHAT-7).

use serde_json::{Value, json};

use super::{ANA, FORBIDDEN, NOBODY, NOT_FOUND, RUI, column};
use crate::harness::inbox::{Inbox, now, text_message};
use crate::projections::EQUAL;

#[tokio::test]
async fn r_chat_7_a_chat_is_resolved_until_its_customer_writes_again() {
    let inbox = Inbox::start().await;
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    let admin = &inbox.admin;
    let resolve = async |resolved: Value| {
        inbox.patch(admin, &format!("chats/{RUI}/resolve"), json!({"resolved": resolved})).await.expect(200)
    };
    let shown = async || {
        let chat = inbox.page(admin, &format!("chats/{RUI}/")).await["contact"]["resolved"].clone();
        let person = inbox.page(admin, &format!("persons/{RUI}/")).await["resolved"].clone();
        let message = column(&inbox.page(admin, &format!("messages/{RUI}/")).await, "/contact/resolved")[0].clone();
        assert_eq!((&chat, &chat), (&person, &message));
        chat
    };
    assert_eq!(shown().await, false);
    assert_eq!(resolve(json!(true)).await, json!({"wa_id": RUI, "resolved": true}));
    assert_eq!(shown().await, true);
    assert_eq!(inbox.page(admin, &format!("chats/{ANA}/")).await["contact"]["resolved"], false);
    // The same again is no event, and a form is as good.
    resolve(json!("True")).await;
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'ChatResolved'").await, 1);
    assert_eq!(resolve(json!(false)).await, json!({"wa_id": RUI, "resolved": false}));
    assert_eq!(shown().await, false);
    // What we send and what the system says reopens nothing.
    resolve(json!(true)).await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Bye"}});
    inbox.post(admin, "messages/", body).await.expect(201);
    let mut notice = text_message(RUI, "wamid.notice", now(), "");
    notice["type"] = json!("system");
    inbox.bring(json!({"messages": [notice]})).await;
    inbox.settle().await;
    assert_eq!(shown().await, true);
    // The customer does, also with what comes late, and with one event for the message alone.
    let before = inbox.count("SELECT count(*) FROM ledger.events").await;
    inbox.customer_wrote(RUI, "One more thing", now() - 3_600).await;
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, before + 1);
    assert_eq!(shown().await, false);
    // A rebuild ends the same.
    resolve(json!(true)).await;
    let tools = inbox.tools().await;
    tools.rebuild(&["persons".to_owned()], EQUAL, |_| {}).await.expect("rebuilt");
    tools.close().await;
    assert_eq!(shown().await, true);
}

#[tokio::test]
async fn r_chat_7_resolving_changes_neither_assignment_nor_window_nor_marks() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.give(RUI, &inbox.agent).await;
    let mut before = inbox.page(&inbox.agent, &format!("chats/{RUI}/")).await;
    inbox.patch(&inbox.agent, &format!("chats/{RUI}/resolve/"), json!({"resolved": true})).await.expect(200);
    let after = inbox.page(&inbox.agent, &format!("chats/{RUI}/")).await;
    before["contact"]["resolved"] = json!(true);
    before["last_message"]["contact"]["resolved"] = json!(true);
    assert_eq!(after, before);
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Still open"}});
    inbox.post(&inbox.agent, "messages/", body).await.expect(201);
}

#[tokio::test]
async fn r_chat_7_resolving_needs_what_answering_needs() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let ask = async |by, chat: &str, body: Value| {
        let answer = inbox.patch(by, &format!("chats/{chat}/resolve/"), body).await;
        (answer.status, answer.text)
    };
    let yes = || json!({"resolved": true});
    // The agent reads every chat and writes to its own, the bot reads its own.
    assert_eq!(ask(&inbox.agent, RUI, yes()).await, (403, FORBIDDEN.to_owned()));
    assert_eq!(ask(&inbox.bot, RUI, yes()).await, (404, NOT_FOUND.to_owned()));
    for unknown in [NOBODY, "abc", "%00"] {
        assert_eq!(ask(&inbox.admin, unknown, yes()).await, (404, NOT_FOUND.to_owned()), "{unknown}");
    }
    inbox.add_tenant("other", "other.example", "555").await;
    let stranger = inbox.add_user_to("other", "stranger", chatledger_domain::Role::Admin).await;
    assert_eq!(ask(&stranger, RUI, yes()).await, (404, NOT_FOUND.to_owned()));
    for (body, message) in [
        (json!({}), "This field is required."),
        (json!({"resolved": null}), "This field may not be null."),
        (json!({"resolved": "perhaps"}), "Must be a valid boolean."),
        (json!({"resolved": []}), "Must be a valid boolean."),
    ] {
        let told = inbox.patch(&inbox.admin, &format!("chats/{RUI}/resolve/"), body).await.expect(400);
        assert_eq!(told, json!({"resolved": [message], "reason": format!("resolved: {message}")}));
    }
}
