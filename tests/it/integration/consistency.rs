//! errors-and-limits §9: what was written is read.

use std::time::Duration;

use chatledger_api::bootstrap::Tools;
use serde_json::{Value, json};

use super::{ANA, LISTS, RUI, column};
use crate::harness::inbox::{Inbox, now};
use crate::projections::EQUAL;

const ROUNDS: usize = 50;

#[tokio::test]
async fn r_cst_1_after_each_write_the_next_read_shows_it() {
    let inbox = Inbox::start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    let at = now() - 600;
    let message = inbox.customer_wrote(RUI, "Hello", at).await;
    let chat = async || inbox.page(agent, &format!("chats/{RUI}/")).await;
    for round in 0..ROUNDS {
        // Messages: what was sent is the newest.
        let text = format!("number {round}");
        let body = json!({"wa_id": RUI, "type": "text", "text": {"body": text}});
        let sent = inbox.post(admin, "messages/", body).await.expect(201);
        let newest = inbox.page(agent, &format!("messages/{RUI}/?limit=1")).await;
        assert_eq!(column(&newest, "/id"), [sent["id"].clone()], "{round}");
        assert_eq!(newest["count"], round + 2);
        assert_eq!(newest["results"][0]["waba_payload"]["id"], sent["waba_response"]["messages"][0]["id"]);
        assert_eq!(chat().await["last_message"]["waba_payload"]["text"]["body"], json!(text));
        // Tags: created, put on, renamed, taken off, deleted.
        let tag = inbox.tag(&format!("tag {round}")).await;
        assert_eq!(inbox.total(agent, "tags/").await, 1);
        let of_message = inbox.tag_message(tag, &message).await;
        assert_eq!(chat().await["tags"][0]["id"], tag);
        inbox.patch(admin, &format!("tags/{tag}/"), json!({"name": "renamed"})).await.expect(200);
        let seen = inbox.page(agent, &format!("messages/?wa_id={RUI}&from_us=0")).await;
        assert_eq!(
            (&seen["results"][0]["tags"][0]["name"], &seen["results"][0]["received"]),
            (&json!("renamed"), &json!(round > 0))
        );
        assert_eq!(inbox.delete(agent, &format!("message_tagging/{of_message}/")).await.status, 204);
        assert_eq!(inbox.get(admin, &format!("message_tagging/{of_message}/")).await.status, 404);
        assert_eq!(inbox.delete(admin, &format!("tags/{tag}/")).await.status, 204);
        assert_eq!(chat().await["tags"], json!([]));
        let events = inbox.page(agent, "chat_tagging_events/?limit=1").await;
        assert_eq!((&events["count"], &events["results"][0]["action"]), (&json!(2 * (round + 1)), &json!("removed")));
        // Assignment, read by the one who may read only then.
        inbox.give(RUI, &inbox.bot).await;
        assert_eq!(inbox.total(&inbox.bot, "chats/").await, 1);
        inbox.put(admin, &format!("chat_assignment/{RUI}/"), json!({})).await.expect(200);
        assert_eq!(inbox.total(&inbox.bot, "chats/").await, 0);
        assert_eq!(chat().await["assigned_to_user"], Value::Null);
        assert_eq!(inbox.total(agent, "chat_assignment_events/").await, i64::try_from(2 * (round + 1)).unwrap());
        // Marks.
        let mark = json!({"timestamp": at + i64::try_from(round).unwrap(), "customer_wa_id": RUI});
        inbox.post(agent, "mark_as_received/", mark).await.expect(201);
        assert_eq!(chat().await["new_messages"], 0);
    }
}

#[tokio::test]
async fn r_cst_1_and_3_another_server_reads_it_at_once_and_nobody_loses_against_another() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    inbox.customer_writes(RUI, "Hello").await;
    let mut tags = Vec::new();
    for round in 0..12 {
        tags.push(inbox.tag(&format!("tag {round}")).await);
        assert_eq!(other.total(&inbox.agent, "tags/").await, round + 1);
    }
    // All want to change the same chat, half of them on each server.
    let servers = [&inbox, &other];
    let tagging = tags.iter().enumerate().map(|(at, tag)| servers[at % 2].tag_chat(*tag, RUI));
    let mut made = futures_util::future::join_all(tagging).await;
    made.sort_unstable();
    for server in servers {
        let chat = server.page(&inbox.agent, &format!("chats/{RUI}/")).await;
        assert_eq!(column(&json!({"results": chat["tags"]}), "/tagging_id"), made);
        assert_eq!(server.total(&inbox.agent, "chat_tagging_events/").await, 12);
    }
}

#[tokio::test]
async fn r_gen_12_and_r_cst_4_read_models_built_anew_answer_byte_by_byte_the_same() {
    let inbox = Inbox::start().await;
    for chat in [RUI, ANA] {
        let message = inbox.customer_writes(chat, "Hello").await;
        let tag = inbox.tag(&format!("tag of {chat}")).await;
        let of_message = inbox.tag_message(tag, &message).await;
        inbox.patch(&inbox.admin, &format!("tags/{tag}/"), json!({"name": chat})).await.expect(200);
        inbox.delete(&inbox.agent, &format!("message_tagging/{of_message}/")).await;
        inbox.give(chat, &inbox.agent).await;
        let body = json!({"wa_id": chat, "type": "text", "text": {"body": "Hi"}});
        inbox.post(&inbox.agent, "messages/", body).await.expect(201);
        let mark = json!({"timestamp": now(), "customer_wa_id": chat});
        inbox.post(&inbox.agent, "mark_as_received/", mark).await.expect(201);
    }
    inbox.delete(&inbox.admin, &format!("tags/{}/", inbox.tag("gone").await)).await;
    // The simulator's statuses come after its answer.
    tokio::time::sleep(Duration::from_secs(1)).await;
    inbox.settle().await;
    let answers = async || {
        let mut answers = Vec::new();
        for by in [&inbox.admin, &inbox.agent] {
            for list in LISTS {
                let answer = inbox.get(by, list).await;
                assert_eq!(answer.status, 200, "{list}");
                answers.push(answer.text);
            }
        }
        answers
    };
    let before = answers().await;
    let tools = inbox.tools().await;
    let names: Vec<String> = Tools::projections().into_iter().map(str::to_owned).collect();
    tools.rebuild(&names, EQUAL, |_| {}).await.expect("the read models are built anew");
    tools.close().await;
    inbox.settle().await;
    assert_eq!(answers().await, before);
}
