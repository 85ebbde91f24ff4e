//! R-GEN-1, R-ERR-3: two tenants on one server know nothing of each other.

use chatledger_domain::Role;
use serde_json::json;

use super::{ANA, NOBODY, RUI, column};
use crate::harness::inbox::{Inbox, contact, now, text_message};

const NUMBER: &str = "990000000000001";

#[tokio::test]
async fn r_gen_1_what_is_anothers_answers_as_what_is_not_there() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", NUMBER).await;
    let boss = inbox.add_user_to("acme", "boss", Role::Admin).await;
    // Ana writes to acme, Rui to us; Rui's chat has all that there is.
    let value = json!({"contacts": [contact(ANA, "Ana")], "messages": [text_message(ANA, "wamid.ana", now(), "Hi")]});
    let call = inbox.call(value).to_string().replace(&inbox.phone_number_id, NUMBER);
    assert_eq!(inbox.deliver(&call).await.status, 200);
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    let of_message = inbox.tag_message(tag, &message).await;
    let of_chat = inbox.tag_chat(inbox.tag("second").await, RUI).await;
    inbox.give(RUI, &inbox.agent).await;
    let our_id = inbox.page(&inbox.admin, "messages/").await["results"][0]["id"].clone();
    let own = inbox.post(&boss, "tags/", json!({"name": "vip"})).await.expect(201)["id"].clone();
    let nothing = 1_000_000;

    for (theirs, unknown) in [
        (format!("chats/{RUI}/"), format!("chats/{NOBODY}/")),
        (format!("persons/{RUI}/"), format!("persons/{NOBODY}/")),
        (format!("chat_assignment/{RUI}/"), format!("chat_assignment/{NOBODY}/")),
        (format!("messages/{RUI}/"), format!("messages/{NOBODY}/")),
        (format!("messages/?wa_id={RUI}"), format!("messages/?wa_id={NOBODY}")),
        (format!("chat_assignment_events/?wa_id={RUI}"), format!("chat_assignment_events/?wa_id={NOBODY}")),
        (format!("chat_tagging_events/?wa_id={RUI}"), format!("chat_tagging_events/?wa_id={NOBODY}")),
        (format!("message_tagging_events/?message_id={message}"), "message_tagging_events/?message_id=no".to_owned()),
        (
            format!("message_tagging_events/?message_id={}", our_id.as_str().unwrap()),
            "message_tagging_events/?message_id=no".to_owned(),
        ),
        (format!("chat_tagging/{of_chat}/"), format!("chat_tagging/{nothing}/")),
        (format!("message_tagging/{of_message}/"), format!("message_tagging/{nothing}/")),
        (format!("users/{}/", inbox.bot.id), format!("users/{nothing}/")),
        ("chats/?search=Customer".to_owned(), "chats/?search=Nobody".to_owned()),
        ("persons/?search=Customer".to_owned(), "persons/?search=Nobody".to_owned()),
        ("messages/?search=Hello".to_owned(), "messages/?search=Nobody".to_owned()),
        (format!("chats/?chat_tag_id={tag}&search=Rui"), format!("chats/?chat_tag_id={nothing}&search=Rui")),
    ] {
        let (one, other) = (inbox.get(&boss, &theirs).await, inbox.get(&boss, &unknown).await);
        assert_eq!((one.status, one.text), (other.status, other.text), "GET {theirs}");
    }
    for path in ["chat_tagging", "message_tagging", "tags"] {
        for id in [of_chat, of_message, tag].map(|id| json!(id)).into_iter().filter(|id| *id != own) {
            let one = inbox.delete(&boss, &format!("{path}/{id}/")).await;
            let other = inbox.delete(&boss, &format!("{path}/{nothing}/")).await;
            assert_eq!((one.status, one.text, 404), (other.status, other.text, one.status), "DELETE {path}/{id}");
        }
    }
    let put = async |chat: &str, body| {
        let answer = inbox.put(&boss, &format!("chat_assignment/{chat}/"), body).await;
        (answer.status, answer.text)
    };
    assert_eq!(put(RUI, json!({})).await, put(NOBODY, json!({})).await);
    // Numbers are counted in each tenant: the bot's is nobody's and no group's in the other.
    let theirs = inbox.bot.id.0;
    for field in ["assigned_to_user", "assigned_group"] {
        let (status, text) = put(ANA, json!({field: theirs})).await;
        let (as_unknown, told) = put(ANA, json!({field: nothing})).await;
        assert_eq!((status, text), (as_unknown, told.replace(&nothing.to_string(), &theirs.to_string())));
        assert_eq!(status, 400, "{field}");
    }
    let patch = async |id: i64| {
        let answer = inbox.patch(&boss, &format!("tags/{id}/"), json!({"name": "taken over"})).await;
        (answer.status, answer.text)
    };
    assert!(tag != own && patch(tag).await == patch(nothing).await);
    for (path, theirs, unknown) in [
        ("chat_tagging/", json!({"tag": own, "chat": RUI}), json!({"tag": own, "chat": NOBODY})),
        ("message_tagging/", json!({"tag": own, "message": message}), json!({"tag": own, "message": "no"})),
        ("message_tagging/", json!({"tag": own, "message": our_id}), json!({"tag": own, "message": "no"})),
    ] {
        let (one, other) = (inbox.post(&boss, path, theirs.clone()).await, inbox.post(&boss, path, unknown).await);
        let named = [&theirs["chat"], &theirs["message"]].into_iter().find_map(|id| id.as_str()).unwrap();
        assert_eq!(one.status, 400);
        assert_eq!(
            one.text.replace(named, "?"),
            other.text.replace(NOBODY, "?").replace("id=no ", "id=? "),
            "POST {path}"
        );
    }
    let mark = async |chat: &str| {
        let body = json!({"timestamp": now(), "customer_wa_id": chat});
        let answer = inbox.post(&boss, "mark_as_received/", body).await;
        (answer.status, answer.text)
    };
    assert_eq!(mark(RUI).await, mark(NOBODY).await);

    // Each sees its own, and the one did nothing to the other.
    let lists = [("chats/", "/wa_id"), ("messages/", "/customer_wa_id"), ("persons/", "/wa_id")];
    for (list, of) in lists {
        assert_eq!(column(&inbox.page(&boss, list).await, of), [ANA], "{list}");
        assert_eq!(column(&inbox.page(&inbox.admin, list).await, of), [RUI], "{list}");
    }
    for list in ["chat_assignment_events/", "chat_tagging_events/", "message_tagging_events/"] {
        assert_eq!(inbox.total(&boss, list).await, 0, "{list}");
    }
    assert_eq!(column(&inbox.page(&boss, "users/").await, "/username"), ["boss"]);
    assert_eq!(column(&inbox.page(&boss, "tags/").await, "/id"), [own]);
    let chat = inbox.page(&inbox.admin, &format!("chats/{RUI}/")).await;
    assert_eq!(column(&json!({"results": chat["tags"]}), "/name"), ["vip", "second"]);
    assert_eq!((&chat["assigned_to_user"]["username"], &chat["new_messages"]), (&json!("agent"), &json!(1)));
}

#[tokio::test]
async fn r_gen_1_the_same_names_and_numbers_are_two_things_in_two_tenants() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", NUMBER).await;
    let boss = inbox.add_user_to("acme", "boss", Role::Admin).await;
    // The same customer, the same WhatsApp id of a message, the same tag name.
    let value = |text: &str| json!({"contacts": [contact(RUI, text)], "messages": [text_message(RUI, "wamid.same", now(), text)]});
    let call = inbox.call(value("acme")).to_string().replace(&inbox.phone_number_id, NUMBER);
    assert_eq!(inbox.deliver(&call).await.status, 200);
    inbox.bring(value("ours")).await;
    inbox.settle().await;
    let ours = inbox.tag("vip").await;
    let theirs = inbox.post(&boss, "tags/", json!({"name": "vip"})).await.expect(201)["id"].clone();
    inbox.tag_message(ours, "wamid.same").await;
    inbox.post(&boss, "mark_as_received/", json!({"timestamp": now(), "customer_wa_id": RUI})).await.expect(201);
    inbox.assign(&boss, RUI, json!({"assigned_to_user": boss.id})).await.expect(200);
    let chat = async |by| inbox.page(by, &format!("chats/{RUI}/")).await;
    let (our_chat, their_chat) = (chat(&inbox.admin).await, chat(&boss).await);
    assert_eq!(our_chat["contact"]["waba_payload"]["profile"]["name"], "ours");
    assert_eq!(their_chat["contact"]["waba_payload"]["profile"]["name"], "acme");
    assert_eq!((&our_chat["new_messages"], &their_chat["new_messages"]), (&json!(1), &json!(0)));
    assert_eq!((&our_chat["tags"][0]["id"], &their_chat["tags"]), (&json!(ours), &json!([])));
    assert_eq!(our_chat["assigned_to_user"], json!(null));
    assert_eq!(their_chat["assigned_to_user"]["username"], "boss");
    assert_ne!(our_chat["last_message"]["id"], their_chat["last_message"]["id"]);
    inbox.post(&boss, "message_tagging/", json!({"tag": theirs, "message": "wamid.same"})).await.expect(201);
    assert_eq!(inbox.total(&inbox.admin, "message_tagging_events/").await, 1);
}
