//! Contract §D: who sees and does what.

use serde_json::{Value, json};

use super::{ANA, EVA, FORBIDDEN, NOBODY, NOT_FOUND, RUI, column};
use crate::harness::inbox::{Inbox, now};

const RUTH: &str = "351912000444";

/// Rui is the bot's, Ana the agent's, Eva nobody's, Ruth the group's; each has a message and a tag on both.
struct Scene {
    inbox: Inbox,
    group: i64,
    tag: i64,
    messages: Vec<String>,
    of_chats: Vec<Value>,
    of_messages: Vec<i64>,
}

const CHATS: [&str; 4] = [RUI, ANA, EVA, RUTH];
const LISTS: [&str; 6] =
    ["chats/", "messages/", "persons/", "chat_assignment_events/", "chat_tagging_events/", "message_tagging_events/"];

impl Scene {
    async fn set() -> Self {
        let inbox = Inbox::start().await;
        let group = inbox.group("Regular user").await;
        let tag = inbox.tag("vip").await;
        let (mut messages, mut of_messages) = (Vec::new(), Vec::new());
        for (at, chat) in CHATS.into_iter().enumerate() {
            let message = inbox.customer_wrote(chat, "Hello", now() - i64::try_from(at).unwrap()).await;
            of_messages.push(inbox.tag_message(tag, &message).await);
            messages.push(message);
            let admin = json!({"assigned_to_user": inbox.admin.id});
            inbox.assign(&inbox.admin, chat, admin).await.expect(200);
            let to = match chat {
                RUI => json!({"assigned_to_user": inbox.bot.id}),
                ANA => json!({"assigned_to_user": inbox.agent.id}),
                EVA => json!({"assigned_to_user": null}),
                _ => json!({"assigned_to_user": null, "assigned_group": group}),
            };
            inbox.assign(&inbox.admin, chat, to).await.expect(200);
        }
        let page = inbox.page(&inbox.admin, "chats/").await;
        let of_chats = column(&page, "/tags/0/tagging_id");
        Self { inbox, group, tag, messages, of_chats, of_messages }
    }

    /// Holds every list and every single object against the chats that may be read.
    async fn sees(&self, by: &chatledger_api::bootstrap::Login, wanted: &[&str]) {
        let inbox = &self.inbox;
        for list in LISTS {
            let page = inbox.page(by, list).await;
            let each = if list == "chat_assignment_events/" { 2 } else { 1 };
            assert_eq!(page["count"], wanted.len() * each, "{list}: {page}");
            let of = match list {
                "messages/" => "/customer_wa_id",
                "chat_tagging_events/" => "/chat",
                "message_tagging_events/" => "/message",
                _ => "/wa_id",
            };
            let mut seen: Vec<String> =
                column(&page, of).iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect();
            seen.sort();
            seen.dedup();
            let place = |chat: &&str| CHATS.iter().position(|known| known == chat).unwrap();
            let mut expected: Vec<String> = match of {
                "/message" => wanted.iter().map(|chat| self.messages[place(chat)].clone()).collect(),
                _ => wanted.iter().map(|chat| (*chat).to_owned()).collect(),
            };
            expected.sort();
            assert_eq!(seen, expected, "{list}");
        }
        for (at, chat) in CHATS.into_iter().enumerate() {
            let readable = wanted.contains(&chat);
            for path in [
                format!("chats/{chat}/"),
                format!("persons/{chat}/"),
                format!("chat_tagging/{}/", self.of_chats[at]),
                format!("message_tagging/{}/", self.of_messages[at]),
            ] {
                let answer = inbox.get(by, &path).await;
                let status = if readable { 200 } else { 404 };
                assert_eq!(answer.status, status, "{path}: {}", answer.text);
                assert!(readable || answer.text == NOT_FOUND, "{path}: {}", answer.text);
            }
            let many = if readable { 1 } else { 0 };
            for path in [
                format!("messages/{chat}/"),
                format!("messages/?wa_id={chat}&from_us=false"),
                format!("chat_tagging_events/?wa_id={chat}"),
                format!("message_tagging_events/?message_id={}", self.messages[at]),
                format!("chats/?search={chat}"),
                format!("persons/?search={chat}"),
            ] {
                assert_eq!(inbox.total(by, &path).await, many, "{path}");
            }
            // R-PERM-8
            let answer = inbox.get(by, &format!("chat_assignment/{chat}/")).await;
            assert_eq!(answer.status, if readable { 200 } else { 403 }, "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn r_perm_3_5_and_7_lists_and_objects_show_only_readable_chats() {
    let scene = Scene::set().await;
    let inbox = &scene.inbox;
    scene.sees(&inbox.admin, &CHATS).await;
    scene.sees(&inbox.agent, &CHATS).await;
    scene.sees(&inbox.bot, &[RUI]).await;
    inbox.allow(&inbox.agent, "can_read_chats", "group").await;
    scene.sees(&inbox.agent, &[ANA, RUTH]).await;
    inbox.allow(&inbox.agent, "can_read_chats", "user").await;
    scene.sees(&inbox.agent, &[ANA]).await;
    inbox.allow(&inbox.agent, "can_read_chats", "none").await;
    scene.sees(&inbox.agent, &[]).await;
    // R-PERM-2: an admin's rights cannot be lowered.
    let lower = json!({"permissions": {"can_read_chats": "none"}});
    inbox.patch(&inbox.admin, &format!("users/{}/", inbox.admin.id), lower).await.expect(400);
    scene.sees(&inbox.admin, &CHATS).await;
}

#[tokio::test]
async fn r_perm_6_rights_follow_the_assignment_of_the_moment() {
    let scene = Scene::set().await;
    let inbox = &scene.inbox;
    inbox.give(EVA, &inbox.bot).await;
    assert_eq!(column(&inbox.page(&inbox.bot, "chats/").await, "/wa_id"), [RUI, EVA]);
    assert_eq!(inbox.total(&inbox.bot, "chat_assignment_events/").await, 5);
    assert_eq!(inbox.page(&inbox.bot, &format!("persons/{EVA}/")).await["wa_id"], EVA);
    // The bot gives it away, is told what it set, and sees it no more.
    let answer = inbox.assign(&inbox.bot, EVA, json!({"assigned_to_user": null})).await;
    assert_eq!(answer.expect(200), json!({"wa_id": EVA, "assigned_to_user": null, "assigned_group": null}));
    let page = inbox.page(&inbox.bot, "chats/").await;
    assert_eq!(column(&page, "/wa_id"), [RUI]);
    // Reading and writing are two things: the agent reads all and writes to its own.
    let send = async |by, chat: &str| {
        inbox.post(by, "messages/", json!({"wa_id": chat, "type": "text", "text": {"body": "Hi"}})).await
    };
    let before = inbox.total(&inbox.admin, "messages/").await;
    for (by, chat) in [(&inbox.agent, RUI), (&inbox.agent, EVA), (&inbox.agent, RUTH), (&inbox.bot, ANA)] {
        // R-PERM-9
        let answer = send(by, chat).await;
        assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN), "{chat}");
    }
    assert_eq!(inbox.total(&inbox.admin, "messages/").await, before);
    send(&inbox.agent, ANA).await.expect(201);
    send(&inbox.bot, RUI).await.expect(201);
}

#[tokio::test]
async fn r_perm_8_the_assignment_of_an_unreadable_chat_is_forbidden() {
    let scene = Scene::set().await;
    let inbox = &scene.inbox;
    let path = |chat: &str| format!("chat_assignment/{chat}/");
    let wish = json!({"assigned_to_user": inbox.bot.id});
    for (chat, status, told) in [(ANA, 403, FORBIDDEN), (EVA, 403, FORBIDDEN), (NOBODY, 404, NOT_FOUND)] {
        for answer in [
            inbox.get(&inbox.bot, &path(chat)).await,
            inbox.put(&inbox.bot, &path(chat), wish.clone()).await,
            inbox.patch(&inbox.bot, &path(chat), wish.clone()).await,
        ] {
            assert_eq!((answer.status, answer.text.as_str()), (status, told), "{chat}");
        }
    }
    // R-PERM-7: a mark in an unreadable chat is one in none.
    for chat in [ANA, NOBODY] {
        let body = json!({"timestamp": now(), "customer_wa_id": chat});
        let answer = inbox.post(&inbox.bot, "mark_as_received/", body).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    }
    // R-FIL-6: a group that is not the caller's.
    for list in ["chats", "messages"] {
        let answer = inbox.get(&inbox.bot, &format!("{list}/?assigned_group={}", scene.group)).await;
        assert!(answer.expect(400)["assigned_group"][0].is_string());
        assert_eq!(inbox.total(&inbox.agent, &format!("{list}/?assigned_group={}", scene.group)).await, 1);
        assert_eq!(inbox.total(&inbox.admin, &format!("{list}/?assigned_group={}", scene.group)).await, 1);
    }
}

#[tokio::test]
async fn r_perm_10_tagging_needs_the_right_and_the_chat() {
    let scene = Scene::set().await;
    let (inbox, bot) = (&scene.inbox, &scene.inbox.bot);
    let other = inbox.tag("other").await;
    // A chat that may not be read is one that is not there.
    for chat in [ANA, NOBODY] {
        let told = inbox.post(bot, "chat_tagging/", json!({"tag": other, "chat": chat})).await.expect(400);
        let text = format!("Object with wa_id={chat} does not exist.");
        assert_eq!(told, json!({"chat": [text], "reason": format!("chat: {text}")}));
    }
    for message in [scene.messages[1].as_str(), "wamid.none"] {
        let told = inbox.post(bot, "message_tagging/", json!({"tag": other, "message": message})).await.expect(400);
        let text = format!("Object with id={message} does not exist.");
        assert_eq!(told, json!({"message": [text], "reason": format!("message: {text}")}));
    }
    for path in [format!("chat_tagging/{}/", scene.of_chats[1]), format!("message_tagging/{}/", scene.of_messages[1])] {
        let answer = inbox.delete(bot, &path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
    inbox.post(bot, "chat_tagging/", json!({"tag": other, "chat": RUI})).await.expect(201);
    // Without the right, nothing but reading.
    inbox.allow(bot, "can_use_tags", false).await;
    let third = inbox.tag("third").await;
    for answer in [
        inbox.post(bot, "tags/", json!({"name": "mine"})).await,
        inbox.post(bot, "chat_tagging/", json!({"tag": third, "chat": RUI})).await,
        inbox.post(bot, "message_tagging/", json!({"tag": third, "message": scene.messages[0]})).await,
        inbox.delete(bot, &format!("chat_tagging/{}/", scene.of_chats[0])).await,
        inbox.delete(bot, &format!("message_tagging/{}/", scene.of_messages[0])).await,
    ] {
        assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
    }
    assert_eq!(inbox.page(bot, "users/current/").await["permissions"]["can_use_tags"], false);
    assert_eq!(inbox.total(bot, "tags/").await, 3);
    assert_eq!(inbox.page(bot, "chats/").await["results"][0]["tags"][0]["id"], scene.tag);
    assert_eq!(inbox.total(bot, "chat_tagging_events/").await, 2);
}
