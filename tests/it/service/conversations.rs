//! R-CNV-1 … R-CNV-6 and R-CNV-11: the sessions within chats, and what ends them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{ANA, EVA, RUI, Shop};
use crate::harness::{
    http::Answer,
    inbox::{now, text_message},
};

const DAY: i64 = 86_400;

/// A time as the API writes it.
pub fn iso(at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Shop {
    /// The conversations that a question finds.
    pub async fn conversations(&self, query: &str) -> Vec<Value> {
        let data = self.get(&format!("conversations{query}")).await;
        let rows = data["conversations"].as_array().expect("a list").clone();
        assert_eq!(data["totalCount"], json!(rows.len()), "{data}");
        rows
    }

    /// The active conversation with a customer, else the newest: its id.
    pub async fn conversation(&self, with: &str) -> String {
        let rows = self.conversations("?take=100").await;
        let mut of_chat = rows.iter().filter(|row| row["customerWaId"] == with);
        // Several may have their newest message in the same second.
        let active = of_chat.clone().find(|row| row["status"] == "active");
        let row = active.or_else(|| of_chat.next()).expect("a conversation");
        row["id"].as_str().unwrap().to_owned()
    }

    pub async fn detail(&self, id: &str) -> Value {
        self.bare(Method::GET, &self.admin, &format!("conversations/{id}"), None).await.expect(200)["data"].take()
    }

    /// Does something with a conversation.
    pub async fn act(&self, token: &str, id: &str, what: &str, body: Value) -> Answer {
        self.bare(Method::POST, token, &format!("conversations/{id}/{what}"), Some(body)).await
    }

    /// Says something in a conversation.
    pub async fn say(&self, id: &str, content: Value) -> Answer {
        self.act(&self.admin, id, "messages", json!({"content": content})).await
    }
}

/// A template that can be sent.
pub fn template() -> Value {
    json!({"type": "template", "template": {"name": "hello_world", "language": "en_US"}})
}

/// A code of a refusal.
pub fn code(body: &Value) -> &str {
    body["details"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn r_jwt_3_an_agents_list_is_as_long_as_what_it_may_read() {
    let shop = Shop::start().await;
    let agent = shop.inbox.agent.id;
    for scope in ["user", "group"] {
        let permissions = json!({"permissions": {"can_read_chats": scope}});
        shop.inbox.patch(&shop.inbox.admin, &format!("users/{agent}/"), permissions).await.expect(200);
        for (chat, at) in [(RUI, now() - 200_000), (RUI, now() - 60), (ANA, now() - 60)] {
            shop.named(chat, "Somebody", at).await;
        }
        let listed = async |take: i64| {
            let list = shop.get_as_agent(&format!("conversations?take={take}")).await.expect(200);
            (list["data"]["totalCount"].as_i64().unwrap(), list["data"]["conversations"].as_array().unwrap().len())
        };
        assert_eq!(listed(100).await, (0, 0));
        shop.give_to_agent(RUI).await;
        let all = listed(100).await;
        assert_eq!((all.0, listed(1).await), (all.1 as i64, (all.0, 1)), "{scope}");
        assert!(all.1 >= 2, "both of the customer's");
        let body = json!({"assigned_to_user": shop.inbox.admin.id});
        shop.inbox.patch(&shop.inbox.admin, &format!("chat_assignment/{RUI}/"), body).await.expect(200);
        assert_eq!(listed(1).await, (0, 0));
    }
}

#[tokio::test]
async fn r_cnv_1_what_is_written_from_the_phone_is_one_conversation() {
    let shop = Shop::start().await;
    shop.phone_wrote(RUI, "wamid.one", now() - 600).await;
    shop.phone_wrote(RUI, "wamid.two", now() - 300).await;
    let listed = shop.conversations("").await;
    assert_eq!(
        listed.iter().map(|one| (&one["messageCount"], &one["status"])).collect::<Vec<_>>(),
        [(&json!(2), &json!("active"))]
    );
}

#[tokio::test]
async fn r_cnv_1_a_customers_message_opens_a_conversation_and_moves_its_end() {
    let shop = Shop::start().await;
    let at = now() - 3_600;
    shop.named(RUI, "Rui Costa", at).await;
    let first = shop.conversations("").await;
    assert_eq!(
        first,
        [json!({"id": first[0]["id"], "shopId": shop.inbox.tenant, "customerWaId": RUI, "customerName": "Rui Costa",
                "status": "active", "assignedAgentId": null, "lastMessageAt": iso(at), "messageCount": 1, "tags": [],
                "createdAt": iso(at)})]
    );
    let id = first[0]["id"].as_str().unwrap();
    assert_eq!(shop.detail(id).await["expiresAt"], iso(at + DAY));
    shop.named(RUI, "Rui Costa", at + 600).await;
    let detail = shop.detail(id).await;
    let message = |index: usize, text: &str, at: i64| {
        let told = &detail["messages"][index];
        json!({"id": told["id"], "whatsAppMessageId": told["whatsAppMessageId"], "direction": "inbound",
               "content": {"type": "text", "text": text}, "status": "received", "timestamp": iso(at)})
    };
    assert_eq!(
        detail,
        json!({"id": id, "shopId": shop.inbox.tenant, "customer": {"waId": RUI, "name": "Rui Costa", "tags": []},
               "status": "active", "messages": [message(0, "Hello", at), message(1, "Hello", at + 600)],
               "createdAt": iso(at), "expiresAt": iso(at + 600 + DAY)})
    );
    assert!(detail["messages"][0]["whatsAppMessageId"].as_str().unwrap().starts_with("wamid."));
    // Somebody has the first marked.
    shop.inbox
        .get(&shop.inbox.admin, &format!("messages/?wa_id={RUI}&before_time={}&mark_as_received=true", at + 1))
        .await;
    let detail = shop.detail(id).await;
    let statuses: Vec<&Value> = detail["messages"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["read", "received"]);
}

#[tokio::test]
async fn r_cnv_2_a_template_opens_a_conversation_but_not_the_window() {
    let shop = Shop::start().await;
    shop.inbox.customer_wrote(RUI, "Hello", now() - 3 * DAY).await;
    shop.inbox.settle().await;
    let old = shop.conversation(RUI).await;
    let sent = shop.say(&old, template()).await.expect(200)["data"].take();
    let new = sent["conversationId"].as_str().expect("another conversation").to_owned();
    assert_ne!(new, old);
    let detail = shop.detail(&new).await;
    assert_eq!((&detail["status"], detail["messages"].as_array().unwrap().len()), (&json!("active"), 1));
    assert_eq!(detail["createdAt"], sent["timestamp"]);
    let refused = shop.say(&new, json!({"type": "text", "text": "And?"})).await.expect(422);
    assert_eq!(code(&refused), "WINDOW_CLOSED");
    let again = shop.say(&new, template()).await.expect(200)["data"].take();
    assert_eq!(again.get("conversationId"), None, "it is in the one that was named: {again}");
    assert_eq!(shop.detail(&old).await["status"], "expired");
}

#[tokio::test]
async fn r_cnv_3_a_conversation_expires_by_time_without_an_event() {
    let shop = Shop::start().await;
    shop.inbox.customer_wrote(RUI, "Hello", now() - DAY + 3).await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    assert_eq!(shop.detail(&id).await["status"], "active");
    let events = shop.inbox.count("SELECT count(*) FROM ledger.events").await;
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    assert_eq!(shop.detail(&id).await["status"], "expired");
    assert_eq!(shop.conversations("?status=active").await, Vec::<Value>::new());
    assert_eq!(shop.conversations("?status=expired").await.len(), 1);
    assert_eq!(shop.inbox.count("SELECT count(*) FROM ledger.events").await, events);
    for what in ["close", "assign"] {
        let refused = shop.act(&shop.admin, &id, what, json!({"agentId": null})).await.expect(422);
        assert_eq!(code(&refused), "CONVERSATION_CLOSED", "{what}");
    }
    shop.inbox.customer_writes(RUI, "Hello again").await;
    shop.inbox.settle().await;
    let both = shop.conversations("").await;
    assert_eq!(both.iter().map(|row| row["status"].as_str().unwrap()).collect::<Vec<_>>(), ["active", "expired"]);
    assert_eq!(both[1]["id"], id);
}

#[tokio::test]
async fn r_cnv_3_a_closed_conversation_is_final_and_the_next_message_opens_another() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let first = shop.conversation(RUI).await;
    let closed = shop.act(&shop.admin, &first, "close", json!({})).await.expect(200)["data"].take();
    assert_eq!(closed, json!({"conversationId": first, "status": "closed", "closedAt": closed["closedAt"]}));
    assert_eq!(code(&shop.act(&shop.admin, &first, "close", json!({})).await.expect(422)), "CONVERSATION_CLOSED");
    // The window is still open: a free-form reply through the other family opens another.
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "One more thing"}});
    shop.inbox.post(&shop.inbox.admin, "messages/", text).await.expect(201);
    let second = shop.conversation(RUI).await;
    assert_ne!(second, first);
    shop.inbox.customer_writes(RUI, "Yes?").await;
    shop.inbox.settle().await;
    assert_eq!(shop.conversation(RUI).await, second);
    assert_eq!(shop.conversations("?status=closed").await.len(), 1);
}

#[tokio::test]
async fn r_cnv_4_of_many_messages_at_once_one_opens_the_conversation() {
    let shop = Shop::start().await;
    let deliveries = (0..8).map(|n| {
        let message = text_message(RUI, &format!("wamid.parallel.{n}"), now(), "Hello");
        let call = shop.inbox.call(json!({"messages": [message]})).to_string();
        let inbox = &shop.inbox;
        async move { inbox.deliver(&call).await.expect(200) }
    });
    futures_util::future::join_all(deliveries).await;
    shop.inbox.settle().await;
    let all = shop.conversations("").await;
    assert_eq!((all.len(), &all[0]["messageCount"]), (1, &json!(8)));
}

#[tokio::test]
async fn r_cnv_5_the_agent_is_the_chats_user_and_a_new_conversation_inherits_it() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let (first, agent) = (shop.conversation(RUI).await, shop.inbox.agent.id.to_string());
    let assigned = shop.act(&shop.admin, &first, "assign", json!({"agentId": agent})).await.expect(200)["data"].take();
    assert_eq!(
        assigned,
        json!({"conversationId": first, "assignedAgentId": agent, "assignedAt": assigned["assignedAt"]})
    );
    let padded = shop.act(&shop.admin, &first, "assign", json!({"agentId": format!("00{agent}")})).await.expect(200);
    assert_eq!(padded["data"]["assignedAgentId"], agent, "the user's id");
    let of_chat = shop.inbox.get(&shop.inbox.admin, &format!("chat_assignment/{RUI}/")).await.expect(200);
    assert_eq!(of_chat["assigned_to_user"], shop.inbox.agent.id.0);
    shop.act(&shop.admin, &first, "close", json!({})).await.expect(200);
    shop.inbox.customer_writes(RUI, "Hello again").await;
    shop.inbox.settle().await;
    let rows = shop.conversations(&format!("?assignedAgentId={agent}")).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["assignedAgentId"] == agent.as_str()));
    let id = shop.conversation(RUI).await;
    shop.act(&shop.admin, &id, "assign", json!({"agentId": null})).await.expect(200);
    assert_eq!(shop.conversations("").await[0]["assignedAgentId"], Value::Null);
    assert_eq!(shop.conversations("?assignedAgentId=agent-001").await, Vec::<Value>::new());
    for (body, wanted) in [
        (json!({}), "REQUIRED_FIELD"),
        (json!({"agentId": "999999"}), "AGENT_NOT_FOUND"),
        (json!({"agentId": "agent-001"}), "AGENT_NOT_FOUND"),
    ] {
        assert_eq!(code(&shop.act(&shop.admin, &id, "assign", body).await.expect(422)), wanted);
    }
    let wrong = shop.act(&shop.admin, &id, "assign", json!({"agentId": 7})).await.expect(400);
    assert_eq!(code(&wrong), "INVALID_TYPE");
}

#[tokio::test]
async fn r_cnv_6_counts_both_directions_and_shows_the_chats_tags() {
    let shop = Shop::start().await;
    let at = now() - 600;
    shop.inbox.customer_wrote(RUI, "Hello", at).await;
    shop.inbox.customer_wrote(ANA, "Hello", at + 60).await;
    shop.inbox.customer_wrote(EVA, "Hello", at + 60).await;
    shop.phone_wrote(RUI, "wamid.echo", at + 300).await;
    let id = shop.conversation(RUI).await;
    shop.say(&id, json!({"type": "text", "text": "On its way"})).await.expect(200);
    shop.put(&format!("customers/{RUI}/tags"), json!({"addTags": ["vip", "new-customer"]})).await.expect(200);
    let rows = shop.conversations("").await;
    assert_eq!(
        (&rows[0]["customerWaId"], &rows[0]["messageCount"], &rows[0]["tags"]),
        (&json!(RUI), &json!(3), &json!(["vip", "new-customer"]))
    );
    // Two of the same second are in the order of their ids, on every page.
    assert!(rows[1]["id"].as_str() < rows[2]["id"].as_str());
    let mut paged = Vec::new();
    for skip in 0..3 {
        let answer = shop.call(Method::GET, &shop.admin, &format!("conversations?take=1&skip={skip}"), None).await;
        let answer = answer.expect(200);
        assert_eq!(answer["pagination"], json!({"page": skip + 1, "limit": 1, "total": 3, "totalPages": 3}));
        paged.push(answer["data"]["conversations"][0].clone());
    }
    assert_eq!(paged, rows);
}

#[tokio::test]
async fn r_cnv_11_closing_resolves_the_chat_and_clears_nothing_else() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    shop.give_to_agent(RUI).await;
    shop.put(&format!("customers/{RUI}/tags"), json!({"addTags": ["vip"]})).await.expect(200);
    let id = shop.conversation(RUI).await;
    shop.act(&shop.admin, &id, "close", json!({})).await.expect(200);
    let chat = shop.inbox.get(&shop.inbox.admin, &format!("chats/{RUI}/")).await.expect(200);
    assert_eq!(chat["contact"]["resolved"], true, "{chat}");
    let row = &shop.conversations("").await[0];
    assert_eq!((&row["tags"], &row["status"]), (&json!(["vip"]), &json!("closed")));
    assert_eq!(row["assignedAgentId"], shop.inbox.agent.id.to_string());
    assert_eq!((shop.events("ConversationClosed").await, shop.events("ChatResolved").await), (1, 1));
}

#[tokio::test]
async fn unknown_conversations_and_bad_questions_are_told() {
    let shop = Shop::start().await;
    for id in ["x", "conv-001", "550e8400-e29b-41d4-a716-446655440000"] {
        let answer = shop.bare(Method::GET, &shop.admin, &format!("conversations/{id}"), None).await.expect(404);
        assert_eq!(
            answer,
            json!({"success": false, "data": null, "error": "Not found", "pagination": null,
                   "details": {"code": "NOT_FOUND"}})
        );
        for what in ["messages", "assign", "close"] {
            shop.act(&shop.admin, id, what, json!({"content": {}, "agentId": null})).await.expect(404);
        }
    }
    for (query, field, wanted) in [
        ("status=open", "status", "INVALID_PARAMETER"),
        ("take=0", "take", "OUT_OF_RANGE"),
        ("take=101", "take", "OUT_OF_RANGE"),
        ("skip=-1", "skip", "OUT_OF_RANGE"),
    ] {
        let told = shop.call(Method::GET, &shop.admin, &format!("conversations?{query}"), None).await.expect(400);
        assert_eq!((told["details"]["field"].as_str(), code(&told)), (Some(field), wanted), "{query}");
    }
}
