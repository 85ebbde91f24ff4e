//! Every example of the source document, sent as it stands: the answer has the example's keys, no others but the
//! envelope's nulls (R-SVC-2), values of the same types and, where they depend on neither ids nor times, the same values.
//!
//! Not built yet and left out: automation flows, AI agents, `analytics/automations`. Where the contract departs from
//! an example, the test says so beside it.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    asking::{add_number, ask, inbox, token},
    conversations::iso,
    shape::{enveloped, moved, same_shape, time},
    shop::Shop,
};
use crate::harness::inbox::{Inbox, contact, now, text_message};

/// The shop and the customer of the document.
const SHOP: &str = "550e8400-e29b-41d4-a716-446655440000";
const CUSTOMER: &str = "84901234567";
const NAME: &str = "Nguyễn Văn A";

/// The document's webhook call, as it stands.
const RECEIVED: &str = r#"{
"object": "whatsapp_business_account",
"entry": [{
"id": "123456",
"changes": [{
"value": {
"messaging_product": "whatsapp",
"metadata": {
"phone_number_id": "123456789"
},
"messages": [{
"from": "84901234567",
"id": "wamid.xxx",
"timestamp": "1704000000",
"type": "text",
"text": {
"body": "Hello"
}
}]
}
}]
}]
}"#;

/// Only so many of a list.
fn first(answer: &mut Value, list: &str, count: usize) {
    answer["data"][list].as_array_mut().expect("a list").truncate(count);
}

impl Shop {
    /// The document's customer wrote.
    async fn customer(&self, texts: &[(&str, &str, i64)]) {
        let message = |(id, text, at): &(&str, &str, i64)| text_message(CUSTOMER, id, *at, text);
        let messages: Vec<Value> = texts.iter().map(message).collect();
        self.inbox.bring(json!({"contacts": [contact(CUSTOMER, NAME)], "messages": messages})).await;
        self.inbox.settle().await;
    }

    /// The business said something in another program.
    async fn answered(&self, id: &str, text: &str, at: i64) {
        echoes(&self.inbox, vec![echo(CUSTOMER, id, at, text)]).await;
    }

    /// So many others wrote, all at once.
    async fn crowd(&self, count: usize, at: i64) {
        let message = |n| text_message(&format!("8490000{n:04}"), &format!("wamid.crowd.{n}"), at, "Hello");
        self.inbox.bring(json!({"messages": (0..count).map(message).collect::<Vec<_>>()})).await;
        self.inbox.settle().await;
    }

    /// Asks as the document does.
    async fn asks(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.call(method, &self.admin, path, body).await.expect(200)
    }

    async fn posts(&self, path: &str, body: Option<Value>) -> Value {
        self.bare(Method::POST, &self.admin, path, body).await.expect(200)
    }
}

fn echo(to: &str, id: &str, at: i64, text: &str) -> Value {
    json!({"from": "351210000000", "to": to, "id": id, "timestamp": at.to_string(), "type": "text",
           "text": {"body": text}})
}

async fn echoes(inbox: &Inbox, echoes: Vec<Value>) {
    let mut call = inbox.call(json!({ "message_echoes": echoes }));
    call["entry"][0]["changes"][0]["field"] = json!("message_echoes");
    inbox.deliver(&call.to_string()).await.expect(200);
    inbox.settle().await;
}

#[tokio::test]
async fn the_documents_accounts_and_webhooks() {
    let inbox = inbox().await;
    add_number(&inbox, "123456789", "EAAxxxxx").await;
    // The document's shop is made by its being connected (R-ACC-5).
    let platform = token("the platform", "platform", &[SHOP]);
    let asks = async |method, path: &str, body| ask(&inbox, &platform, method, path, body).await;
    let mut request = json!({
        "shopId": "550e8400-e29b-41d4-a716-446655440000", "phoneNumberId": "123456789", "accessToken": "EAAxxxxx",
        "webhookUrl": "https://yourdomain.com/api/v1/whatsapp/webhooks"
    });
    let example = json!({"success": true, "data": {
        "accountId": "660e8400-e29b-41d4-a716-446655440000", "shopId": "550e8400-e29b-41d4-a716-446655440000",
        "phoneNumberId": "123456789", "status": "active", "messageTier": "tier_1", "connectedAt": "2026-01-18T10:00:00Z"
    }});
    same_shape(&enveloped(example), &asks(Method::POST, "accounts", Some(request.clone())).await.expect(200));

    // A notice names the business account alone; who has it is read where the connection has to be known first.
    inbox.settle().await;
    let notice = json!({"object": "whatsapp_business_account", "entry": [{"id": "8123456789", "changes": [
        {"field": "business_capability_update", "value": {"max_daily_conversations_per_business": 10_000}}]}]});
    inbox.deliver(&notice.to_string()).await.expect(200);
    inbox.settle().await;
    let used = "INSERT INTO read_models.template_days (tenant_id, day, customers)
                VALUES ($1::uuid, (now() AT TIME ZONE 'UTC')::date, 1523)";
    sqlx::query(used).bind(SHOP).execute(&inbox.pool).await.expect("so many are used");
    let example = json!({"success": true, "data": {
        "accountId": "660e8400-e29b-41d4-a716-446655440000", "shopId": "550e8400-e29b-41d4-a716-446655440000",
        "phoneNumberId": "123456789", "webhookUrl": "https://yourdomain.com/api/v1/whatsapp/webhooks",
        "status": "active", "messageTier": "tier_2", "dailyLimit": 10000, "messagesUsedToday": 1523,
        "connectedAt": "2026-01-15T10:00:00Z"
    }});
    same_shape(&enveloped(example), &asks(Method::GET, &format!("accounts/{SHOP}"), None).await.expect(200));

    let verify = "whatsapp/webhooks?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
    let answer = inbox.http.send(inbox.http.raw.get(inbox.http.url(&format!("{verify}{}", inbox.verify_token)))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "1158201444"));
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"), "{:?}", answer.headers);
    // The one answer without an envelope.
    assert_eq!(inbox.deliver(RECEIVED).await.expect(200), json!({"success": true}));
    assert_eq!(inbox.http.signed("another secret", RECEIVED.into()).await.status, 401);
    inbox.settle().await;
    let listed = asks(Method::GET, &format!("conversations?shopId={SHOP}"), None).await.expect(200);
    let row = &listed["data"]["conversations"][0];
    assert_eq!((&row["customerWaId"], &row["createdAt"]), (&json!(CUSTOMER), &json!(iso(1_704_000_000))));

    // What the document says in words is ours in words, and the same in codes.
    request.as_object_mut().unwrap().remove("phoneNumberId");
    let refused = asks(Method::POST, "accounts", Some(request)).await.expect(422);
    let told = refused["error"].as_str().expect("a sentence");
    assert!(told.starts_with("Validation failed: ") && told.ends_with(" is required"), "{told}");
    let details = json!({"field": "phoneNumberId", "code": "REQUIRED_FIELD"});
    same_shape(&enveloped(json!({"success": false, "error": told, "details": details})), &refused);

    let example = json!({"success": true, "data": {"message": "Account disconnected successfully"}});
    same_shape(&enveloped(example), &asks(Method::DELETE, &format!("accounts/{SHOP}"), None).await.expect(200));
}

#[tokio::test]
async fn the_documents_list_of_conversations() {
    let shop = Shop::start().await;
    let at = now() - 2_000;
    shop.crowd(41, at).await;
    let texts = [("w.1", "a", at), ("w.2", "b", at + 9), ("w.3", "c", at + 60), ("w.4", "d", at + 600)];
    shop.customer(&texts).await;
    shop.customer(&[("w.5", "e", at + 1_800)]).await;
    shop.put(&format!("customers/{CUSTOMER}/tags"), json!({"addTags": ["new-customer"]})).await.expect(200);
    let example = json!({
        "success": true,
        "data": {
            "conversations": [{
                "id": "conv-001", "shopId": shop.inbox.tenant, "customerWaId": "84901234567",
                "customerName": "Nguyễn Văn A", "status": "active", "assignedAgentId": null,
                "lastMessageAt": "2026-01-18T10:30:00Z", "messageCount": 5, "tags": ["new-customer"],
                "createdAt": "2026-01-18T10:00:00Z"
            }],
            "totalCount": 42
        },
        "pagination": {"page": 1, "limit": 20, "total": 42, "totalPages": 3}
    });
    let mut answer = shop.asks(Method::GET, "conversations", None).await;
    assert_eq!(answer["data"]["conversations"].as_array().map(Vec::len), Some(20));
    first(&mut answer, "conversations", 1);
    same_shape(&enveloped(moved(example, at)), &answer);
}

#[tokio::test]
async fn the_documents_conversation() {
    let shop = Shop::start().await;
    let at = now() - 600;
    shop.customer(&[("wamid.xxx", "Xin chào", at)]).await;
    shop.answered("wamid.yyy", "Xin chào! Chúng tôi có thể giúp gì cho bạn?", at + 15).await;
    shop.inbox.status("wamid.yyy", CUSTOMER, "delivered", at + 16).await;
    shop.put(&format!("customers/{CUSTOMER}/tags"), json!({"addTags": ["vip"]})).await.expect(200);
    let marking = format!("messages/?wa_id={CUSTOMER}&before_time={}&mark_as_received=true", at + 1);
    shop.inbox.get(&shop.inbox.admin, &marking).await.expect(200);
    let id = shop.conversation(CUSTOMER).await;
    let example = json!({
        "success": true,
        "data": {
            "id": id, "shopId": shop.inbox.tenant,
            "customer": {"waId": "84901234567", "name": "Nguyễn Văn A", "tags": ["vip"]},
            "status": "active",
            "messages": [
                {"id": "msg-001", "whatsAppMessageId": "wamid.xxx", "direction": "inbound",
                 "content": {"type": "text", "text": "Xin chào"}, "status": "read",
                 "timestamp": "2026-01-18T10:00:00Z"},
                {"id": "msg-002", "whatsAppMessageId": "wamid.yyy", "direction": "outbound",
                 "content": {"type": "text", "text": "Xin chào! Chúng tôi có thể giúp gì cho bạn?"},
                 "status": "delivered", "timestamp": "2026-01-18T10:00:15Z"}
            ],
            "createdAt": "2026-01-18T10:00:00Z", "expiresAt": "2026-01-19T10:00:00Z"
        }
    });
    let path = format!("conversations/{id}");
    same_shape(&enveloped(moved(example, at)), &shop.asks(Method::GET, &path, None).await);

    let text = json!({"type": "text", "text": "Cảm ơn bạn đã liên hệ!"});
    let image =
        json!({"type": "image", "url": "https://example.com/product.jpg", "caption": "Check out this product!"});
    let interactive = json!({"type": "interactive", "interactive": {
        "type": "button", "body": {"text": "Choose an option:"},
        "action": {"buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]}
    }});
    let example = enveloped(json!({"success": true, "data": {
        "messageId": "msg-003", "whatsAppMessageId": "wamid.zzz", "status": "sent", "timestamp": "2026-01-18T10:05:00Z"
    }}));
    for content in [&text, &image, &interactive] {
        same_shape(&example, &shop.posts(&format!("{path}/messages"), Some(json!({ "content": content }))).await);
    }
    let detail = shop.detail(&id).await;
    let shown = |at: usize| detail["messages"][at]["content"].clone();
    assert_eq!([shown(2), shown(3)], [text, image], "it is shown as it was sent");
    // Buttons are shown as WhatsApp has them.
    let replies = shown(4)["interactive"]["action"]["buttons"].take();
    let reply = |id, title| json!({"type": "reply", "reply": {"id": id, "title": title}});
    assert_eq!(replies, json!([reply("yes", "Yes"), reply("no", "No")]));

    // The document's agent-001 is one of ours.
    let agent = shop.inbox.agent.id.to_string();
    let example = json!({"success": true, "data": {
        "conversationId": id, "assignedAgentId": agent, "assignedAt": "2026-01-18T10:10:00Z"
    }});
    same_shape(&enveloped(example), &shop.posts(&format!("{path}/assign"), Some(json!({ "agentId": agent }))).await);
    let example = json!({"success": true, "data": {
        "conversationId": id, "status": "closed", "closedAt": "2026-01-18T10:15:00Z"
    }});
    same_shape(&enveloped(example), &shop.posts(&format!("{path}/close"), None).await);
}

#[tokio::test]
async fn the_documents_customers() {
    let shop = Shop::start().await;
    let (last, day) = (now() - 600, 90_000);
    shop.crowd(149, last - 3_600).await;
    // Twelve conversations, the first of them answered after five minutes; the last word is a wish.
    shop.customer(&[("w.0", "Hello", last - 11 * day)]).await;
    shop.answered("w.answer", "Hi", last - 11 * day + 300).await;
    for n in 1..11 {
        shop.customer(&[(&format!("w.{n}"), "Hello", last - (11 - n) * day)]).await;
    }
    shop.customer(&[("w.11", "START", last)]).await;
    let tags = format!("customers/{CUSTOMER}/tags");
    shop.put(&tags, json!({"addTags": ["vip", "frequent-buyer"]})).await.expect(200);
    // 004's example has no pagination, its rules promise it for every list (contract §9).
    let example = json!({
        "success": true,
        "data": {
            "customers": [{
                "id": "cust-001", "waId": "84901234567", "name": "Nguyễn Văn A", "tags": ["vip", "frequent-buyer"],
                "optInStatus": "opted_in", "conversationCount": 12, "lastContactedAt": "2026-01-18T10:00:00Z",
                "createdAt": "2026-01-01T00:00:00Z"
            }],
            "totalCount": 150
        },
        "pagination": {"page": 1, "limit": 20, "total": 150, "totalPages": 8}
    });
    let mut answer = shop.asks(Method::GET, "customers", None).await;
    first(&mut answer, "customers", 1);
    same_shape(&enveloped(example), &answer);

    shop.put(&tags, json!({"removeTags": ["frequent-buyer"]})).await.expect(200);
    let mut example = json!({"success": true, "data": {
        "id": "cust-001", "waId": "84901234567", "shopId": shop.inbox.tenant, "name": "Nguyễn Văn A",
        "profilePictureUrl": "https://...",
        "consent": {"status": "opted_in", "timestamp": "2026-01-01T10:00:00Z", "source": "whatsapp"},
        "tags": ["vip"], "customFields": {"city": "Hanoi", "preferredLanguage": "vi"},
        "stats": {"conversationCount": 12, "averageResponseTime": "5m", "lastPurchaseDate": "2026-01-15"}
    }});
    // WhatsApp shows businesses no pictures; fields come with flows, purchases with the events of the shop (R-CUS-8).
    let data = &mut example["data"];
    (data["profilePictureUrl"], data["customFields"]) = (Value::Null, json!({}));
    data["stats"]["lastPurchaseDate"] = Value::Null;
    same_shape(&enveloped(example), &shop.asks(Method::GET, &format!("customers/{CUSTOMER}"), None).await);

    shop.put(&tags, json!({"addTags": ["new-customer"]})).await.expect(200);
    let request = json!({"addTags": ["vip", "electronics-buyer"], "removeTags": ["new-customer"]});
    let example = json!({"success": true, "data": {"waId": "84901234567", "tags": ["vip", "electronics-buyer"]}});
    same_shape(&enveloped(example), &shop.asks(Method::PUT, &tags, Some(request)).await);
    let (request, path) = (json!({"status": "opted_in", "source": "web"}), format!("customers/{CUSTOMER}/opt-in"));
    let example = json!({"success": true, "data": {"waId": "84901234567", "consent": {
        "status": "opted_in", "timestamp": "2026-01-18T10:20:00Z", "source": "web"
    }}});
    // The document names no shop here: the token has one.
    let answer = shop.bare(Method::PUT, &shop.admin, &path, Some(request)).await.expect(200);
    same_shape(&enveloped(example), &answer);
}

#[tokio::test]
async fn the_documents_pagination() {
    let shop = Shop::start().await;
    shop.crowd(150, now() - 600).await;
    for list in ["conversations", "customers"] {
        let answer = shop.asks(Method::GET, &format!("{list}?skip=20&take=20"), None).await;
        assert_eq!(answer["pagination"], json!({"page": 2, "limit": 20, "total": 150, "totalPages": 8}), "{list}");
        assert_eq!(answer["data"][list].as_array().map(Vec::len), Some(20), "{list}");
    }
}

#[tokio::test]
async fn the_documents_figures() {
    let shop = Shop::start().await;
    for day in 9..=18 {
        let morning = format!("2026-01-{day:02}T08:00:00Z").parse::<DateTime<Utc>>().expect("a time").timestamp();
        let who = |n: i64| format!("8490000{:04}", n % 7);
        let id = |n: i64| format!("wamid.{day}.{n}");
        let inbound: Vec<_> = (0..245).map(|n| text_message(&who(n), &id(n), morning + n, "Hello")).collect();
        shop.inbox.bring(json!({ "messages": inbound })).await;
        echoes(&shop.inbox, (245..543).map(|n| echo(&who(n), &id(n), morning + n, "Hi")).collect()).await;
    }
    let example = json!({"success": true, "data": {
        "metrics": [{"date": "2026-01-18", "inboundCount": 245, "outboundCount": 298, "totalCount": 543}],
        "summary": {"totalInbound": 2450, "totalOutbound": 2980, "averagePerDay": 543}
    }});
    let path = "analytics/messages?startDate=2026-01-09&endDate=2026-01-18&groupBy=day";
    let mut answer = shop.asks(Method::GET, path, None).await;
    // The document shows one row of ten.
    let rows = answer["data"]["metrics"].as_array_mut().expect("a list");
    assert_eq!(rows.len(), 10);
    rows.drain(..9);
    same_shape(&enveloped(example), &answer);
}

#[tokio::test]
async fn the_documents_figures_of_conversations() {
    let shop = Shop::start().await;
    let at = now() - 945;
    shop.customer(&[("w.1", "Hello", at)]).await;
    shop.answered("w.2", "Hi", at + 150).await;
    let path = format!("conversations/{}/close", shop.conversation(CUSTOMER).await);
    let closed = shop.posts(&path, None).await["data"]["closedAt"].take();
    let mut example = json!({"success": true, "data": {
        "averageResponseTime": "2m 30s", "averageResolutionTime": "15m 45s", "automationResolutionRate": 0.65,
        "aiResolutionRate": 0.78, "humanHandoffRate": 0.22
    }});
    // A moment passes before it is closed.
    let seconds = time(closed.as_str().expect("a time")).expect("a time") - at;
    example["data"]["averageResolutionTime"] = json!(format!("15m {}s", seconds - 900));
    // Nothing answers by itself yet: numbers as well, and none but this.
    for rate in ["automationResolutionRate", "aiResolutionRate", "humanHandoffRate"] {
        example["data"][rate] = json!(0.0);
    }
    shop.inbox.settle().await;
    same_shape(&enveloped(example), &shop.asks(Method::GET, "analytics/conversations", None).await);
}
