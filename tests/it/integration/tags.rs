//! Contract §I: tags and taggings.

use serde_json::{Value, json};

use super::{ANA, NOT_FOUND, RUI, column, inside, keys};
use crate::harness::inbox::Inbox;

const EVENT: &str = "timestamp action tag chat extra done_by";

/// Of a chat's tags: their ids.
async fn tags_of(inbox: &Inbox, chat: &str) -> Vec<Value> {
    let chat = inbox.page(&inbox.admin, &format!("chats/{chat}/")).await;
    column(&json!({"results": chat["tags"]}), "/id")
}

/// Of a chat's newest message: its tags' ids.
async fn tags_of_message(inbox: &Inbox, chat: &str) -> Vec<Value> {
    let page = inbox.page(&inbox.admin, &format!("messages/{chat}/?limit=1")).await;
    column(&json!({"results": page["results"][0]["tags"]}), "/id")
}

#[tokio::test]
async fn r_tag_1_tagging_a_message_tags_its_chat() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    let body = json!({"tag": tag, "message": message, "extra": {"by": "bot"}});
    let answer = inbox.post(&inbox.agent, "message_tagging/", body).await;
    assert_eq!(keys(&answer.text), "id tag message extra");
    let id = answer.body["id"].clone();
    assert_eq!(answer.expect(201), json!({"id": id, "tag": tag, "message": message, "extra": {"by": "bot"}}));
    let chat = inbox.page(&inbox.admin, &format!("chats/{RUI}/")).await;
    let applied = &chat["tags"][0];
    assert_eq!((&applied["id"], &applied["extra"]), (&json!(tag), &json!({"by": "bot"})));
    assert_ne!(applied["tagging_id"], id);
    let of_chat = inbox.page(&inbox.agent, &format!("chat_tagging/{}/", applied["tagging_id"])).await;
    assert_eq!(of_chat, json!({"id": applied["tagging_id"], "tag": tag, "chat": RUI, "extra": {"by": "bot"}}));
    assert_eq!(inbox.page(&inbox.agent, &format!("message_tagging/{id}/")).await["message"], json!(message));
    // One append, and the same doer in both histories.
    let me = inbox.page(&inbox.agent, "users/current/").await;
    let chats = inbox.page(&inbox.agent, "chat_tagging_events/").await;
    let messages = inbox.page(&inbox.agent, "message_tagging_events/").await;
    assert_eq!((&chats["results"][0]["done_by"], &messages["results"][0]["done_by"]), (&me, &me));
    assert_eq!(chats["results"][0]["extra"], json!({"by": "bot"}));
    // Either id names the message; the kind of tagging counts.
    let our_id = inbox.page(&inbox.agent, "messages/").await["results"][0]["id"].clone();
    let second = inbox.tag("second").await;
    let by_ours = json!({"tag": second, "message": our_id});
    let made = inbox.post(&inbox.agent, "message_tagging/", by_ours).await.expect(201);
    assert_eq!(made["message"], json!(message));
    for path in [format!("chat_tagging/{id}/"), format!("message_tagging/{}/", applied["tagging_id"])] {
        for answer in [inbox.get(&inbox.agent, &path).await, inbox.delete(&inbox.agent, &path).await] {
            assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
        }
    }
}

#[tokio::test]
async fn r_tag_2_3_and_5_a_pair_is_there_once() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    let of_chat = inbox.tag_chat(tag, RUI).await;
    // R-TAG-2
    let of_message = inbox.tag_message(tag, &message).await;
    assert_eq!(inbox.total(&inbox.agent, "chat_tagging_events/").await, 1);
    assert_eq!(tags_of(&inbox, RUI).await, [tag]);
    // R-TAG-3
    let again = inbox.post(&inbox.agent, "chat_tagging/", json!({"tag": tag, "chat": RUI})).await;
    let text = "The fields chat, tag must make a unique set.";
    assert_eq!(again.expect(400), json!({"non_field_errors": [text], "reason": text}));
    let again = inbox.post(&inbox.agent, "message_tagging/", json!({"tag": tag, "message": message})).await;
    let text = "The fields message, tag must make a unique set.";
    assert_eq!(again.expect(400), json!({"non_field_errors": [text], "reason": text}));
    // R-TAG-5: each is removed alone.
    assert_eq!(inbox.delete(&inbox.agent, &format!("message_tagging/{of_message}/")).await.status, 204);
    assert_eq!((tags_of(&inbox, RUI).await, tags_of_message(&inbox, RUI).await), (vec![json!(tag)], vec![]));
    inbox.tag_message(tag, &message).await;
    assert_eq!(inbox.delete(&inbox.agent, &format!("chat_tagging/{of_chat}/")).await.status, 204);
    assert_eq!((tags_of(&inbox, RUI).await, tags_of_message(&inbox, RUI).await), (vec![], vec![json!(tag)]));
    assert_eq!(inbox.total(&inbox.agent, "message_tagging_events/").await, 3);
}

#[tokio::test]
async fn r_tag_3_of_two_who_tag_at_once_one_does() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    for (path, body) in [
        ("message_tagging/", json!({"tag": tag, "message": message})),
        ("chat_tagging/", json!({"tag": inbox.tag("second").await, "chat": RUI})),
        ("tags/", json!({"name": "third"})),
    ] {
        let post = |by| inbox.post(by, path, body.clone());
        let (one, two) = tokio::join!(post(&inbox.agent), post(&inbox.admin));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400], "{path}: {} {}", one.text, two.text);
    }
}

#[tokio::test]
async fn r_tag_4_6_and_7_what_is_removed_can_be_added_and_all_stays_in_the_history() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    let mut ids = vec![inbox.tag_message(tag, &message).await];
    for _ in 0..2 {
        for (kind, wanted) in [
            ("message_tagging", json!({"tag": tag, "message": message})),
            ("chat_tagging", json!({"tag": tag, "chat": RUI})),
        ] {
            let page = inbox.page(&inbox.agent, &format!("messages/{RUI}/")).await;
            let of = if kind == "chat_tagging" { "chat_tags" } else { "tags" };
            let standing = page["results"][0][of][0]["tagging_id"].clone();
            let path = format!("{kind}/{standing}/");
            assert_eq!(inbox.delete(&inbox.agent, &path).await.status, 204);
            for gone in [inbox.get(&inbox.agent, &path).await, inbox.delete(&inbox.agent, &path).await] {
                assert_eq!((gone.status, gone.text.as_str()), (404, NOT_FOUND), "{path}");
            }
            let made = inbox.post(&inbox.agent, &format!("{kind}/"), wanted).await.expect(201);
            ids.push(made["id"].as_i64().unwrap());
        }
    }
    // R-TAG-7
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let answer = inbox.get(&inbox.agent, "chat_tagging_events/").await;
    assert_eq!(keys(&inside(&answer.text, &["results", "0"])), EVENT);
    assert_eq!(keys(&inside(&answer.text, &["results", "0", "tag"])), "id name web_inbox_color");
    assert_eq!(column(&answer.body, "/action"), ["added", "removed", "added", "removed", "added"]);
    assert_eq!(column(&answer.body, "/done_by/username"), ["agent", "agent", "agent", "agent", "admin"]);
    let answer = inbox.get(&inbox.agent, "message_tagging_events/").await;
    assert_eq!(keys(&inside(&answer.text, &["results", "0"])), EVENT.replace("chat", "message"));
    assert_eq!(column(&answer.body, "/action"), ["added", "removed", "added", "removed", "added"]);
    assert_eq!(column(&answer.body, "/message"), vec![message.as_str(); 5]);
}

#[tokio::test]
async fn r_tag_6_an_event_shows_the_tag_as_it_was_then() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.customer_writes(ANA, "Hello").await;
    let tag = inbox.tag("first").await;
    let (path, of_rui) = (format!("tags/{tag}/"), inbox.tag_chat(tag, RUI).await);
    inbox.patch(&inbox.admin, &path, json!({"name": "second", "web_inbox_color": "#fff"})).await.expect(200);
    assert_eq!(inbox.delete(&inbox.agent, &format!("chat_tagging/{of_rui}/")).await.status, 204);
    inbox.tag_chat(tag, ANA).await;
    inbox.patch(&inbox.admin, &path, json!({"name": "third"})).await.expect(200);
    // What stands has the name of now, what was has the name of then.
    assert_eq!(inbox.page(&inbox.agent, &format!("chats/{ANA}/")).await["tags"][0]["name"], "third");
    assert_eq!(inbox.delete(&inbox.admin, &path).await.status, 204);
    let events = inbox.page(&inbox.agent, "chat_tagging_events/").await;
    assert_eq!(column(&events, "/action"), ["removed", "added", "removed", "added"]);
    assert_eq!(column(&events, "/tag/name"), ["third", "second", "second", "first"]);
    let colors = column(&events, "/tag/web_inbox_color");
    assert_eq!(colors, [json!("#fff"), json!("#fff"), json!("#fff"), Value::Null]);
}

#[tokio::test]
async fn r_tag_8_and_10_what_a_tagging_is_made_of() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    let pk = "Invalid pk \"99\" - object does not exist.";
    for (path, body) in [
        ("chat_tagging/", json!({"tag": 99, "chat": RUI})),
        ("message_tagging/", json!({"tag": 99, "message": message})),
    ] {
        let told = inbox.post(&inbox.agent, path, body).await.expect(400);
        assert_eq!(told, json!({"tag": [pk], "reason": format!("tag: {pk}")}));
    }
    let missing = "This field is required.";
    let told = inbox.post(&inbox.agent, "chat_tagging/", json!({})).await.expect(400);
    assert_eq!(told, json!({"tag": [missing], "chat": [missing], "reason": format!("tag: {missing}")}));
    let told = inbox.post(&inbox.agent, "message_tagging/", json!({})).await.expect(400);
    assert_eq!(told, json!({"tag": [missing], "message": [missing], "reason": format!("tag: {missing}")}));
    for extra in [json!([]), json!("text"), json!(1), json!(true)] {
        let body = json!({"tag": tag, "chat": RUI, "extra": extra});
        let told = inbox.post(&inbox.agent, "chat_tagging/", body).await.expect(400);
        assert!(told["extra"][0].is_string(), "{told}");
    }
    assert_eq!(tags_of(&inbox, RUI).await, [""; 0]);
    // R-TAG-10: unchanged, wherever it is shown.
    let extra = r#"{"z": 1.0, "a": [null, "é\u00e9"], "big": 12345678901234567890123, "a": 2}"#;
    let headers = [("Content-Type", "application/json"), ("Authorization", &*super::credential(&inbox.agent))];
    let body = format!(r#"{{"tag":{tag},"message":"{message}","extra":{extra}}}"#);
    let made = inbox.raw("POST", "message_tagging/", &headers, &body).await;
    assert_eq!((made.status, inside(&made.text, &["extra"])), (201, extra.to_owned()));
    let shown = async |path: &str, at: &[&str]| inside(&inbox.get(&inbox.agent, path).await.text, at);
    assert_eq!(shown("messages/", &["results", "0", "tags", "0", "extra"]).await, extra);
    assert_eq!(shown("messages/", &["results", "0", "chat_tags", "0", "extra"]).await, extra);
    assert_eq!(shown("chats/", &["results", "0", "tags", "0", "extra"]).await, extra);
    assert_eq!(shown(&format!("message_tagging/{}/", made.body["id"]), &["extra"]).await, extra);
    assert_eq!(shown("message_tagging_events/", &["results", "0", "extra"]).await, extra);
    assert_eq!(shown("chat_tagging_events/", &["results", "0", "extra"]).await, extra);
    // Null and absent are the same.
    let body = json!({"tag": inbox.tag("second").await, "chat": RUI, "extra": null});
    assert_eq!(inbox.post(&inbox.agent, "chat_tagging/", body).await.expect(201)["extra"], Value::Null);
}

#[tokio::test]
async fn r_tag_9_names_are_unique_whatever_their_case() {
    let inbox = Inbox::start().await;
    let answer = inbox.post(&inbox.agent, "tags/", json!({"name": " Água ", "web_inbox_color": "#d32f2f"})).await;
    assert_eq!(keys(&answer.text), "id name web_inbox_color");
    let tag = answer.expect(201);
    assert_eq!((&tag["name"], &tag["web_inbox_color"]), (&json!("Água"), &json!("#d32f2f")));
    let other = inbox.tag("other").await;
    let path = format!("tags/{other}/");
    let taken = "A tag with that name already exists.";
    for name in ["Água", "ÁGUA", " água"] {
        let told = inbox.post(&inbox.agent, "tags/", json!({"name": name})).await.expect(400);
        assert_eq!(told, json!({"name": [taken], "reason": format!("name: {taken}")}));
        assert_eq!(inbox.patch(&inbox.admin, &path, json!({"name": name})).await.expect(400)["name"], json!([taken]));
    }
    for (name, text) in [
        (json!(""), "This field may not be blank."),
        (json!("  "), "This field may not be blank."),
        (Value::Null, "This field may not be null."),
        (json!({}), "Not a valid string."),
        (json!(true), "Not a valid string."),
        (json!("é".repeat(1_001)), "Ensure this field has no more than 1000 characters."),
    ] {
        let told = inbox.post(&inbox.agent, "tags/", json!({"name": name})).await.expect(400);
        assert_eq!(told, json!({"name": [text], "reason": format!("name: {text}")}));
    }
    let color = json!({"name": "x", "web_inbox_color": "x".repeat(1_001)});
    assert!(inbox.post(&inbox.agent, "tags/", color).await.expect(400)["web_inbox_color"][0].is_string());
    inbox.post(&inbox.agent, "tags/", json!({"name": "é".repeat(1_000)})).await.expect(201);
    // Its own name in another case is free, and a name that was given up too.
    let patched = inbox.patch(&inbox.admin, &path, json!({"name": "OTHER"})).await.expect(200);
    assert_eq!(patched, json!({"id": other, "name": "OTHER", "web_inbox_color": null}));
    inbox.patch(&inbox.admin, &path, json!({"name": "new", "web_inbox_color": "red"})).await.expect(200);
    let patched = inbox.patch(&inbox.admin, &path, json!({"web_inbox_color": null})).await.expect(200);
    assert_eq!(patched, json!({"id": other, "name": "new", "web_inbox_color": null}));
    assert_eq!(inbox.patch(&inbox.admin, &path, json!({})).await.expect(200), patched);
    inbox.tag("other").await;
    let ids: Vec<i64> =
        column(&inbox.page(&inbox.bot, "tags/").await, "/id").iter().filter_map(Value::as_i64).collect();
    assert!(ids.len() == 4 && ids.is_sorted(), "{ids:?}");
}

#[tokio::test]
async fn deleting_a_tag_removes_its_taggings_each_with_an_event() {
    let inbox = Inbox::start().await;
    let (tag, stays) = (inbox.tag("vip").await, inbox.tag("stays").await);
    for n in 0..5 {
        let chat = format!("35191200{n:04}");
        let message = inbox.customer_writes(&chat, "Hello").await;
        inbox.tag_message(tag, &message).await;
        inbox.tag_chat(stays, &chat).await;
    }
    let path = format!("tags/{tag}/");
    assert_eq!(inbox.delete(&inbox.admin, &path).await.status, 204);
    assert_eq!(inbox.delete(&inbox.admin, &path).await.status, 404);
    assert_eq!(inbox.patch(&inbox.admin, &path, json!({"name": "x"})).await.status, 404);
    assert_eq!(column(&inbox.page(&inbox.agent, "tags/").await, "/name"), ["stays"]);
    let chats = inbox.page(&inbox.agent, "chats/").await;
    assert_eq!(column(&chats, "/tags/0/id"), vec![json!(stays); 5]);
    assert_eq!(column(&chats, "/tags/1"), vec![Value::Null; 5]);
    assert_eq!(column(&inbox.page(&inbox.agent, "messages/").await, "/tags"), vec![json!([]); 5]);
    assert_eq!(inbox.total(&inbox.agent, &format!("chats/?chat_tag_id={tag}")).await, 0);
    for (list, count) in [("chat_tagging_events", 15), ("message_tagging_events", 10)] {
        let page = inbox.page(&inbox.agent, &format!("{list}/")).await;
        assert_eq!(page["count"], count, "{list}");
        assert_eq!(column(&page, "/action")[..5], vec![json!("removed"); 5], "{list}");
        assert_eq!(column(&page, "/tag/id")[..5], vec![json!(tag); 5], "{list}");
        assert_eq!(column(&page, "/done_by/username")[..5], vec![json!("admin"); 5], "{list}");
    }
    // The tag is nobody's now, and its name is free.
    let told = inbox.post(&inbox.agent, "chat_tagging/", json!({"tag": tag, "chat": "351912000000"})).await.expect(400);
    assert!(told["tag"][0].is_string(), "{told}");
    assert_ne!(inbox.tag("VIP").await, tag);
}

/// The other families come later; until then this shows that there is nothing beside the ledger that could differ.
#[tokio::test]
async fn r_tag_11_every_list_shows_the_tags_of_a_chat_from_the_one_source() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let (vip, late) = (inbox.tag("vip").await, inbox.tag("late").await);
    let tagging = inbox.tag_chat(vip, RUI).await;
    inbox.tag_message(late, &message).await;
    let shown = async || {
        let chat = inbox.page(&inbox.agent, &format!("chats/{RUI}/")).await["tags"].clone();
        let listed = inbox.page(&inbox.agent, "chats/").await["results"][0]["tags"].clone();
        let of_message = inbox.page(&inbox.agent, "messages/").await["results"][0]["chat_tags"].clone();
        assert_eq!((&chat, &chat), (&listed, &of_message));
        for tag in chat.as_array().expect("a list") {
            // Each tag finds the chat, and each tagging is there alone.
            let found = inbox.page(&inbox.agent, &format!("chats/?chat_tag_id={}", tag["id"])).await;
            assert_eq!(found["results"][0]["wa_id"], RUI);
            let alone = inbox.page(&inbox.agent, &format!("chat_tagging/{}/", tag["tagging_id"])).await;
            assert_eq!(alone, json!({"id": tag["tagging_id"], "tag": tag["id"], "chat": RUI, "extra": null}));
        }
        let names: Vec<Value> = chat.as_array().expect("a list").iter().map(|tag| tag["name"].clone()).collect();
        // The history, replayed, says the same.
        let history = inbox.page(&inbox.agent, &format!("chat_tagging_events/?wa_id={RUI}")).await;
        let mut replayed: Vec<Value> = Vec::new();
        for event in history["results"].as_array().expect("a list").iter().rev() {
            let name = event["tag"]["name"].clone();
            match event["action"].as_str() {
                Some("added") => replayed.push(name),
                _ => replayed.retain(|tag| *tag != name),
            }
        }
        assert_eq!(names, replayed);
        names
    };
    assert_eq!(shown().await, ["vip", "late"]);
    assert_eq!(inbox.delete(&inbox.agent, &format!("chat_tagging/{tagging}/")).await.status, 204);
    assert_eq!(shown().await, ["late"]);
}
