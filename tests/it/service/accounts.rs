//! Service §3: accounts.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::asking::{account, add_number, add_shop, ask, beside_with, inbox, service, token};
use crate::harness::inbox::{Inbox, now, text_message};

const RUI: &str = "351912000333";

fn connect(shop: impl std::fmt::Display, number: &str, access_token: &str) -> Option<Value> {
    Some(json!({"shopId": shop.to_string(), "phoneNumberId": number, "accessToken": access_token}))
}

async fn events(inbox: &Inbox) -> i64 {
    inbox.count("SELECT count(*) FROM ledger.events").await
}

/// A signed call about a number.
async fn message_for(inbox: &Inbox, number: &str, id: &str) {
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "351", "phone_number_id": number},
        "messages": [text_message(RUI, id, now(), "Hello")]});
    let call = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "messages", "value": value}]}]});
    assert_eq!(inbox.deliver(&call.to_string()).await.status, 200);
}

#[tokio::test]
async fn r_acc_1_a_number_is_connected_and_its_token_is_write_only() {
    let inbox = inbox().await;
    let shop = add_shop(&inbox, "umbra").await;
    add_number(&inbox, "777001", "token-of-umbra-albatros").await;
    let mut body = connect(shop, "777001", "token-of-umbra-albatros").unwrap();
    body["webhookUrl"] = json!("https://inbox.example/api/v1/whatsapp/webhooks");
    let answer = service(&inbox, Method::POST, "accounts", Some(body)).await;
    assert_eq!(answer.headers["x-ratelimit-limit"], "6000");
    let connected = answer.expect(200);
    let data = &connected["data"];
    let id: Uuid = data["accountId"].as_str().unwrap().parse().unwrap();
    let since = data["connectedAt"].as_str().unwrap();
    assert!(since.len() == 20 && since.ends_with('Z'), "{since}");
    assert_eq!(
        connected,
        json!({"success": true, "error": null, "pagination": null, "data": {"accountId": id, "shopId": shop,
            "phoneNumberId": "777001", "status": "active", "messageTier": "tier_1", "connectedAt": since}})
    );
    let shown = account(&inbox, shop).await;
    assert_eq!(
        shown,
        json!({"accountId": id, "shopId": shop, "phoneNumberId": "777001",
            "webhookUrl": "https://inbox.example/api/v1/whatsapp/webhooks", "status": "active",
            "messageTier": "tier_1", "dailyLimit": 1000, "messagesUsedToday": 0, "connectedAt": since})
    );
    for text in [connected.to_string(), shown.to_string()] {
        assert!(!text.contains("albatros"), "{text}");
    }
    let told = "SELECT count(*) FROM ledger.events WHERE payload::text LIKE '%albatros%'";
    assert_eq!(inbox.count(told).await, 0, "no event holds it");
    let plain = "SELECT count(*) FROM vault.secrets WHERE position('albatros'::bytea IN sealed) > 0";
    assert_eq!(inbox.count(plain).await, 0, "the vault holds it sealed");
    let sealed =
        format!("SELECT count(*) FROM vault.secrets WHERE tenant_id = '{shop}' AND kind = 'access_token:777001'");
    assert_eq!(inbox.count(&sealed).await, 1);
    let who = format!(
        "SELECT count(*) FROM ledger.events WHERE tenant_id = '{shop}' AND event_type = 'AccountConnected' \
        AND metadata->'actor'->>'part' = 'shop-system' AND metadata->>'family' = 'service'"
    );
    assert_eq!(inbox.count(&who).await, 1, "the ledger says who did it");
}

#[tokio::test]
async fn r_acc_1_what_whatsapp_refuses_is_not_connected() {
    let inbox = inbox().await;
    let shop = add_shop(&inbox, "umbra").await;
    add_number(&inbox, "777001", "right").await;
    let before = events(&inbox).await;
    let wrong = service(&inbox, Method::POST, "accounts", connect(shop, "777001", "wrong")).await.expect(422);
    assert_eq!(wrong["details"], json!({"code": "PROVIDER_REJECTED", "whatsAppCode": 190}));
    let unknown = service(&inbox, Method::POST, "accounts", connect(shop, "777999", "right")).await.expect(422);
    assert_eq!(unknown["details"], json!({"code": "PROVIDER_REJECTED", "whatsAppCode": 100}));
    inbox.behave(json!({"account": {"status": 503}})).await;
    service(&inbox, Method::POST, "accounts", connect(shop, "777001", "right")).await.expect(503);
    assert_eq!(events(&inbox).await, before, "nothing is recorded");
    service(&inbox, Method::GET, &format!("accounts/{shop}"), None).await.expect(404);
    inbox.behave(json!({"account": {}})).await;
    service(&inbox, Method::POST, "accounts", connect(shop, "777001", "right")).await.expect(200);
}

#[tokio::test]
async fn r_acc_1_every_field_is_checked() {
    let inbox = inbox().await;
    let shop = inbox.tenant;
    let cases = [
        (json!({"phoneNumberId": "1", "accessToken": "t"}), 422, "shopId", "REQUIRED_FIELD"),
        (json!({"shopId": "acme", "phoneNumberId": "1", "accessToken": "t"}), 422, "shopId", "INVALID_VALUE"),
        (json!({"shopId": Uuid::nil(), "phoneNumberId": "1", "accessToken": "t"}), 422, "shopId", "INVALID_VALUE"),
        (json!({"shopId": 7, "phoneNumberId": "1", "accessToken": "t"}), 400, "shopId", "INVALID_TYPE"),
        (json!({"shopId": shop, "accessToken": "t"}), 422, "phoneNumberId", "REQUIRED_FIELD"),
        (json!({"shopId": shop, "phoneNumberId": " ", "accessToken": "t"}), 422, "phoneNumberId", "REQUIRED_FIELD"),
        (json!({"shopId": shop, "phoneNumberId": "+35", "accessToken": "t"}), 422, "phoneNumberId", "INVALID_VALUE"),
        (json!({"shopId": shop, "phoneNumberId": "1"}), 422, "accessToken", "REQUIRED_FIELD"),
    ];
    for (body, status, field, code) in cases {
        let answer = service(&inbox, Method::POST, "accounts", Some(body.clone())).await;
        assert!(answer.headers.contains_key("x-ratelimit-remaining"), "{body}");
        assert_eq!(answer.expect(status)["details"], json!({"field": field, "code": code}), "{body}");
    }
}

#[tokio::test]
async fn r_acc_1_a_shop_has_one_number_and_a_number_one_shop() {
    let inbox = inbox().await;
    let shop = add_shop(&inbox, "umbra").await;
    add_number(&inbox, "777001", "t").await;
    let same = service(&inbox, Method::POST, "accounts", connect(inbox.tenant, "777001", "t")).await.expect(409);
    assert_eq!(same["details"]["code"], "ACCOUNT_EXISTS");
    let taken = service(&inbox, Method::POST, "accounts", connect(shop, &inbox.phone_number_id, "t")).await.expect(409);
    assert_eq!(taken["details"]["code"], "PHONE_NUMBER_IN_USE");
    service(&inbox, Method::POST, "accounts", connect(Uuid::new_v4(), "777001", "t")).await.expect(404);
    let elsewhere = token("shop-system", "service", &[&Uuid::new_v4().to_string()]);
    ask(&inbox, &elsewhere, Method::POST, "accounts", connect(shop, "777001", "t")).await.expect(404);
    ask(&inbox, &elsewhere, Method::GET, &format!("accounts/{}", inbox.tenant), None).await.expect(404);
    let agent = token(&inbox.agent.id.to_string(), "agent", &["*"]);
    ask(&inbox, &agent, Method::POST, "accounts", connect(shop, "777001", "t")).await.expect(404);
    ask(&inbox, &agent, Method::DELETE, &format!("accounts/{}", inbox.tenant), None).await.expect(404);
    ask(&inbox, &agent, Method::GET, &format!("accounts/{}", inbox.tenant), None).await.expect(200);
}

#[tokio::test]
async fn r_acc_1_of_shops_that_connect_a_number_at_once_on_two_servers_one_has_it() {
    let inbox = inbox().await;
    let beside = inbox.beside().await;
    add_number(&inbox, "777001", "t").await;
    add_number(&beside, "777001", "t").await;
    let mut shops = Vec::new();
    for slug in ["one", "two", "three", "four"] {
        shops.push(add_shop(&inbox, slug).await);
    }
    // The other server has a secret of its own and is asked through the application: what counts is the ledger.
    let tools = beside.tools().await;
    let here = shops[..2].iter().map(|shop| service(&inbox, Method::POST, "accounts", connect(shop, "777001", "t")));
    let there = shops[2..].iter().map(|shop| {
        let number = chatledger_domain::whatsapp_account::Number {
            phone_number_id: "777001".to_owned(),
            display_phone_number: "351".to_owned(),
            channel: chatledger_domain::whatsapp_account::Channel::Cloud,
            waba_id: None,
        };
        tools.application.connect_account(chatledger_domain::TenantId(*shop), number, "t")
    });
    let (here, there) = tokio::join!(futures_util::future::join_all(here), futures_util::future::join_all(there));
    let won = here.iter().filter(|answer| answer.status == 200).count() + there.iter().filter(|r| r.is_ok()).count();
    assert_eq!(won, 1, "{here:?} {there:?}");
    for answer in here.iter().filter(|answer| answer.status != 200) {
        assert_eq!((answer.status, &answer.body["details"]["code"]), (409, &json!("PHONE_NUMBER_IN_USE")));
    }
    tools.close().await;
}

#[tokio::test]
async fn r_acc_2_a_disconnected_number_is_ignored_and_what_was_said_stays() {
    let inbox = inbox().await;
    let (shop, number) = (inbox.tenant, inbox.phone_number_id.clone());
    inbox.customer_writes(RUI, "Hello").await;
    let before = account(&inbox, shop).await;
    let path = format!("accounts/{shop}");
    let done = service(&inbox, Method::DELETE, &path, None).await.expect(200);
    assert_eq!(done["data"], json!({"message": "Account disconnected successfully"}));
    let mut after = before.clone();
    after["status"] = json!("disconnected");
    assert_eq!(account(&inbox, shop).await, after);
    service(&inbox, Method::DELETE, &path, None).await.expect(404);
    let tokens = "SELECT count(*) FROM vault.secrets WHERE kind LIKE 'access_token%'";
    assert_eq!(inbox.count(tokens).await, 0, "the token is forgotten");

    let (recorded, kept) = (events(&inbox).await, inbox.count("SELECT count(*) FROM ledger.quarantine").await);
    message_for(&inbox, &number, "wamid.late").await;
    let broken = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages",
        "value": {"metadata": {"phone_number_id": number}, "messages": [{"type": "text"}]}}]}]});
    assert_eq!(inbox.deliver(&broken.to_string()).await.status, 200);
    let own_door = inbox.http.raw.post(inbox.http.url(&format!("/hooks/waba/{}", inbox.channel_secret)));
    let flat = json!({"messages": [text_message(RUI, "wamid.flat", now(), "Hello")]});
    assert_eq!(inbox.http.send(own_door.json(&flat)).await.status, 200);
    assert_eq!(events(&inbox).await, recorded, "nothing is recorded");
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.quarantine").await, kept, "nor kept");
    message_for(&inbox, "999999", "wamid.nobodys").await;
    assert_eq!(
        inbox.count("SELECT count(*) FROM ledger.quarantine").await,
        kept + 1,
        "a number that never was ours is"
    );

    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    let refused = inbox.post(&inbox.admin, "messages/", text).await.expect(400);
    assert_eq!(refused["reason"], "No WhatsApp account is connected.");
    let messages = inbox.get(&inbox.admin, &format!("messages/{RUI}/")).await.expect(200);
    assert_eq!(messages["count"], 1, "the history stays");

    let secret = inbox.sandbox_state()["access_token"].as_str().unwrap().to_owned();
    let again = service(&inbox, Method::POST, "accounts", connect(shop, &number, &secret)).await.expect(200);
    assert_ne!(again["data"]["accountId"], before["accountId"]);
    inbox.customer_writes(RUI, "Hello again").await;
    inbox.settle().await;
    let messages = inbox.get(&inbox.admin, &format!("messages/{RUI}/")).await.expect(200);
    assert_eq!(messages["count"], 2);
}

#[tokio::test]
async fn r_acc_2_a_number_that_moves_to_another_shop_takes_its_calls_along_on_all_servers() {
    let inbox = inbox().await;
    let beside = inbox.beside().await;
    let (shop, number) = (add_shop(&inbox, "umbra").await, inbox.phone_number_id.clone());
    service(&inbox, Method::DELETE, &format!("accounts/{}", inbox.tenant), None).await.expect(200);
    let secret = inbox.sandbox_state()["access_token"].as_str().unwrap().to_owned();
    service(&inbox, Method::POST, "accounts", connect(shop, &number, &secret)).await.expect(200);
    message_for(&inbox, &number, "wamid.here").await;
    // Another server has read the numbers at most five seconds ago.
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    message_for(&beside, &number, "wamid.there").await;
    inbox.settle().await;
    let of = |shop: Uuid| {
        format!("SELECT count(*) FROM ledger.events WHERE tenant_id = '{shop}' AND event_type = 'MessageReceived'")
    };
    assert_eq!((inbox.count(&of(shop)).await, inbox.count(&of(inbox.tenant)).await), (2, 0));
}

#[tokio::test]
async fn r_acc_1_a_number_connected_on_one_server_gets_its_calls_on_another_at_once() {
    let inbox = inbox().await;
    let beside = beside_with(&inbox, |_| {}).await;
    let shop = add_shop(&inbox, "umbra").await;
    add_number(&beside, "777009", "token-of-umbra").await;
    // Just looked for in vain, and so not looked for again in the read models for a second.
    message_for(&inbox, "777009", "wamid.early").await;
    service(&beside, Method::POST, "accounts", connect(shop, "777009", "token-of-umbra")).await.expect(200);
    message_for(&inbox, "777009", "wamid.late").await;
    let recorded =
        format!("SELECT count(*) FROM ledger.events WHERE tenant_id = '{shop}' AND event_type = 'MessageReceived'");
    assert_eq!(inbox.count(&recorded).await, 1);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.quarantine").await, 1, "what came before it is kept");
}

#[tokio::test]
async fn r_acc_2_an_account_whose_token_whatsapp_refuses_is_in_error_until_it_takes_a_message() {
    let inbox = inbox().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.behave(json!({"fail_next": {"code": 190}})).await;
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.admin, "messages/", text.clone()).await.expect(400);
    inbox.settle().await;
    assert_eq!(account(&inbox, inbox.tenant).await["status"], "error");
    inbox.post(&inbox.admin, "messages/", text).await.expect(201);
    inbox.settle().await;
    assert_eq!(account(&inbox, inbox.tenant).await["status"], "active");
}

#[tokio::test]
async fn r_acc_3_the_tier_follows_whatsapps_notices() {
    let inbox = inbox().await;
    let notice = async |field: &str, value: Value| {
        let call = json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": [
            {"field": field, "value": value}]}]});
        assert_eq!(inbox.deliver(&call.to_string()).await.status, 200);
        inbox.settle().await;
        let shown = account(&inbox, inbox.tenant).await;
        (shown["messageTier"].as_str().unwrap().to_owned(), shown["dailyLimit"].clone())
    };
    let number = json!({"display_phone_number": "351210000000", "event": "UPGRADE", "current_limit": "TIER_10K"});
    assert_eq!(notice("phone_number_quality_update", number).await, ("tier_2".to_owned(), json!(10_000)));
    let business = json!({"max_daily_conversation_per_phone": 250, "max_phone_numbers_per_business": 2});
    assert_eq!(notice("business_capability_update", business).await, ("tier_0".to_owned(), json!(250)));
    let business = json!({"max_daily_conversations_per_business": 100_000});
    assert_eq!(notice("business_capability_update", business).await, ("tier_3".to_owned(), json!(100_000)));
    let business = json!({"max_daily_conversations_per_business": -1});
    assert_eq!(notice("business_capability_update", business).await, ("tier_4".to_owned(), Value::Null));
}

#[tokio::test]
async fn r_acc_5_a_platform_connects_a_shop_that_does_not_exist_yet() {
    let inbox = inbox().await;
    add_number(&inbox, "777001", "t").await;
    let shop = Uuid::new_v4();
    service(&inbox, Method::POST, "accounts", connect(shop, "777001", "t")).await.expect(404);
    let platform = token("the platform", "platform", &["*"]);
    let refused = ask(&inbox, &platform, Method::POST, "accounts", connect(shop, "777001", "wrong")).await;
    refused.expect(422);
    let made = format!("SELECT count(*) FROM ledger.events WHERE tenant_id = '{shop}'");
    assert_eq!(inbox.count(&made).await, 0, "no inbox for a number that WhatsApp refuses");
    let connected = ask(&inbox, &platform, Method::POST, "accounts", connect(shop, "777001", "t")).await.expect(200);
    assert_eq!(connected["data"]["shopId"], json!(shop));
    assert_eq!(account(&inbox, shop).await["status"], "active");
    message_for(&inbox, "777001", "wamid.1").await;
    inbox.settle().await;
    let groups = format!("SELECT count(*) FROM read_models.groups WHERE tenant_id = '{shop}'");
    assert_eq!(inbox.count(&groups).await, 3, "with the built-in groups");
    let tools = inbox.tools().await;
    let entry = tools.tenants().await.unwrap().into_iter().find(|entry| entry.id.0 == shop).unwrap();
    tools.close().await;
    assert_eq!((entry.slug.as_str(), entry.name.as_str()), (shop.to_string().as_str(), "Simulated business"));
    // The operator's commands find it by its short name, as any other.
    let user = inbox.add_user_to(&shop.to_string(), "ines", chatledger_domain::Role::Admin).await;
    let request = inbox.http.raw.get(inbox.http.url("chats/")).header("Authorization", format!("Token {}", user.token));
    assert_eq!(inbox.http.send(request).await.expect(200)["count"], 1);
    let again = ask(&inbox, &platform, Method::POST, "accounts", connect(shop, "777001", "t")).await.expect(409);
    assert_eq!(again["details"]["code"], "ACCOUNT_EXISTS");
}

#[tokio::test]
async fn r_acc_6_the_webhook_url_is_kept_and_given_back_and_never_called() {
    let inbox = inbox().await;
    let shop = add_shop(&inbox, "umbra").await;
    add_number(&inbox, "777001", "t").await;
    for wrong in ["http://inbox.example/hook", "inbox.example", "https://"] {
        let mut body = connect(shop, "777001", "t").unwrap();
        body["webhookUrl"] = json!(wrong);
        let refused = service(&inbox, Method::POST, "accounts", Some(body)).await.expect(422);
        assert_eq!(refused["details"], json!({"field": "webhookUrl", "code": "INVALID_VALUE"}), "{wrong}");
    }
    let mut body = connect(shop, "777001", "t").unwrap();
    body["webhookUrl"] = json!("https://nowhere.invalid/hook?a=1");
    service(&inbox, Method::POST, "accounts", Some(body)).await.expect(200);
    assert_eq!(account(&inbox, shop).await["webhookUrl"], "https://nowhere.invalid/hook?a=1");
    assert_eq!(account(&inbox, inbox.tenant).await["webhookUrl"], Value::Null);
}
