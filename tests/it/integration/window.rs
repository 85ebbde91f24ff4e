//! Contract §G, the window: what a tenant may grant (R-WIN-7), and that every type of message opens it and may be sent
//! inside it. The other rules of the window are in `inbound/window.rs` and `outbound/window.rs`.

use chatledger_domain::TenantId;
use serde_json::{Value, json};

use super::{ANA, EVA, RUI};
use crate::harness::inbox::{Inbox, now, text_message};

const DAY: i64 = 86_400;

impl Inbox {
    /// The tenant grants 72 hours after an ad's referral.
    async fn grant_free_entry(&self) {
        let tools = self.tools().await;
        let change = |settings: &mut chatledger_domain::tenant::Settings| settings.free_entry_window = true;
        tools.application.set_tenant(TenantId(self.tenant), change).await.expect("set");
        tools.close().await;
        self.settle().await;
    }

    /// A customer came by an ad.
    async fn came_by_an_ad(&self, from: &str, timestamp: i64) {
        let mut message = text_message(from, &format!("wamid.ad.{from}"), timestamp, "I saw your ad");
        message["referral"] = json!({"source_url": "https://fb.me/x", "source_type": "ad", "source_id": "7"});
        self.bring(json!({"messages": [message]})).await;
        self.settle().await;
    }

    async fn closes_at(&self, chat: &str) -> Value {
        let person = self.page(&self.admin, &format!("persons/{chat}/")).await["messaging_window_expires_at"].clone();
        let chat =
            self.page(&self.admin, &format!("chats/{chat}/")).await["contact"]["messaging_window_expires_at"].clone();
        assert_eq!(person, chat);
        person
    }

    async fn says(&self, chat: &str) -> u16 {
        let body = json!({"wa_id": chat, "type": "text", "text": {"body": "Hi"}});
        self.post(&self.admin, "messages/", body).await.status
    }
}

#[tokio::test]
async fn r_win_7_a_tenant_may_grant_72_hours_after_an_ad() {
    let inbox = Inbox::start().await;
    let (two_days, four_days) = (now() - 2 * DAY, now() - 4 * DAY);
    inbox.came_by_an_ad(RUI, two_days).await;
    inbox.came_by_an_ad(ANA, four_days).await;
    inbox.customer_wrote(EVA, "No ad", two_days).await;
    // Off by default: everywhere 24 hours.
    assert_eq!(inbox.closes_at(RUI).await, two_days + DAY);
    for chat in [RUI, ANA, EVA] {
        assert_eq!(inbox.says(chat).await, 453, "{chat}");
    }
    inbox.grant_free_entry().await;
    assert_eq!(inbox.closes_at(RUI).await, two_days + 3 * DAY);
    assert_eq!(inbox.closes_at(ANA).await, four_days + 3 * DAY);
    assert_eq!(inbox.closes_at(EVA).await, two_days + DAY);
    assert_eq!(inbox.says(RUI).await, 201);
    for chat in [ANA, EVA] {
        assert_eq!(inbox.says(chat).await, 453, "{chat}");
    }
    // An ordinary message later on still counts for 24 hours of its own, where that is longer.
    inbox.customer_wrote(RUI, "Still there?", now() - 60).await;
    assert_eq!(inbox.closes_at(RUI).await, (two_days + 3 * DAY).max(now() - 60 + DAY));
    inbox.customer_wrote(ANA, "Me too", now() - 60).await;
    assert!(inbox.closes_at(ANA).await.as_i64().expect("seconds") > now() + DAY - 120);
    assert_eq!(inbox.says(ANA).await, 201);
}

#[tokio::test]
async fn r_win_2_a_message_of_any_type_opens_the_window() {
    let inbox = Inbox::start().await;
    let kinds =
        ["text", "image", "reaction", "button", "interactive", "order", "unsupported", "location", "contacts", "new"];
    for (n, kind) in kinds.into_iter().enumerate() {
        let chat = format!("35191200010{n}");
        let message = json!({"from": chat, "id": format!("wamid.{kind}"), "timestamp": (now() - 5).to_string(),
            "type": kind, kind: {"body": "x", "id": "1", "emoji": "x", "message_id": "wamid.0"}});
        inbox.bring(json!({"messages": [message]})).await;
        inbox.settle().await;
        assert_eq!(inbox.says(&chat).await, 201, "{kind}");
    }
}

#[tokio::test]
async fn r_msg_12_a_long_chat_is_listed_and_searched_to_its_first_message() {
    let inbox = Inbox::start().await;
    let at = now() - 10_000;
    for part in 0..25 {
        let messages: Vec<Value> = (0..50)
            .map(|n| part * 50 + n)
            .map(|n| text_message(RUI, &format!("wamid.long.{n}"), at + n, if n == 0 { "the needle" } else { "hay" }))
            .collect();
        inbox.bring(json!({ "messages": messages })).await;
    }
    inbox.settle().await;
    let page = inbox.page(&inbox.admin, &format!("messages/{RUI}/?limit=5000&offset=1000")).await;
    assert_eq!((&page["count"], page["results"].as_array().map(Vec::len)), (&json!(1_250), Some(250)));
    assert_eq!(page["results"][249]["waba_payload"]["id"], "wamid.long.0");
    let found = inbox.page(&inbox.admin, "messages/?search=needle").await;
    assert_eq!((&found["count"], &found["results"][0]["waba_payload"]["id"]), (&json!(1), &json!("wamid.long.0")));
}
