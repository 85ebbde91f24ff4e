//! R-IN-8, R-IN-9: names come and never go; contact, chat and message appear together.

use serde_json::{Value, json};

use super::{ANA, messages_of, person, simulate};
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r_in_8_a_name_updates_the_person_and_none_never_erases_one() {
    let inbox = Inbox::start().await;
    let mut number = 0;
    let mut call = |contacts: Value| {
        number += 1;
        json!({"contacts": contacts, "messages": [text_message(ANA, &format!("wamid.{number}"), now(), "Hi")]})
    };
    inbox.bring(call(json!([contact(ANA, "Rui Costa")]))).await;
    inbox.settle().await;
    let first = person(&inbox, ANA).await;
    assert_eq!((&first["waba_payload"]["profile"]["name"], &first["initials"]), (&json!("Rui Costa"), &json!("RC")));
    let nameless = [
        json!([contact(ANA, "")]),
        json!([contact(ANA, "  ")]),
        json!([{"wa_id": ANA}]),
        json!([{"wa_id": ANA, "profile": {}}]),
        json!([{"wa_id": ANA, "profile": {"name": null}}]),
        json!([]),
        Value::Null,
    ];
    for contacts in nameless {
        inbox.bring(call(contacts.clone())).await;
        inbox.settle().await;
        let now = person(&inbox, ANA).await;
        assert_eq!(now["waba_payload"]["profile"]["name"], "Rui Costa", "{contacts}");
        assert_eq!(now["waba_payload"]["wa_id"], ANA, "{contacts}");
        assert_eq!(now["initials"], "RC", "{contacts}");
    }
    inbox.bring(call(json!([contact(ANA, "Rui Pedro Sousa")]))).await;
    inbox.settle().await;
    let last = person(&inbox, ANA).await;
    assert_eq!(last["waba_payload"], json!({"profile": {"name": "Rui Pedro Sousa"}, "wa_id": ANA}));
    assert_eq!(last["initials"], "RS");
}

#[tokio::test]
async fn r_in_8_each_of_several_customers_gets_the_own_name() {
    let inbox = Inbox::start().await;
    let contacts = json!([contact("351912000002", "Bia Dois"), contact("351912000001", "Ana Um")]);
    let messages = json!([
        text_message("351912000001", "wamid.1", now(), "1"),
        text_message("351912000002", "wamid.2", now(), "2")
    ]);
    inbox.bring(json!({"contacts": contacts, "messages": messages})).await;
    inbox.settle().await;
    for (wa_id, name) in [("351912000001", "Ana Um"), ("351912000002", "Bia Dois")] {
        assert_eq!(person(&inbox, wa_id).await["waba_payload"]["profile"]["name"], name);
    }
}

#[tokio::test]
async fn r_in_9_a_first_message_makes_contact_person_and_chat_in_one_transaction() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(ANA, "Hi").await;
    let of_customer = format!("FROM ledger.events WHERE aggregate_id = '{ANA}'");
    assert_eq!(inbox.count(&format!("SELECT count(DISTINCT aggregate_type) {of_customer}")).await, 2);
    assert_eq!(inbox.count(&format!("SELECT count(DISTINCT xmin::text) {of_customer}")).await, 1);
    inbox.get(&inbox.admin, &format!("chats/{ANA}/")).await.expect(200);
    assert_eq!(person(&inbox, ANA).await["wa_id"], ANA);
    assert_eq!(messages_of(&inbox, ANA).await.len(), 1);
}

#[tokio::test]
async fn r_6_3_a_customer_with_a_hidden_number_is_read_and_answered_by_its_own_id() {
    let inbox = Inbox::start().await;
    let user = "PT.134912086553027419";
    let event = json!({"type": "text", "user_id": user, "name": "Nadia Sem Numero", "text": "Hidden"});
    let received = simulate(&inbox, event).await;
    let messages = messages_of(&inbox, user).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["customer_wa_id"], user);
    assert_eq!(messages[0]["waba_payload"]["id"], received["id"]);
    assert_eq!(messages[0]["waba_payload"]["from_user_id"], user);
    let person = person(&inbox, user).await;
    assert_eq!((&person["wa_id"], &person["initials"]), (&json!(user), &json!("NN")));
    assert!(person["messaging_window_expires_at"].is_number());
    let body = json!({"wa_id": user, "type": "text", "text": {"body": "Hello"}});
    let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let delivered = inbox.delivered().await;
    assert_eq!(delivered["count"], 1);
    let message = &delivered["messages"][0]["message"];
    assert_eq!(message["recipient"], user);
    assert!(message.get("to").is_none(), "{message}");
    // Its statuses name it by `recipient_user_id`.
    let id = sent["id"].as_str().unwrap();
    for _ in 0..100 {
        let messages = messages_of(&inbox, user).await;
        let ours = messages.iter().find(|message| message["id"] == id).expect("listed");
        if ours["waba_statuses"]["read"] != 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no status came to {user}");
}

#[tokio::test]
async fn r_6_3_messages_of_groups_are_ignored() {
    let inbox = Inbox::start().await;
    let before = super::events(&inbox).await;
    let mut message = text_message(ANA, "wamid.group", now(), "Hi all");
    message["group_id"] = json!("120363000000000000");
    inbox.bring(json!({"contacts": [contact(ANA, "Ana")], "messages": [message.clone()]})).await;
    let flat = json!({"messages": [message]}).to_string();
    assert_eq!(super::at_channel(&inbox, &inbox.channel_secret, &flat).await.status, 200);
    assert_eq!(super::events(&inbox).await, before);
    assert!(super::quarantined(&inbox).await.is_empty());
    assert_eq!(inbox.get(&inbox.admin, &format!("chats/{ANA}/")).await.status, 404);
}
