//! Contract §§C and F: chats and persons.

use serde_json::{Value, json};

use super::{ANA, EVA, NOBODY, NOT_FOUND, RUI, column, inside, keys};
use crate::harness::inbox::{Inbox, contact, now, text_message};

const CHAT: &str = "contact new_messages wa_id last_message assigned_to_user assigned_group tags";
const PERSON: &str = "wa_id waba_payload initials last_message_timestamp resolved messaging_window_expires_at";
const MESSAGE: &str = "id waba_payload waba_statuses contact from_us received sender context customer_wa_id tags \
                       chat_tags is_failed resend_payload";
const USER: &str = "url id username first_name last_name email profile groups permissions";
const APPLIED_TAG: &str = "name web_inbox_color tagging_id id extra";

fn template(to: &str) -> Value {
    json!({"wa_id": to, "type": "template", "template": {"name": "order_update", "language": {"code": "en_US"}}})
}

#[tokio::test]
async fn section_c_objects_have_their_keys_in_order_and_nothing_else() {
    let inbox = Inbox::start().await;
    let at = now() - 60;
    let id = inbox.named(RUI, "Rui Costa", "Hello", at).await;
    let group = inbox.group("Regular user").await;
    let tag = inbox.post(&inbox.admin, "tags/", json!({"name": "vip", "web_inbox_color": "#d32f2f"})).await.expect(201);
    let tagging = inbox.tag_message(tag["id"].as_i64().unwrap(), &id).await;
    let both = json!({"assigned_to_user": inbox.agent.id, "assigned_group": group});
    inbox.assign(&inbox.admin, RUI, both).await.expect(200);
    let answer = inbox.get(&inbox.agent, &format!("chats/{RUI}/")).await;
    let chat = answer.text.as_str();
    assert_eq!(keys(chat), CHAT);
    assert_eq!(keys(&inside(chat, &["contact"])), PERSON);
    assert_eq!(keys(&inside(chat, &["assigned_to_user"])), USER);
    assert_eq!(keys(&inside(chat, &["assigned_group"])), "id name");
    assert_eq!(keys(&inside(chat, &["tags", "0"])), APPLIED_TAG);
    let message = inside(chat, &["last_message"]);
    assert_eq!(keys(&message), MESSAGE);
    assert_eq!(keys(&inside(&message, &["waba_statuses"])), "sent delivered read");
    assert_eq!(keys(&inside(&message, &["contact"])), PERSON);
    assert_eq!(keys(&inside(&message, &["tags", "0"])), APPLIED_TAG);
    assert_eq!(keys(&inside(&message, &["chat_tags", "0"])), APPLIED_TAG);
    // WhatsApp's own objects come through byte by byte.
    let payload = text_message(RUI, &id, at, "Hello").to_string();
    assert_eq!(inside(&message, &["waba_payload"]), payload);
    let person = json!({"wa_id": RUI, "waba_payload": contact(RUI, "Rui Costa"), "initials": "RC",
        "last_message_timestamp": at, "resolved": false, "messaging_window_expires_at": at + 86_400});
    let user = inbox.page(&inbox.agent, "users/current/").await;
    let page = inbox.page(&inbox.agent, "messages/").await;
    let of_chat = &page["results"][0]["chat_tags"][0]["tagging_id"];
    let applied = |id: &Value| json!({"name": "vip", "web_inbox_color": "#d32f2f", "tagging_id": id, "id": tag["id"], "extra": null});
    let expected = json!({"id": page["results"][0]["id"], "waba_payload": text_message(RUI, &id, at, "Hello"),
        "waba_statuses": {"sent": 0, "delivered": 0, "read": 0}, "contact": person, "from_us": false,
        "received": false, "sender": null, "context": null, "customer_wa_id": RUI, "tags": [applied(&json!(tagging))],
        "chat_tags": [applied(of_chat)], "is_failed": false, "resend_payload": null});
    assert_eq!(page["results"][0], expected);
    assert_eq!(
        answer.body,
        json!({"contact": person, "new_messages": 1, "wa_id": RUI, "last_message": expected, "assigned_to_user": user,
               "assigned_group": {"id": group, "name": "Regular user"}, "tags": [applied(of_chat)]})
    );
    // The same in lists, and alone.
    assert_eq!(inbox.page(&inbox.agent, "chats/").await["results"][0], answer.body);
    let alone = inbox.get(&inbox.agent, &format!("persons/{RUI}/")).await;
    assert_eq!(keys(&alone.text), PERSON);
    assert_eq!(alone.body, person);
    assert_eq!(inbox.page(&inbox.agent, "persons/").await["results"], json!([person]));
}

#[tokio::test]
async fn section_c_an_outgoing_message_is_shown_as_it_was_sent() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"statuses": []})).await;
    inbox.customer_writes(RUI, "Hello").await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let answer = inbox.get(&inbox.agent, &format!("messages/{RUI}/")).await;
    let payload = inside(&answer.text, &["results", "0", "waba_payload"]);
    assert_eq!(keys(&payload), "preview_url recipient_type to type text id timestamp");
    let message = &answer.body["results"][0];
    assert_eq!(message["id"], sent["id"]);
    assert_eq!(message["waba_payload"]["id"], sent["waba_response"]["messages"][0]["id"]);
    assert_eq!(message["waba_payload"]["preview_url"], false);
    assert_eq!(message["waba_payload"]["to"], RUI);
    assert!(message["waba_payload"]["timestamp"].is_string());
    assert_eq!((&message["from_us"], &message["received"]), (&json!(true), &json!(true)));
    assert_eq!(message["sender"], inbox.page(&inbox.admin, "users/current/").await);
}

#[tokio::test]
async fn section_c_initials_are_of_the_first_and_the_last_word() {
    let inbox = Inbox::start().await;
    let people = [
        ("351912000001", "rui da costa", "RC"),
        ("351912000002", "Ana", "A"),
        ("351912000003", "élia Ömer", "ÉÖ"),
        ("351912000004", "", "3"),
        ("351912000005", "   ", "3"),
    ];
    for (wa_id, name, initials) in people {
        inbox.named(wa_id, name, "Hello", now()).await;
        assert_eq!(inbox.page(&inbox.agent, &format!("persons/{wa_id}/")).await["initials"], initials, "{name}");
    }
    // errors-and-limits §5: persons by name, whatever its case, then by id.
    inbox.named("351912000000", "ANA", "Hello", now()).await;
    let page = inbox.page(&inbox.agent, "persons/").await;
    let order = ["351912000004", "351912000005", "351912000000", "351912000002", "351912000001", "351912000003"];
    assert_eq!(column(&page, "/wa_id"), order);
}

#[tokio::test]
async fn r_chat_1_the_chat_whose_customer_wrote_last_is_first() {
    let inbox = Inbox::start().await;
    let (at, order) = (now() - 600, async || column(&inbox.page(&inbox.agent, "chats/").await, "/wa_id"));
    inbox.customer_wrote(RUI, "1", at).await;
    inbox.customer_wrote(ANA, "1", at + 20).await;
    inbox.customer_wrote(EVA, "1", at).await;
    assert_eq!(order().await, [ANA, RUI, EVA]);
    // What we send moves nothing, and what comes late neither.
    inbox.post(&inbox.admin, "messages/", template(EVA)).await.expect(201);
    inbox.customer_wrote(EVA, "0", at - 100).await;
    assert_eq!(order().await, [ANA, RUI, EVA]);
    // A chat whose customer never wrote stands where we wrote.
    inbox.post(&inbox.admin, "messages/", template("351912000999")).await.expect(201);
    assert_eq!(order().await, ["351912000999", ANA, RUI, EVA]);
    let chat = inbox.page(&inbox.agent, "chats/351912000999/").await;
    assert_eq!(chat["contact"]["last_message_timestamp"], Value::Null);
    assert_eq!(chat["contact"]["messaging_window_expires_at"], Value::Null);
    assert_eq!(chat["last_message"]["waba_payload"]["type"], "template");
    inbox.customer_wrote("351912000999", "1", at + 10).await;
    assert_eq!(order().await, [ANA, "351912000999", RUI, EVA]);
    // The newest message is the newest by WhatsApp's time.
    let chat = inbox.page(&inbox.agent, &format!("chats/{EVA}/")).await;
    assert_eq!(chat["last_message"]["from_us"], true);
    assert_eq!(chat["contact"]["last_message_timestamp"], at);
}

#[tokio::test]
async fn r_chat_2_and_5_new_messages_are_each_users_own() {
    let inbox = Inbox::start().await;
    let at = now() - 600;
    for (chat, times) in [(RUI, vec![0, 10, 10, 20]), (ANA, vec![5])] {
        for time in times {
            inbox.customer_wrote(chat, "Hello", at + time).await;
        }
    }
    inbox.post(&inbox.admin, "messages/", template(RUI)).await.expect(201);
    let new = async |by| column(&inbox.page(by, "chats/").await, "/new_messages");
    assert_eq!(new(&inbox.agent).await, [4, 1]);
    let mark = json!({"timestamp": at + 10, "customer_wa_id": RUI});
    inbox.post(&inbox.agent, "mark_as_received/", mark).await.expect(201);
    assert_eq!(
        (new(&inbox.agent).await, new(&inbox.admin).await),
        (vec![json!(1), json!(1)], vec![json!(4), json!(1)])
    );
    let mark = json!({"timestamp": at + 5, "customer_wa_id": ANA});
    inbox.post(&inbox.agent, "mark_as_received/", mark).await.expect(201);
    assert_eq!(column(&inbox.page(&inbox.agent, "chats/?unread=true").await, "/wa_id"), [RUI]);
    assert_eq!(inbox.total(&inbox.admin, "chats/?unread=True").await, 2);
    // R-CHAT-5: chats that have a message in [since, before).
    for (query, expected) in [
        (format!("messages_since_time={}&messages_before_time={}", at + 5, at + 6), vec![ANA]),
        (format!("messages_since_time={}&messages_before_time={}", at + 6, at + 10), vec![]),
        (format!("messages_since_time={}&messages_before_time={}", at, at + 6), vec![RUI, ANA]),
        (format!("messages_before_time={}", at + 5), vec![RUI]),
        (format!("messages_since_time={}", at + 20), vec![RUI]),
        (format!("messages_since_time={at}&messages_before_time={at}"), vec![]),
    ] {
        let page = inbox.page(&inbox.admin, &format!("chats/?{query}")).await;
        assert_eq!(
            (column(&page, "/wa_id"), &page["count"]),
            (expected.iter().map(|id| json!(id)).collect(), &json!(expected.len())),
            "{query}"
        );
    }
}

#[tokio::test]
async fn r_chat_3_and_r_fil_6_chats_of_mine_and_of_my_groups() {
    let inbox = Inbox::start().await;
    let (mine, other) = (inbox.group("Regular user").await, inbox.group("App integration").await);
    for chat in [RUI, ANA, EVA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    inbox.give(RUI, &inbox.agent).await;
    inbox.assign(&inbox.admin, ANA, json!({"assigned_group": mine})).await.expect(200);
    inbox.assign(&inbox.admin, EVA, json!({"assigned_group": other})).await.expect(200);
    let found = async |by, query: &str| {
        let page = inbox.page(by, &format!("chats/?{query}")).await;
        assert_eq!(page["count"].as_u64().map(|count| count as usize), page["results"].as_array().map(Vec::len));
        column(&page, "/wa_id")
    };
    assert_eq!(found(&inbox.agent, "assigned_to_me=true").await, [RUI]);
    assert_eq!(found(&inbox.bot, "assigned_to_me=1").await, [""; 0]);
    for all in ["assigned_to_me=false", "assigned_to_me=0", "assigned_to_me=", "assigned_group="] {
        assert_eq!(found(&inbox.agent, all).await.len(), 3, "{all}");
    }
    assert_eq!(found(&inbox.agent, &format!("assigned_group={mine}")).await, [ANA]);
    assert_eq!(found(&inbox.admin, &format!("assigned_group={other}")).await, [EVA]);
    assert_eq!(found(&inbox.agent, &format!("assigned_group={mine}&assigned_to_me=1")).await, [""; 0]);
    for group in [other, 99_999, -1] {
        let told = inbox.get(&inbox.agent, &format!("chats/?assigned_group={group}")).await.expect(400);
        assert!(told["assigned_group"][0].is_string() && told["reason"].is_string(), "{told}");
    }
    assert_eq!(found(&inbox.admin, "assigned_group=99999").await, [""; 0]);
}

#[tokio::test]
async fn r_chat_4_search_looks_at_name_number_and_tags() {
    let inbox = Inbox::start().await;
    inbox.named(RUI, "Rui Água", "nothing", now()).await;
    inbox.named(ANA, "Ana 100%_ok", "nothing", now() - 1).await;
    inbox.named(EVA, "Eva", "rui", now() - 2).await;
    inbox.tag_chat(inbox.tag("Agent NEEDED").await, EVA).await;
    inbox.tag_chat(inbox.tag("needed too").await, EVA).await;
    for (search, expected) in [
        ("RUI", vec![RUI]),
        ("%20%20%C3%81GUA%20", vec![RUI]),
        ("000222", vec![ANA]),
        ("needed", vec![EVA]),
        ("0%25_O", vec![ANA]),
        ("%25", vec![ANA]),
        ("_", vec![ANA]),
        ("%5C", vec![]),
        ("35191", vec![RUI, ANA, EVA]),
        ("", vec![RUI, ANA, EVA]),
        ("%20", vec![RUI, ANA, EVA]),
        ("nothing", vec![]),
    ] {
        let page = inbox.page(&inbox.agent, &format!("chats/?search={search}")).await;
        assert_eq!(column(&page, "/wa_id"), expected, "{search}");
        assert_eq!(page["count"], expected.len(), "{search}");
    }
    assert_eq!(column(&inbox.page(&inbox.agent, "persons/?search=%C3%A1gu").await, "/wa_id"), [RUI]);
}

#[tokio::test]
async fn r_chat_6_a_chat_exists_from_its_first_message() {
    let inbox = Inbox::start().await;
    for path in [format!("chats/{NOBODY}/"), format!("persons/{NOBODY}/"), format!("chat_assignment/{NOBODY}/")] {
        let answer = inbox.get(&inbox.admin, &path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
    let wish = json!({"assigned_to_user": inbox.agent.id});
    assert_eq!(inbox.assign(&inbox.admin, NOBODY, wish).await.status, 404);
    inbox.customer_writes(RUI, "Hello").await;
    inbox.post(&inbox.admin, "messages/", template(ANA)).await.expect(201);
    for chat in [RUI, ANA] {
        assert_eq!(inbox.page(&inbox.agent, &format!("chats/{chat}/")).await["wa_id"], chat);
    }
}
