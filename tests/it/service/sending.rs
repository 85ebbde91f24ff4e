//! R-CNV-7 … R-CNV-10: saying something in a conversation.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    conversations::{code, template},
    shop::{ANA, RUI, Shop},
};
use crate::harness::inbox::now;

#[tokio::test]
async fn r_cnv_7_outside_the_window_only_templates_are_sent() {
    let shop = Shop::start().await;
    shop.inbox.customer_wrote(RUI, "Hello", now() - 90_000).await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    let events = shop.inbox.count("SELECT count(*) FROM ledger.events WHERE aggregate_type = 'Chat'").await;
    let refused = shop.say(&id, json!({"type": "text", "text": "Too late"})).await.expect(422);
    assert_eq!(
        refused,
        json!({"success": false, "data": null, "error": "The 24-hour customer service window is closed",
               "pagination": null,
               "details": {"field": "content.type", "code": "WINDOW_CLOSED", "whatsAppCode": 131_047}})
    );
    let after = shop.inbox.count("SELECT count(*) FROM ledger.events WHERE aggregate_type = 'Chat'").await;
    assert_eq!(after, events, "nothing is recorded");
    shop.say(&id, template()).await.expect(200);
}

#[tokio::test]
async fn r_cnv_8_nothing_is_sent_in_a_closed_conversation() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    shop.act(&shop.admin, &id, "close", json!({})).await.expect(200);
    for content in [json!({"type": "text", "text": "Hi"}), template()] {
        assert_eq!(code(&shop.say(&id, content).await.expect(422)), "CONVERSATION_CLOSED");
    }
    assert_eq!(shop.events("MessageQueued").await, 0);
}

#[tokio::test]
async fn r_cnv_9_a_message_is_sent_queued_or_refused() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    let sent = shop.say(&id, json!({"type": "text", "text": "Hi"})).await.expect(200)["data"].take();
    assert_eq!(
        sent,
        json!({"messageId": sent["messageId"], "whatsAppMessageId": sent["whatsAppMessageId"], "status": "sent",
               "timestamp": sent["timestamp"]})
    );
    assert!(sent["whatsAppMessageId"].as_str().is_some_and(|id| id.starts_with("wamid.")), "{sent}");
    let shown = shop.detail(&id).await["messages"][1].take();
    assert_eq!((&shown["id"], &shown["direction"]), (&sent["messageId"], &json!("outbound")));
    assert_eq!(shown["timestamp"], sent["timestamp"]);

    shop.inbox.behave(json!({"fail_next": {"code": 131_026, "count": 1}})).await;
    let refused = shop.say(&id, json!({"type": "text", "text": "Hi"})).await.expect(422);
    assert_eq!((code(&refused), &refused["details"]["whatsAppCode"]), ("PROVIDER_REJECTED", &json!(131_026)));
    let failed = shop.detail(&id).await["messages"][2]["status"].take();
    assert_eq!(failed, "failed");

    shop.inbox.behave(json!({"http_status": {"status": 503, "count": 1}})).await;
    let queued = shop.say(&id, json!({"type": "text", "text": "Hi"})).await.expect(200)["data"].take();
    assert_eq!((&queued["status"], &queued["whatsAppMessageId"]), (&json!("queued"), &Value::Null));
}

#[tokio::test]
async fn r_cnv_10_it_is_the_same_as_through_the_other_family() {
    let shop = Shop::start().await;
    for who in [RUI, ANA] {
        shop.inbox.customer_writes(who, "Hello").await;
    }
    shop.inbox.settle().await;
    // One through each family.
    let admin = &shop.inbox.admin;
    let text = json!({"wa_id": ANA, "type": "text", "text": {"body": "On its way"}});
    shop.inbox.post(admin, "messages/", text).await.expect(201);
    let assignment = json!({"assigned_to_user": shop.inbox.agent.id});
    shop.inbox.patch(admin, &format!("chat_assignment/{ANA}/"), assignment).await.expect(200);
    let id = shop.conversation(RUI).await;
    shop.say(&id, json!({"type": "text", "text": "On its way"})).await.expect(200);
    let agent = json!({"agentId": shop.inbox.agent.id.to_string()});
    shop.act(&shop.admin, &id, "assign", agent).await.expect(200);
    shop.inbox.settle().await;
    let names = async |who: &str| -> Vec<String> {
        sqlx::query_scalar(
            "SELECT event_type FROM ledger.events WHERE aggregate_type = 'Chat' AND aggregate_id = $1
                 AND event_type IN ('MessageQueued', 'MessageAccepted', 'ChatAssigned') ORDER BY position",
        )
        .bind(who)
        .fetch_all(&shop.inbox.pool)
        .await
        .unwrap()
    };
    assert_eq!(names(RUI).await, names(ANA).await);
    let families: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT metadata->>'family' FROM ledger.events WHERE event_type = 'ChatAssigned' ORDER BY 1",
    )
    .fetch_all(&shop.inbox.pool)
    .await
    .unwrap();
    assert_eq!(families, ["integration", "service"], "the record tells them apart");
    let history = shop.inbox.get(admin, &format!("chat_assignment_events/?wa_id={RUI}")).await.expect(200);
    assert_eq!(history["results"][0]["assigned_to_user_set"]["id"], shop.inbox.agent.id.0, "{history}");
}

#[tokio::test]
async fn r_cnv_10_a_message_is_sent_as_it_was_written() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    shop.say(&id, json!({"type": "text", "text": "  Dear Rui,\n"})).await.expect(200);
    assert_eq!(shop.detail(&id).await["messages"][1]["content"]["text"], "  Dear Rui,\n");
    assert_eq!(code(&shop.say(&id, json!({"type": "text", "text": " \n"})).await.expect(422)), "REQUIRED_FIELD");
}

#[tokio::test]
async fn r_svc_5_another_json_type_within_a_message_is_400() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    for sections in [json!("x"), json!([5]), json!([{"rows": 5}]), json!([{"rows": [{"id": 1, "title": "One"}]}])] {
        let action = json!({"button": "Open", "sections": sections});
        let list = json!({"type": "list", "body": {"text": "Choose"}, "action": action});
        let told = shop.say(&id, json!({"type": "interactive", "interactive": list})).await.expect(400);
        assert_eq!(code(&told), "INVALID_TYPE", "{action}");
    }
}

#[tokio::test]
async fn r_jwt_3_an_agent_acts_as_its_user() {
    let shop = Shop::start().await;
    for who in [RUI, ANA] {
        shop.inbox.customer_writes(who, "Hello").await;
    }
    shop.inbox.settle().await;
    let (rui, ana) = (shop.conversation(RUI).await, shop.conversation(ANA).await);
    shop.give_to_agent(RUI).await;
    // As every regular user it reads all chats, and writes to its own.
    let text = json!({"content": {"type": "text", "text": "Hi"}});
    shop.act(&shop.agent, &rui, "messages", text.clone()).await.expect(200);
    assert_eq!(code(&shop.act(&shop.agent, &ana, "messages", text.clone()).await.expect(422)), "FORBIDDEN_CHAT");
    assert_eq!(code(&shop.act(&shop.agent, &ana, "close", json!({})).await.expect(422)), "FORBIDDEN_CHAT");
    let sender = "SELECT (payload->>'sender')::bigint FROM ledger.events WHERE event_type = 'MessageQueued'";
    assert_eq!(shop.inbox.count(sender).await, shop.inbox.agent.id.0);
    // R-ASG-2: what is nobody's may be taken, what is somebody else's may not.
    let admin = shop.inbox.admin.id.to_string();
    shop.act(&shop.admin, &ana, "assign", json!({"agentId": admin})).await.expect(200);
    let mine = json!({"agentId": shop.inbox.agent.id.to_string()});
    assert_eq!(code(&shop.act(&shop.agent, &ana, "assign", mine).await.expect(422)), "ALREADY_ASSIGNED");
    // R-PERM-5, R-PERM-7: what it may not read is not there.
    let own = json!({"permissions": {"can_read_chats": "user"}});
    let changed = shop.inbox.patch(&shop.inbox.admin, &format!("users/{}/", shop.inbox.agent.id), own).await;
    assert!(changed.status < 300, "{}", changed.status);
    let seen = shop.get_as_agent("conversations").await.expect(200)["data"].take();
    assert_eq!((&seen["totalCount"], &seen["conversations"][0]["customerWaId"]), (&json!(1), &json!(RUI)));
    let path = format!("conversations/{ana}");
    let unread = shop.bare(Method::GET, &shop.agent, &path, None).await.expect(404);
    let unknown = format!("conversations/{}", uuid::Uuid::new_v4());
    assert_eq!(unread, shop.bare(Method::GET, &shop.agent, &unknown, None).await.expect(404));
    shop.act(&shop.agent, &ana, "messages", text).await.expect(404);
}
