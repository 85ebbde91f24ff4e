//! Contract §G: reading messages.

use serde_json::{Value, json};

use super::{ANA, EVA, RUI, bodies, column, inside, keys};
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r_msg_1_the_newest_by_whatsapps_time_is_first() {
    let inbox = Inbox::start().await;
    let at = now() - 600;
    for (text, time) in [("b", 10), ("c", 10), ("a", 0), ("d", 10), ("e", 20)] {
        inbox.customer_wrote(RUI, text, at + time).await;
    }
    let all = inbox.page(&inbox.agent, "messages/").await;
    assert_eq!(bodies(&all), ["e", "d", "c", "b", "a"]);
    let since = inbox.page(&inbox.agent, &format!("messages/?since_time={}", at + 10)).await;
    assert_eq!(bodies(&since), ["e", "d", "c", "b"]);
    let one = inbox.page(&inbox.agent, "messages/?limit=2&offset=1").await;
    assert_eq!(bodies(&one), ["d", "c"]);
}

#[tokio::test]
async fn r_msg_2_since_is_inclusive_and_before_exclusive() {
    let inbox = Inbox::start().await;
    let at = now() - 600;
    for time in 0..4 {
        inbox.customer_wrote(RUI, &time.to_string(), at + time).await;
    }
    for (query, expected) in [
        (format!("since_time={}", at + 2), vec!["3", "2"]),
        (format!("before_time={}", at + 2), vec!["1", "0"]),
        (format!("since_time={}&before_time={}", at + 1, at + 3), vec!["2", "1"]),
        (format!("since_time={}&before_time={}", at + 1, at + 1), vec![]),
        (format!("since_time={}&before_time={}", at + 3, at + 1), vec![]),
    ] {
        for path in [format!("messages/?wa_id={RUI}&{query}"), format!("messages/{RUI}/?{query}")] {
            let page = inbox.page(&inbox.agent, &path).await;
            assert_eq!(bodies(&page), expected, "{path}");
            assert_eq!(page["count"], expected.len(), "{path}");
        }
    }
}

#[tokio::test]
async fn r_msg_3_search_finds_what_people_see() {
    let inbox = Inbox::start().await;
    let at = now() - 600;
    let messages = [
        json!({"type": "text", "text": {"body": "Olá ÁGUA 100%_x"}}),
        json!({"type": "image", "image": {"id": "1", "caption": "Receipt one"}}),
        json!({"type": "document", "document": {"id": "2", "filename": "Contract.PDF", "caption": "sign"}}),
        json!({"type": "button", "button": {"text": "Yes please", "payload": "hidden"}}),
        json!({"type": "interactive", "interactive": {"type": "list_reply",
            "list_reply": {"id": "hidden", "title": "Green tea"}}}),
        json!({"type": "location", "location": {"latitude": 1, "longitude": 2, "name": "Café", "address": "Rua 1"}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Zé Pedro"}}]}),
    ];
    for (number, message) in messages.into_iter().enumerate() {
        let mut whole = json!({"from": RUI, "id": format!("wamid.{number}"), "timestamp": at.to_string()});
        whole.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        inbox.bring(json!({"contacts": [contact(RUI, "Rui")], "messages": [whole]})).await;
    }
    inbox.settle().await;
    let template = json!({"wa_id": RUI, "type": "template", "template": {"name": "order_update",
        "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": [
            {"type": "text", "text": "Order 4711"}]}]}});
    inbox.post(&inbox.admin, "messages/", template).await.expect(201);
    for (search, kinds) in [
        ("%C3%A1gua", vec!["text"]),
        ("OL%C3%81", vec!["text"]),
        ("0%25_", vec!["text"]),
        ("receipt", vec!["image"]),
        ("contract.pdf", vec!["document"]),
        ("SIGN", vec!["document"]),
        ("yes", vec!["button"]),
        ("green+tea", vec!["interactive"]),
        ("caf%C3%89", vec!["location"]),
        ("rua", vec!["location"]),
        ("z%C3%89", vec!["contacts"]),
        ("4711", vec!["template"]),
        ("hidden", vec![]),
        ("_", vec!["text"]),
    ] {
        let page = inbox.page(&inbox.agent, &format!("messages/?search={search}")).await;
        assert_eq!(column(&page, "/waba_payload/type"), kinds, "{search}");
        assert_eq!(page["count"], kinds.len(), "{search}");
    }
    assert_eq!(inbox.total(&inbox.agent, "messages/?search=%20").await, 8);
}

#[tokio::test]
async fn r_msg_4_marking_shows_what_was_received_before() {
    let inbox = Inbox::start().await;
    let at = now() - 600;
    for time in [0, 10, 20] {
        inbox.customer_wrote(RUI, "Hello", at + time).await;
    }
    inbox.customer_wrote(ANA, "Hello", at + 5).await;
    let received = async |by, query: &str| column(&inbox.page(by, &format!("messages/?{query}")).await, "/received");
    // HEAD marks nothing.
    let head = inbox.http.raw.head(inbox.http.url("messages/?mark_as_received=1"));
    let head = head.header("Authorization", super::credential(&inbox.agent)).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 200);
    // Only what the answer shows, for its newest incoming message in each chat.
    let before = format!("wa_id={RUI}&before_time={}", at + 20);
    assert_eq!(received(&inbox.agent, &format!("{before}&mark_as_received=1")).await, [false, false]);
    assert_eq!(received(&inbox.agent, "").await, [false, true, false, true]);
    assert_eq!(received(&inbox.agent, "mark_as_received=0").await, [false, true, false, true]);
    assert_eq!(received(&inbox.agent, "mark_as_received=1").await, [false, true, false, true]);
    assert_eq!(received(&inbox.agent, "").await, [true; 4]);
    assert_eq!(received(&inbox.admin, "").await, [false; 4]);
    // The alias marks as well; an outgoing message is no reason to mark.
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    received(&inbox.admin, "from_us=1&mark_as_received=1").await;
    assert_eq!(column(&inbox.page(&inbox.admin, "chats/").await, "/new_messages"), [3, 1]);
    inbox.page(&inbox.admin, &format!("messages/{RUI}/?mark_as_received=1")).await;
    assert_eq!(column(&inbox.page(&inbox.admin, "chats/").await, "/new_messages"), [0, 1]);
}

#[tokio::test]
async fn messages_are_filtered_by_chat_assignment_tag_and_direction() {
    let inbox = Inbox::start().await;
    let group = inbox.group("Regular user").await;
    for chat in [RUI, ANA, EVA] {
        inbox.customer_wrote(chat, chat, now() - 60).await;
    }
    inbox.give(RUI, &inbox.agent).await;
    inbox.assign(&inbox.admin, ANA, json!({"assigned_group": group})).await.expect(200);
    let tag = inbox.tag("vip").await;
    inbox.tag_chat(tag, EVA).await;
    let body = json!({"wa_id": EVA, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    for (query, expected) in [
        ("assigned_to_me=1".to_owned(), vec![RUI]),
        (format!("assigned_group={group}"), vec![ANA]),
        (format!("chat_tag_id={tag}"), vec!["Hi", EVA]),
        (format!("chat_tag_id={tag}&from_us=false"), vec![EVA]),
        ("from_us=True".to_owned(), vec!["Hi"]),
        (format!("from_us=1&wa_id={RUI}"), vec![]),
        ("chat_tag_id=99999".to_owned(), vec![]),
        ("wa_id=351999999999".to_owned(), vec![]),
        ("wa_id=nonsense".to_owned(), vec![]),
        (format!("wa_id={EVA}&limit=1"), vec!["Hi"]),
    ] {
        let page = inbox.page(&inbox.agent, &format!("messages/?{query}")).await;
        assert_eq!(bodies(&page), expected, "{query}");
    }
    let alias = inbox.page(&inbox.agent, &format!("messages/{EVA}/")).await;
    assert_eq!(alias, inbox.page(&inbox.agent, &format!("messages/?wa_id={EVA}")).await);
    assert_eq!(inbox.page(&inbox.agent, "messages/351999999999/").await["results"], json!([]));
}

#[tokio::test]
async fn section_c_context_is_the_quoted_message_or_its_name() {
    let inbox = Inbox::start().await;
    let first = inbox.customer_wrote(RUI, "first", now() - 30).await;
    let quote = async |id: &str, quoted: &str| {
        let mut message = text_message(RUI, id, now() - 20, id);
        message["context"] = json!({"from": RUI, "id": quoted});
        inbox.bring(json!({"messages": [message]})).await;
        inbox.settle().await;
    };
    quote("wamid.second", &first).await;
    quote("wamid.third", "wamid.second").await;
    quote("wamid.fourth", "wamid.none").await;
    let answer = inbox.get(&inbox.agent, "messages/").await;
    let at = |number: &str| inside(&answer.text, &["results", number, "context"]);
    assert_eq!(at("0"), format!(r#"{{"id":"wamid.none","from":"{RUI}"}}"#));
    assert_eq!(keys(&at("1")), keys(&inside(&answer.text, &["results", "3"])));
    let third: Value = serde_json::from_str(&at("1")).unwrap();
    assert_eq!((&third["waba_payload"]["id"], &third["context"]), (&json!("wamid.second"), &Value::Null));
    assert_eq!(at("3"), "null");
}
