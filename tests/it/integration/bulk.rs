//! Contract §G, last row: bulk messages.

use std::{collections::BTreeSet, time::Duration};

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};

use super::{ANA, EVA, FORBIDDEN, NOBODY, RUI, column};
use crate::harness::inbox::{Inbox, now};

fn text(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

fn to(chats: &[&str]) -> Value {
    chats.iter().map(|chat| json!({"recipient": chat})).collect()
}

impl Inbox {
    /// Waits until a bulk message is done; what became of each recipient's message.
    pub(super) async fn done(&self, by: &Login, task: &Value) -> Vec<Value> {
        let id = task["id"].as_str().expect("an id");
        for _ in 0..600 {
            let page = self.page(by, "bulk_messages/").await;
            let tasks = page["results"].as_array().expect("a list");
            let task = tasks.iter().find(|task| task["id"] == id).expect("the task is listed");
            if task["done"] == task["total"] {
                let path = format!("bulk_message_elements/?limit=1000&task={id}");
                return self.page(by, &path).await["results"].as_array().expect("a list").clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the bulk message was not done within a minute");
    }

    /// What the customers got of a text: each recipient, as often as it got it.
    async fn got(&self) -> Vec<String> {
        let delivered = self.delivered().await;
        let delivered = delivered.as_array().or_else(|| delivered["messages"].as_array()).expect("a list").clone();
        let mut got: Vec<String> =
            delivered.iter().map(|one| one["to"].as_str().expect("a recipient").to_owned()).collect();
        got.sort();
        got
    }
}

#[tokio::test]
async fn bulk_each_recipient_is_sent_to_as_if_alone() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.customer_wrote(ANA, "Long ago", now() - 90_000).await;
    inbox.customer_writes(EVA, "Hello").await;
    inbox.give(RUI, &inbox.agent).await;
    inbox.give(ANA, &inbox.agent).await;
    let body = json!({"recipients": to(&[RUI, ANA, EVA, RUI, "+351 912 000 222"]), "payload": text("Sale!")});
    let task = inbox.post(&inbox.agent, "bulk_messages/", body).await.expect(201);
    let sender = inbox.page(&inbox.agent, "users/current/").await;
    assert_eq!(
        task,
        json!({"id": task["id"], "recipients": to(&[RUI, ANA, EVA]), "tags": [], "type": "text",
            "payload": text("Sale!"), "sender": sender, "total": 3, "done": 0, "timestamp": task["timestamp"]})
    );
    let elements = inbox.done(&inbox.agent, &task).await;
    let of = |chat: &str| elements.iter().find(|element| element["wa_id"] == chat).expect("an element").clone();
    let rui = of(RUI);
    assert_eq!((&rui["status_code"], &rui["task"]), (&json!(201), &task["id"]));
    assert!(rui["response"]["waba_response"]["messages"][0]["id"].is_string(), "{rui}");
    assert_eq!(of(ANA)["status_code"], 453);
    assert_eq!(of(ANA)["response"]["waba_response"]["errors"][0]["code"], 470);
    assert_eq!(of(EVA)["status_code"], 403);
    assert_eq!(of(EVA)["response"].to_string(), FORBIDDEN);
    assert_eq!(inbox.got().await, [RUI]);
    // The message is the sender's, as if sent alone.
    let message = &inbox.page(&inbox.agent, &format!("messages/{RUI}/?from_us=true")).await["results"][0];
    assert_eq!((&message["id"], &message["sender"]["username"]), (&rui["response"]["id"], &json!("agent")));
    // Everybody sees its own, admins all.
    assert_eq!(inbox.total(&inbox.bot, "bulk_messages/").await, 0);
    assert_eq!(inbox.total(&inbox.bot, "bulk_message_elements/").await, 0);
    assert_eq!(inbox.total(&inbox.admin, "bulk_messages/").await, 1);
    assert_eq!(inbox.total(&inbox.admin, "bulk_message_elements/").await, 3);
    assert_eq!(inbox.total(&inbox.agent, "bulk_message_elements/?task=nonsense").await, 0);
}

#[tokio::test]
async fn bulk_what_whatsapp_refuses_is_told_of_its_recipient_alone() {
    let inbox = Inbox::start().await;
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    inbox.behave(json!({"fail_next": {"code": 131_026, "count": 1}})).await;
    let body = json!({"recipients": to(&[RUI, ANA]), "payload": text("Hi")});
    let task = inbox.post(&inbox.admin, "bulk_messages/", body).await.expect(201);
    let mut elements = inbox.done(&inbox.admin, &task).await;
    elements.sort_by_key(|element| element["status_code"].as_i64());
    assert_eq!(elements.iter().map(|e| e["status_code"].clone()).collect::<Vec<_>>(), [json!(201), json!(400)]);
    assert_eq!(elements[1]["response"]["waba_response"]["errors"][0]["code"], 131_026);
}

#[tokio::test]
async fn bulk_tags_stand_for_the_chats_that_the_sender_may_write_to() {
    let inbox = Inbox::start().await;
    for chat in [RUI, ANA, EVA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    let vip = inbox.tag("vip").await;
    for chat in [RUI, ANA] {
        inbox.tag_chat(vip, chat).await;
    }
    inbox.give(RUI, &inbox.agent).await;
    let body = json!({"tags": [{"tag_id": vip}], "payload": text("Hello, VIP")});
    let task = inbox.post(&inbox.agent, "bulk_messages/", body.clone()).await.expect(201);
    assert_eq!((&task["total"], &task["tags"]), (&json!(1), &json!([{"tag_id": vip}])));
    inbox.done(&inbox.agent, &task).await;
    assert_eq!(inbox.got().await, [RUI]);
    let task = inbox.post(&inbox.admin, "bulk_messages/", body).await.expect(201);
    assert_eq!(task["total"], 2);
    inbox.done(&inbox.admin, &task).await;
    assert_eq!(inbox.got().await, [RUI, RUI, ANA]);
}

#[tokio::test]
async fn bulk_format_fills_in_each_recipients_values() {
    let inbox = Inbox::start().await;
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    let body = json!({"recipients": to(&[RUI, ANA]), "payload": text("Hi {{name}}, {{n}}"), "format": [
        {"wa_id": RUI, "params": {"name": "Rui \"the\" {{n}}", "n": 7}},
        {"wa_id": ANA, "params": {"name": "a".repeat(4_096)}}]});
    let task = inbox.post(&inbox.admin, "bulk_messages/", body).await.expect(201);
    let elements = inbox.done(&inbox.admin, &task).await;
    let ana = elements.iter().find(|element| element["wa_id"] == ANA).expect("an element");
    assert_eq!(ana["status_code"], 400);
    assert_eq!(ana["response"]["reason"], "text.body does not fit with the recipient's values.");
    let sent = inbox.page(&inbox.admin, &format!("messages/{RUI}/?from_us=true")).await;
    assert_eq!(column(&sent, "/waba_payload/text/body"), ["Hi Rui \"the\" {{n}}, 7"]);
    assert_eq!(inbox.got().await, [RUI]);
}

#[tokio::test]
async fn bulk_goes_on_after_a_restart_and_beside_a_second_server_without_a_double() {
    let inbox = Inbox::start().await;
    let chats: Vec<String> = (0..120).map(|n| format!("3519130{n:05}")).collect();
    for chat in &chats {
        let message = crate::harness::inbox::text_message(chat, &format!("wamid.in.{chat}"), now(), "Hello");
        inbox.bring(json!({"messages": [message]})).await;
    }
    inbox.settle().await;
    let all = to(&chats.iter().map(String::as_str).collect::<Vec<_>>());
    let body = json!({"recipients": all, "payload": text("To all")});
    let task = inbox.post(&inbox.admin, "bulk_messages/", body).await.expect(201);
    // Another server on the same data takes part, finds what is not done, and is stopped in the middle of it.
    let beside = inbox.beside().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(beside);
    let elements = inbox.done(&inbox.admin, &task).await;
    let each: BTreeSet<&str> = elements.iter().filter_map(|element| element["wa_id"].as_str()).collect();
    assert_eq!((elements.len(), each.len()), (120, 120));
    assert!(elements.iter().all(|element| [201, 202].map(Value::from).contains(&element["status_code"])));
    // A message that waits its turn at the second server may still be on its way.
    for _ in 0..400 {
        if inbox.count("SELECT count(*) FROM outbound.sends").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let queued = inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MessageQueued'").await;
    assert_eq!(queued, 120);
    let messages = "SELECT count(*) FROM read_models.messages WHERE from_us";
    assert_eq!(inbox.count(messages).await, 120);
}

#[tokio::test]
async fn bulk_that_a_crash_cut_short_goes_on_with_the_next_server() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    // Recorded, but by a process that carries nothing out: as if it had crashed right after.
    let tools = inbox.tools().await;
    let context = chatledger_application::Context {
        tenant: chatledger_domain::TenantId(inbox.tenant),
        actor: chatledger_domain::Actor {
            user: inbox.admin.id,
            role: chatledger_domain::Role::Admin,
            groups: BTreeSet::new(),
            permissions: chatledger_domain::Permissions::ADMIN,
        },
        family: "integration",
        correlation_id: "test".to_owned(),
    };
    let raw = |text: &str| chatledger_domain::RawJson::parse(text.to_owned()).expect("JSON");
    let new = chatledger_application::bulk::NewBulkMessage {
        recipients: vec![chatledger_domain::WaId::parse(RUI).expect("an id")],
        tags: Vec::new(),
        kind: "text".to_owned(),
        content: raw(r#"{"body":"Late"}"#),
        payload: raw(r#"{"text":{"body":"Late"}}"#),
        fills: Default::default(),
    };
    let made = tools.application.create_bulk_message(&context, new).await.expect("created");
    tools.close().await;
    let elements = inbox.done(&inbox.admin, &json!({"id": made.id})).await;
    assert_eq!(elements[0]["status_code"], 201);
    assert_eq!(inbox.got().await, [RUI]);
}

#[tokio::test]
async fn bulk_says_what_is_wrong() {
    let inbox = Inbox::start().await;
    let ask = async |body: Value| inbox.post(&inbox.admin, "bulk_messages/", body).await.expect(400);
    let hi = || text("Hi");
    for (body, pointer, message) in [
        (json!({"recipients": to(&[RUI])}), "/payload/0", "This field is required."),
        (
            json!({"recipients": to(&[RUI]), "payload": []}),
            "/payload/0",
            "Expected a dictionary of items but got type \"list\".",
        ),
        (json!({"recipients": to(&[RUI]), "payload": {"type": "text"}}), "/payload/text/0", "This field is required."),
        (
            json!({"recipients": to(&[RUI]), "payload": {"type": "foo"}}),
            "/payload/type/0",
            "\"foo\" is not a valid choice.",
        ),
        (
            json!({"recipients": to(&[RUI]), "payload": {"text": {"body": ""}}}),
            "/payload/text/body/0",
            "This field may not be blank.",
        ),
        (json!({"payload": hi()}), "/recipients/0", "This field is required."),
        (json!({"recipients": [], "tags": [], "payload": hi()}), "/recipients/0", "This field is required."),
        (
            json!({"recipients": "x", "payload": hi()}),
            "/recipients/0",
            "Expected a list of items but got type \"str\".",
        ),
        (json!({"recipients": [{}], "payload": hi()}), "/recipients/0/recipient/0", "This field is required."),
        (
            json!({"recipients": to(&["abc"]), "payload": hi()}),
            "/recipients/0/recipient/0",
            "Enter a valid WhatsApp id.",
        ),
        (json!({"tags": [{"tag_id": "x"}], "payload": hi()}), "/tags/0/tag_id/0", "A valid integer is required."),
        (
            json!({"tags": [{"tag_id": 99_999}], "payload": hi()}),
            "/tags/0",
            "Invalid pk \"99999\" - object does not exist.",
        ),
        (
            json!({"recipients": to(&[RUI]), "payload": hi(), "format": [{"params": {}}]}),
            "/format/0/wa_id/0",
            "This field is required.",
        ),
        (
            json!({"recipients": to(&[RUI]), "payload": hi(), "format": [{"wa_id": RUI, "params": 1}]}),
            "/format/0/params/0",
            "Expected a dictionary of items but got type \"int\".",
        ),
    ] {
        let told = ask(body.clone()).await;
        assert_eq!(told.pointer(pointer), Some(&json!(message)), "{body}: {told}");
        assert!(told["reason"].is_string());
    }
    let many: Vec<String> = (0..10_001).map(|n| format!("35191{n:07}")).collect();
    let many = to(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let told = ask(json!({"recipients": many, "payload": hi()})).await;
    assert_eq!(told["recipients"][0], "Ensure there are no more than 10000 recipients.");
    assert_eq!(inbox.total(&inbox.admin, "bulk_messages/").await, 0);
    // Who may write to no chat may not begin at all.
    inbox.allow(&inbox.bot, "can_write_to_chats", "none").await;
    let body = json!({"recipients": to(&[NOBODY]), "payload": text("Hi")});
    let refused = inbox.post(&inbox.bot, "bulk_messages/", body).await;
    assert_eq!((refused.status, refused.text.as_str()), (403, FORBIDDEN));
    // A foreign tenant's tag is an unknown one.
    let tag = inbox.tag("vip").await;
    inbox.add_tenant("other", "other.example", "555").await;
    let stranger = inbox.add_user_to("other", "stranger", chatledger_domain::Role::Admin).await;
    let body = json!({"tags": [{"tag_id": tag}], "payload": text("Hi")});
    assert_eq!(inbox.post(&stranger, "bulk_messages/", body).await.status, 400);
    assert_eq!(inbox.total(&stranger, "bulk_messages/").await, 0);
}
