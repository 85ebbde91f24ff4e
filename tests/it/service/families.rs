//! R-CNV-10: one inbox with two doors. What is done through the Service API shows in the integration API, and what is
//! done there shows here.

use serde_json::{Value, json};

use super::{
    conversations::{code, template},
    shop::{ANA, RUI, Shop},
};
use crate::{
    harness::{
        inbox::{Inbox, now},
        receiver::Receiver,
    },
    websocket::Socket,
};

impl Shop {
    /// A shop to which a customer wrote, and the conversation with it.
    async fn with_rui() -> (Self, String) {
        let shop = Self::start().await;
        // What is sent is reported on by the tests alone.
        shop.inbox.behave(json!({"statuses": []})).await;
        shop.named(RUI, "Rui Costa", now() - 60).await;
        let id = shop.conversation(RUI).await;
        (shop, id)
    }

    /// What the other family tells an admin.
    async fn there(&self, path: &str) -> Value {
        self.inbox.settle().await;
        self.inbox.get(&self.inbox.admin, path).await.expect(200)
    }

    /// The customer as this family shows it.
    async fn rui(&self) -> Value {
        self.inbox.settle().await;
        self.get(&format!("customers/{RUI}")).await
    }

    /// The one conversation in the list.
    async fn row(&self) -> Value {
        self.inbox.settle().await;
        self.conversations("").await.remove(0)
    }

    async fn tag_rui(&self, body: Value) {
        self.put(&format!("customers/{RUI}/tags"), body).await.expect(200);
    }

    /// Gives, sends, tags and closes, each through this family; the message's id.
    async fn does_everything(&self, id: &str) -> String {
        self.tag_rui(json!({"addTags": ["vip"]})).await;
        let agent = json!({"agentId": self.inbox.agent.id.to_string()});
        self.act(&self.admin, id, "assign", agent).await.expect(200);
        let sent = self.say(id, json!({"type": "text", "text": "On its way"})).await.expect(200);
        self.act(&self.admin, id, "close", json!({})).await.expect(200);
        sent["data"]["messageId"].as_str().expect("an id").to_owned()
    }

    /// The newest of a history of the other family.
    async fn newest(&self, history: &str) -> Value {
        self.there(history).await["results"][0].take()
    }
}

/// Names of a list.
fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

/// A template through the other family.
async fn template_there(inbox: &Inbox, to: &str) -> (u16, Value) {
    let body =
        json!({"wa_id": to, "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let answer = inbox.post(&inbox.admin, "messages/", body).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_tag_put_on_through_one_family_is_on_in_the_other() {
    let (shop, id) = Shop::with_rui().await;
    let (inbox, chat) = (&shop.inbox, format!("chats/{RUI}/"));
    shop.tag_rui(json!({"addTags": ["vip"]})).await;
    let shown = shop.there(&chat).await["tags"].take();
    assert_eq!(names(&shown), ["vip"]);
    assert_eq!(names(&shop.there("tags/").await["results"]), ["vip"], "the tag is one of all");
    let tagging = shop.there(&format!("chat_tagging/{}/", shown[0]["tagging_id"])).await;
    assert_eq!((&tagging["tag"], &tagging["chat"]), (&shown[0]["id"], &json!(RUI)));
    let event = shop.newest("chat_tagging_events/").await;
    assert_eq!((&event["action"], &event["done_by"]["id"]), (&json!("added"), &json!(inbox.admin.id)));

    let gold = inbox.post(&inbox.admin, "tags/", json!({"name": "gold"})).await.expect(201)["id"].take();
    inbox.post(&inbox.admin, "chat_tagging/", json!({"tag": gold, "chat": RUI})).await.expect(201);
    let both = json!(["vip", "gold"]);
    assert_eq!((&shop.rui().await["tags"], &shop.row().await["tags"]), (&both, &both));
    assert_eq!(shop.detail(&id).await["customer"]["tags"], both);
    assert_eq!(shop.listed("customers?tags=gold").await, [RUI]);
    // The tag that is there is meant, whoever created it.
    shop.tag_rui(json!({"addTags": ["GOLD"]})).await;
    assert_eq!(shop.there("tags/").await["count"], 2);

    inbox.delete(&inbox.admin, &format!("chat_tagging/{}/", shown[0]["tagging_id"])).await.expect(204);
    assert_eq!(shop.rui().await["tags"], json!(["gold"]));
    inbox.patch(&inbox.admin, &format!("tags/{gold}/"), json!({"name": "silver"})).await.expect(200);
    assert_eq!((&shop.rui().await["tags"], &shop.row().await["tags"]), (&json!(["silver"]), &json!(["silver"])));
    shop.tag_rui(json!({"removeTags": ["silver"]})).await;
    assert_eq!(shop.there(&chat).await["tags"], json!([]));
    assert_eq!(shop.newest("chat_tagging_events/").await["action"], "removed");
    shop.tag_rui(json!({"addTags": ["silver"]})).await;
    inbox.delete(&inbox.admin, &format!("tags/{gold}/")).await.expect(204);
    assert_eq!((&shop.rui().await["tags"], &shop.row().await["tags"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_chat_given_through_one_family_is_given_in_the_other() {
    let (shop, id) = Shop::with_rui().await;
    let (inbox, path) = (&shop.inbox, format!("chat_assignment/{RUI}/"));
    let (agent, admin) = (inbox.agent.id, inbox.admin.id);
    shop.act(&shop.admin, &id, "assign", json!({"agentId": agent.to_string()})).await.expect(200);
    let given = json!({"wa_id": RUI, "assigned_to_user": agent, "assigned_group": null});
    assert_eq!(shop.there(&path).await, given);
    assert_eq!(shop.there(&format!("chats/{RUI}/")).await["assigned_to_user"]["id"], json!(agent));
    let event = shop.newest("chat_assignment_events/").await;
    assert_eq!((&event["assigned_to_user_set"]["id"], &event["done_by"]["id"]), (&json!(agent), &json!(admin)));

    inbox.patch(&inbox.admin, &path, json!({"assigned_to_user": admin})).await.expect(200);
    assert_eq!(shop.row().await["assignedAgentId"], admin.to_string());
    assert_eq!(shop.conversations(&format!("?assignedAgentId={agent}")).await, Vec::<Value>::new());
    assert_eq!(shop.conversations(&format!("?assignedAgentId={admin}")).await.len(), 1);
    inbox.patch(&inbox.admin, &path, json!({"assigned_to_user": null})).await.expect(200);
    assert_eq!(shop.row().await["assignedAgentId"], Value::Null);

    // A group has no place in this family, and stays when a user is given to.
    let group = inbox.post(&inbox.admin, "groups/", json!({"name": "Billing"})).await.expect(201)["id"].take();
    inbox.patch(&inbox.admin, &path, json!({"assigned_group": group})).await.expect(200);
    assert_eq!(shop.row().await["assignedAgentId"], Value::Null);
    shop.act(&shop.admin, &id, "assign", json!({"agentId": agent.to_string()})).await.expect(200);
    let given = json!({"wa_id": RUI, "assigned_to_user": agent, "assigned_group": group});
    assert_eq!(shop.there(&path).await, given);
}

#[tokio::test]
async fn closing_resolves_and_resolving_does_not_close() {
    let (shop, id) = Shop::with_rui().await;
    let inbox = &shop.inbox;
    let resolve = async |resolved: bool| {
        inbox.patch(&inbox.admin, &format!("chats/{RUI}/resolve/"), json!({ "resolved": resolved })).await.expect(200);
    };
    let is_resolved = async || shop.there(&format!("chats/{RUI}/")).await["contact"]["resolved"].clone();
    resolve(true).await;
    assert_eq!((is_resolved().await, &shop.row().await["status"]), (json!(true), &json!("active")));
    shop.say(&id, json!({"type": "text", "text": "Anything else?"})).await.expect(200);
    resolve(false).await;
    shop.act(&shop.admin, &id, "close", json!({})).await.expect(200);
    assert_eq!(is_resolved().await, true);
    assert_eq!(shop.there(&format!("persons/{RUI}/")).await["resolved"], true);
    // What is closed stays closed, whatever becomes of the chat.
    resolve(false).await;
    assert_eq!((is_resolved().await, &shop.row().await["status"]), (json!(false), &json!("closed")));
    resolve(true).await;
    inbox.customer_writes(RUI, "One more thing").await;
    assert_eq!(is_resolved().await, false);
    let next = shop.conversation(RUI).await;
    assert_ne!(next, id);
    assert_eq!(shop.there(&format!("messages/{RUI}/")).await["count"], 3, "the chat has all of its messages");
    assert_eq!(shop.detail(&next).await["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_message_sent_through_one_family_is_in_the_other() {
    let (shop, id) = Shop::with_rui().await;
    let inbox = &shop.inbox;
    let sent = shop.say(&id, json!({"type": "text", "text": "On its way"})).await.expect(200)["data"].take();
    let shown = shop.newest(&format!("messages/{RUI}/")).await;
    assert_eq!((&shown["id"], &shown["waba_payload"]["id"]), (&sent["messageId"], &sent["whatsAppMessageId"]));
    assert_eq!((&shown["from_us"], &shown["waba_payload"]["text"]["body"]), (&json!(true), &json!("On its way")));
    assert_eq!((&shown["sender"]["id"], &shown["customer_wa_id"]), (&json!(inbox.admin.id), &json!(RUI)));
    let chat = shop.there(&format!("chats/{RUI}/")).await;
    assert_eq!(chat["last_message"]["id"], sent["messageId"]);
    // Statuses come to both.
    let (wamid, at) = (sent["whatsAppMessageId"].as_str().expect("an id"), now() + 1);
    for status in ["sent", "delivered", "read"] {
        inbox.status(wamid, RUI, status, at).await;
        let told = shop.newest(&format!("messages/{RUI}/")).await["waba_statuses"].take();
        assert_eq!((&told[status], &shop.detail(&id).await["messages"][1]["status"]), (&json!(at), &json!(status)));
    }

    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "It has come?"}});
    let there = inbox.post(&inbox.admin, "messages/", text).await.expect(201);
    inbox.settle().await;
    let detail = shop.detail(&id).await;
    let message = &detail["messages"][2];
    let expected = json!({"id": there["id"], "whatsAppMessageId": there["waba_response"]["messages"][0]["id"],
        "direction": "outbound", "content": {"type": "text", "text": "It has come?"}, "status": "sent",
        "timestamp": message["timestamp"]});
    assert_eq!(message, &expected);
    assert_eq!(shop.row().await["messageCount"], 3);
    // The customer's message is read once it is marked there.
    assert_eq!(detail["messages"][0]["status"], "received");
    let mark = json!({"timestamp": now(), "customer_wa_id": RUI});
    inbox.post(&inbox.admin, "mark_as_received/", mark).await.expect(201);
    inbox.settle().await;
    assert_eq!(shop.detail(&id).await["messages"][0]["status"], "read");
}

#[tokio::test]
async fn a_customers_wish_counts_in_both_families() {
    let (shop, id) = Shop::with_rui().await;
    let inbox = &shop.inbox;
    let wish = async |status: &str| {
        let body = json!({"status": status, "source": "web"});
        shop.put(&format!("customers/{RUI}/opt-in"), body).await.expect(200);
    };
    assert_eq!(template_there(inbox, RUI).await.0, 201);
    wish("opted_out").await;
    let (status, told) = template_there(inbox, RUI).await;
    assert_eq!(status, 400);
    assert!(told["reason"].as_str().is_some_and(|reason| reason.contains("opted out")), "{told}");
    assert_eq!(code(&shop.say(&id, template()).await.expect(422)), "OPTED_OUT");
    wish("opted_in").await;
    assert_eq!(template_there(inbox, RUI).await.0, 201);
    inbox.customer_writes(RUI, "Stop").await;
    let consent = shop.rui().await["consent"].take();
    assert_eq!((&consent["status"], &consent["source"]), (&json!("opted_out"), &json!("whatsapp")));
    assert_eq!(shop.get("customers").await["customers"][0]["optInStatus"], "opted_out");
    assert_eq!(template_there(inbox, RUI).await.0, 400);
    assert_eq!(code(&shop.say(&id, template()).await.expect(422)), "OPTED_OUT");
}

#[tokio::test]
async fn a_name_in_the_address_book_is_the_customers() {
    let (shop, id) = Shop::with_rui().await;
    let book = async |search: &str| shop.there(&format!("contacts/?search={search}")).await["results"].take();
    let here = async || {
        let (rui, row, detail) = (shop.rui().await, shop.row().await, shop.detail(&id).await);
        assert_eq!((&rui["name"], &rui["name"]), (&row["customerName"], &detail["customer"]["name"]));
        rui["name"].clone()
    };
    assert_eq!((here().await, names(&book("costa").await)), (json!("Rui Costa"), vec!["Rui Costa"]));
    shop.save(RUI, "Senhor Rui").await;
    assert_eq!((here().await, names(&book("senhor").await)), (json!("Senhor Rui"), vec!["Senhor Rui"]));
    assert_eq!(shop.listed("customers?search=senhor").await, [RUI]);
    // Who is saved and never wrote is a customer here and a contact there, and in neither somebody one talks with.
    shop.save(ANA, "Ana Saved").await;
    assert_eq!(names(&book("ana").await), ["Ana Saved"]);
    assert_eq!(shop.listed("customers?search=ana").await, [ANA]);
    assert_eq!((&shop.there("chats/").await["count"], shop.conversations("").await.len()), (&json!(1), 1));
    let erased = shop.inbox.post(&shop.inbox.admin, &format!("contacts/{RUI}/erase/"), json!({})).await;
    erased.expect(200);
    assert_eq!((here().await, names(&book("senhor").await)), (json!(""), vec![]));
}

#[tokio::test]
async fn webhooks_tell_what_was_done_through_the_service_api() {
    let (shop, id) = Shop::with_rui().await;
    let (inbox, receiver) = (&shop.inbox, Receiver::start().await);
    let body = json!({"url": receiver.url, "on_incoming_message": false, "on_outgoing_message": true,
                      "on_assigned": false});
    inbox.post(&inbox.bot, "webhooks/waba/", body).await.expect(201);
    let message = shop.does_everything(&id).await;
    let calls = receiver.wait_for(4).await;
    let bodies: Vec<&Value> = calls.iter().map(|call| &call.body).collect();
    let sent = bodies.iter().find(|body| !body["outgoing_messages"].is_null()).expect("the message is told");
    let told = &sent["outgoing_messages"][0];
    assert_eq!((&told["id"], &told["sender"]["id"]), (&json!(message), &json!(inbox.admin.id)));
    assert_eq!(told["waba_payload"]["text"]["body"], "On its way");
    for (key, wanted) in [
        ("chat_tagging", shop.newest("chat_tagging_events/").await),
        ("chat_assignment", shop.newest("chat_assignment_events/").await),
        ("chat_resolved", json!({"wa_id": RUI, "resolved": true})),
    ] {
        assert_eq!(receiver.bodies_with(key), [json!({ key: wanted })], "{key}");
    }
    assert_eq!(receiver.count(), 4, "each is told once");
}

#[tokio::test]
async fn a_websocket_tells_what_was_done_through_the_service_api() {
    let (shop, id) = Shop::with_rui().await;
    let mut socket = Socket::speaking(&shop.inbox, &shop.inbox.admin, "classic").await;
    let message = shop.does_everything(&id).await;
    let mut told = async |key: &str| socket.payload("waba_webhook", key).await[key].take();
    let tagging = told("chat_tagging").await;
    assert_eq!(tagging, shop.newest("chat_tagging_events/").await);
    assert_eq!((&tagging["tag"]["name"], &tagging["chat"]), (&json!("vip"), &json!(RUI)));
    assert_eq!(told("chat_assignment").await, shop.newest("chat_assignment_events/").await);
    assert_eq!(told("outgoing_messages").await[0]["id"], message);
    assert_eq!(told("chat_resolved").await, json!({"wa_id": RUI, "resolved": true}));
}
