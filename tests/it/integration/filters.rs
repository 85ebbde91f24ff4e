//! errors-and-limits §6: filters that several lists share.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ANA, NOBODY, RUI, column};
use crate::harness::inbox::{Inbox, now};

const HISTORIES: [&str; 3] = ["chat_assignment_events", "chat_tagging_events", "message_tagging_events"];

/// Rui and Ana wrote; both are tagged and assigned, Ana at least a second after Rui. Their messages.
async fn two_chats() -> (Inbox, i64, [String; 2]) {
    let inbox = Inbox::start().await;
    let tag = inbox.tag("vip").await;
    let messages = [inbox.customer_wrote(RUI, "1", now() - 30).await, inbox.customer_wrote(ANA, "2", now() - 20).await];
    for (chat, message) in [RUI, ANA].into_iter().zip(&messages) {
        inbox.tag_message(tag, message).await;
        inbox.give(chat, &inbox.agent).await;
        tokio::time::sleep(Duration::from_millis(1_050)).await;
    }
    (inbox, tag, messages)
}

#[tokio::test]
async fn r_fil_1_intervals_are_half_open_in_every_history() {
    let (inbox, ..) = two_chats().await;
    for list in HISTORIES {
        let times = column(&inbox.page(&inbox.agent, &format!("{list}/")).await, "/timestamp");
        let [late, early] = [0, 1].map(|at| times[at].as_i64().unwrap());
        assert!(late > early, "{list}: {times:?}");
        for (query, expected) in [
            (format!("since_time={early}"), 2),
            (format!("since_time={}", early + 1), 1),
            (format!("before_time={late}"), 1),
            (format!("before_time={early}"), 0),
            (format!("before_time={}", late + 1), 2),
            (format!("since_time={early}&before_time={late}"), 1),
            (format!("since_time={late}&before_time={late}"), 0),
            (format!("since_time={late}&before_time={early}"), 0),
            (format!("since_time={early}&before_time={}&wa_id={ANA}", late + 1), 1),
            ("since_time=-9223372036854775808&before_time=9223372036854775807".to_owned(), 2),
        ] {
            assert_eq!(inbox.total(&inbox.agent, &format!("{list}/?{query}")).await, expected, "{list} {query}");
        }
    }
}

#[tokio::test]
async fn r_fil_2_3_and_7_what_cannot_be_read_is_told() {
    let inbox = Inbox::start().await;
    let integer = json!(["A valid integer is required."]);
    for list in ["messages", "chat_assignment_events", "chat_tagging_events", "message_tagging_events"] {
        for name in ["since_time", "before_time"] {
            for value in ["x", "1.5", "99999999999999999999", "1e3", "0x10"] {
                let told = inbox.get(&inbox.agent, &format!("{list}/?{name}={value}")).await.expect(400);
                let reason = format!("{name}: A valid integer is required.");
                assert_eq!(told, json!({name: integer, "reason": reason}), "{list} {value}");
            }
        }
    }
    for (list, name) in [
        ("chats", "chat_tag_id"),
        ("chats", "assigned_group"),
        ("chats", "messages_since_time"),
        ("chats", "messages_before_time"),
        ("messages", "chat_tag_id"),
        ("messages", "assigned_group"),
    ] {
        let told = inbox.get(&inbox.agent, &format!("{list}/?{name}=x")).await.expect(400);
        assert_eq!(told[name], integer, "{list}");
    }
    for (list, name) in [
        ("chats", "assigned_to_me"),
        ("chats", "unread"),
        ("messages", "assigned_to_me"),
        ("messages", "from_us"),
        ("messages", "mark_as_received"),
    ] {
        for value in ["yes", "TRUE", "2", "-1", "null"] {
            let told = inbox.get(&inbox.agent, &format!("{list}/?{name}={value}")).await.expect(400);
            let text = "Must be a valid boolean.";
            assert_eq!(told, json!({name: [text], "reason": format!("{name}: {text}")}));
        }
        for value in ["true", "True", "1", "false", "False", "0", ""] {
            assert_eq!(inbox.get(&inbox.agent, &format!("{list}/?{name}={value}")).await.status, 200, "{name} {value}");
        }
    }
    // R-FIL-7: of characters, not of bytes.
    for list in ["chats", "messages", "persons"] {
        let search = |n: usize| format!("{list}/?search={}", "%C3%A9".repeat(n));
        assert_eq!(inbox.get(&inbox.agent, &search(200)).await.status, 200);
        let told = inbox.get(&inbox.agent, &search(201)).await.expect(400);
        assert_eq!(told["search"], json!(["Ensure this field has no more than 200 characters."]));
        assert_eq!(inbox.get(&inbox.agent, &format!("{list}/?search=%00")).await.status, 400);
    }
    // All that is wrong is told at once.
    let told = inbox.get(&inbox.agent, "messages/?since_time=x&before_time=y&from_us=z").await.expect(400);
    assert_eq!(told.as_object().map(serde_json::Map::len), Some(4), "{told}");
}

#[tokio::test]
async fn r_fil_4_and_5_filters_narrow_and_unknown_ids_find_nothing() {
    let (inbox, tag, [of_rui, of_ana]) = two_chats().await;
    let our_id = inbox.page(&inbox.agent, &format!("messages/{RUI}/")).await["results"][0]["id"].clone();
    let our_id = our_id.as_str().unwrap();
    for (path, expected) in [
        ("chat_assignment_events/".to_owned(), 2),
        ("message_tagging_events/".to_owned(), 2),
        (format!("message_tagging_events/?wa_id={RUI}"), 1),
        (format!("message_tagging_events/?message_id={of_rui}"), 1),
        (format!("message_tagging_events/?message_id={our_id}"), 1),
        (format!("message_tagging_events/?message_id={of_ana}&wa_id={ANA}"), 1),
        (format!("message_tagging_events/?message_id={of_ana}&wa_id={RUI}"), 0),
        ("message_tagging_events/?message_id=wamid.none".to_owned(), 0),
        ("message_tagging_events/?message_id=%00".to_owned(), 0),
        (format!("message_tagging_events/?message_id={}", uuid::Uuid::new_v4()), 0),
        (format!("chats/?chat_tag_id={tag}"), 2),
        (format!("chats/?chat_tag_id={tag}&search={RUI}"), 1),
        (format!("chats/?chat_tag_id={tag}&search={RUI}&assigned_to_me=1&unread=1"), 1),
        (format!("messages/?chat_tag_id={tag}&wa_id={RUI}&assigned_to_me=1&from_us=0&search=1"), 1),
        (format!("messages/?chat_tag_id={tag}&wa_id={RUI}&search=2"), 0),
        ("chats/?chat_tag_id=99999".to_owned(), 0),
        ("chats/?chat_tag_id=-1".to_owned(), 0),
        ("messages/?chat_tag_id=99999".to_owned(), 0),
    ] {
        assert_eq!(inbox.total(&inbox.agent, &path).await, expected, "{path}");
    }
    for list in HISTORIES {
        assert_eq!(inbox.total(&inbox.agent, &format!("{list}/?wa_id={RUI}")).await, 1, "{list}");
        for none in [NOBODY, "nonsense", "%00"] {
            let page = inbox.page(&inbox.agent, &format!("{list}/?wa_id={none}")).await;
            let empty = json!({"count": 0, "next": null, "previous": null, "results": []});
            assert_eq!(page, empty, "{list} {none}");
        }
    }
    assert_eq!(inbox.total(&inbox.agent, "messages/?wa_id=%00").await, 0);
}

#[tokio::test]
async fn r_fil_8_one_second_is_never_lost_by_before_time_with_offset() {
    let inbox = Inbox::start().await;
    let at = now() - 100;
    for (text, time) in [("1", 0), ("2", 1), ("3", 1), ("4", 1), ("5", 2)] {
        inbox.customer_wrote(RUI, text, at + time).await;
    }
    let mut seen: Vec<Value> = Vec::new();
    for offset in 0..5 {
        let path = format!("messages/?before_time={}&limit=1&offset={offset}", at + 3);
        seen.extend(super::bodies(&inbox.page(&inbox.agent, &path).await));
    }
    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
}
