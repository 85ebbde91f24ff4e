//! R-CUS-4, 5, 6: whether a customer wishes to hear from us.

use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{ANA, EVA, RUI, Shop};
use crate::harness::inbox::{Inbox, now, text_message};

fn template(to: &str) -> Value {
    json!({"wa_id": to, "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}})
}

impl Shop {
    async fn consent(&self, wa_id: &str) -> Value {
        self.get(&format!("customers/{wa_id}")).await["consent"].clone()
    }

    async fn wish(&self, wa_id: &str, status: &str, source: &str) -> Value {
        let body = json!({"status": status, "source": source});
        self.put(&format!("customers/{wa_id}/opt-in"), body).await.expect(200)["data"].take()
    }
}

/// Whether a template is taken.
async fn takes_templates(inbox: &Inbox, to: &str) -> bool {
    let answer = inbox.post(&inbox.admin, "messages/", template(to)).await;
    match answer.status {
        201 | 202 => true,
        _ => {
            let told = answer.expect(400);
            assert!(told["reason"].as_str().is_some_and(|reason| reason.contains("opted out")), "{told}");
            false
        }
    }
}

#[tokio::test]
async fn r_cus_4_a_wish_is_recorded_once_with_the_time_since_when() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(shop.consent(RUI).await, json!({"status": "unknown", "timestamp": null, "source": null}));
    let first = shop.wish(RUI, "opted_in", "web").await;
    assert_eq!(
        first,
        json!({"waId": RUI, "consent": {"status": "opted_in", "timestamp": first["consent"]["timestamp"], "source": "web"}})
    );
    assert!(first["consent"]["timestamp"].as_str().is_some_and(|time| time.len() == 20 && time.ends_with('Z')));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(shop.wish(RUI, "opted_in", " web ").await, first, "the same again changes nothing");
    assert_eq!(shop.events("OptInChanged").await, 1);
    shop.wish(RUI, "opted_in", "import").await;
    let last = shop.wish(RUI, "opted_out", "import").await;
    assert_ne!(last["consent"]["timestamp"], first["consent"]["timestamp"]);
    assert_eq!((shop.consent(RUI).await, shop.events("OptInChanged").await), (last["consent"].clone(), 3));
    let listed = shop.get("customers").await;
    assert_eq!(listed["customers"][0]["optInStatus"], "opted_out");
    // Somebody who was only saved has a wish too.
    shop.save(EVA, "Eva").await;
    shop.wish(EVA, "opted_in", "x".repeat(50).as_str()).await;
    // The token's only shop need not be named.
    let body = Some(json!({"status": "opted_in", "source": "api"}));
    let path = format!("customers/{RUI}/opt-in");
    shop.bare(Method::PUT, &shop.admin, &path, body).await.expect(200);
}

#[tokio::test]
async fn r_cus_4_what_is_no_wish_is_refused() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    let path = format!("customers/{RUI}/opt-in");
    for (body, status, code, field) in [
        (json!({"source": "web"}), 422, "REQUIRED_FIELD", "status"),
        (json!({"status": "opted_in"}), 422, "REQUIRED_FIELD", "source"),
        (json!({"status": "opted_in", "source": " "}), 422, "REQUIRED_FIELD", "source"),
        (json!({"status": "unknown", "source": "web"}), 422, "INVALID_VALUE", "status"),
        (json!({"status": "opted_in", "source": "x".repeat(51)}), 422, "INVALID_VALUE", "source"),
        (json!({"status": true, "source": "web"}), 400, "INVALID_TYPE", "status"),
    ] {
        let answer = shop.put(&path, body.clone()).await;
        let told = (answer.body["details"]["code"].as_str(), answer.body["details"]["field"].as_str());
        assert_eq!((answer.status, told), (status, (Some(code), Some(field))), "{body}");
    }
    assert_eq!(shop.events("OptInChanged").await, 0);
}

#[tokio::test]
async fn r_cus_5_who_has_opted_out_gets_no_templates_and_answers_all_the_same() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    inbox.customer_writes(RUI, "Hello").await;
    assert!(takes_templates(inbox, RUI).await, "nobody said anything");
    shop.wish(RUI, "opted_out", "web").await;
    let before = inbox.count("SELECT count(*) FROM ledger.events").await;
    assert!(!takes_templates(inbox, RUI).await);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, before, "nothing is recorded");
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "You asked"}});
    inbox.post(&inbox.admin, "messages/", text).await.expect(201);
    // Of a bulk message that recipient's part fails, and says why.
    inbox.customer_writes(ANA, "Hello").await;
    let bulk = json!({"recipients": [{"recipient": RUI}, {"recipient": ANA}],
        "payload": {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}});
    let task = inbox.post(&inbox.admin, "bulk_messages/", bulk).await.expect(201);
    let path = format!("bulk_message_elements/?task={}", task["id"].as_str().unwrap());
    let mut parts = Value::Null;
    for _ in 0..200 {
        parts = inbox.get(&inbox.admin, &path).await.expect(200);
        if parts["count"] == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let told = |wa_id: &str| {
        let parts = parts["results"].as_array().unwrap();
        parts.iter().find(|part| part.to_string().contains(wa_id)).unwrap().to_string()
    };
    assert!(told(RUI).contains("opted out") && !told(ANA).contains("opted out"), "{parts}");
    shop.wish(RUI, "opted_in", "web").await;
    assert!(takes_templates(inbox, RUI).await);
}

#[tokio::test]
async fn r_cus_5_a_wish_recorded_on_one_server_holds_on_the_other_at_once() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    let beside = shop.inbox.beside().await;
    assert!(takes_templates(&beside, RUI).await, "it knows the customer now");
    for (status, takes) in [("opted_out", false), ("opted_in", true), ("opted_out", false)] {
        shop.wish(RUI, status, "web").await;
        assert_eq!(takes_templates(&beside, RUI).await, takes, "{status}");
    }
}

#[tokio::test]
async fn r_cus_6_a_keyword_alone_is_the_customers_word() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    let at = now() - 500;
    inbox.customer_wrote(RUI, "Please stop that noise", at).await;
    assert_eq!(shop.consent(RUI).await["status"], "unknown");
    inbox.customer_wrote(RUI, " Stop\n", at + 10).await;
    let time = chrono::DateTime::from_timestamp(at + 10, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(shop.consent(RUI).await, json!({"status": "opted_out", "timestamp": time, "source": "whatsapp"}));
    assert!(!takes_templates(inbox, RUI).await);
    inbox.customer_wrote(RUI, "STOP", at + 20).await;
    assert_eq!(shop.events("OptInChanged").await, 1, "once is enough");
    inbox.customer_wrote(RUI, "start", at + 30).await;
    assert_eq!(shop.consent(RUI).await["status"], "opted_in");
    assert!(takes_templates(inbox, RUI).await);
    // The word of a new customer counts from its first message on.
    inbox.customer_wrote(ANA, "STOP", at + 40).await;
    assert_eq!(shop.consent(ANA).await["status"], "opted_out");
}

#[tokio::test]
async fn r_cus_6_a_word_comes_with_its_message_and_once() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    let at = now() - 500;
    let stop = json!({"messages": [text_message(RUI, "wamid.stop", at, "STOP")]});
    inbox.bring(stop.clone()).await;
    let together = "SELECT count(*) FROM ledger.events m JOIN ledger.events o ON o.tenant_id = m.tenant_id
        AND o.recorded_at = m.recorded_at AND o.metadata::text = m.metadata::text
        WHERE m.event_type = 'MessageReceived' AND o.event_type = 'OptInChanged'";
    assert_eq!(inbox.count(together).await, 1);
    shop.wish(RUI, "opted_in", "web").await;
    inbox.bring(stop).await;
    inbox.settle().await;
    assert_eq!(shop.consent(RUI).await["source"], "web", "a repeat says nothing new");
    // One that was written before the newest word of the customer's own, and comes after it.
    inbox.customer_wrote(RUI, "START", at + 20).await;
    inbox.customer_wrote(RUI, "STOP", at + 10).await;
    assert_eq!(shop.consent(RUI).await["status"], "opted_in");
    // A caption is no text message.
    let image = json!({"from": RUI, "id": "wamid.image", "timestamp": (at + 30).to_string(), "type": "image",
                       "image": {"id": "1", "mime_type": "image/png", "caption": "STOP"}});
    inbox.bring(json!({"messages": [image]})).await;
    inbox.settle().await;
    assert_eq!(shop.consent(RUI).await["status"], "opted_in");
}

#[tokio::test]
async fn r_cus_6_a_tenant_has_its_own_keywords() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    let set = ["tenant", "set", "demo", "--opt-out-keywords", "Parar, Não", "--opt-in-keywords", ""];
    let (fine, told) = crate::inbound::cli(inbox, inbox.data_dir(), &set).await;
    assert!(fine && told.contains("Parar, Não"), "{told}");
    // A running server follows within five seconds.
    for _ in 0..60 {
        inbox.customer_writes(RUI, "NÃO").await;
        if shop.consent(RUI).await["status"] == "opted_out" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(shop.consent(RUI).await["status"], "opted_out");
    inbox.customer_writes(RUI, "START").await;
    inbox.customer_writes(ANA, "STOP").await;
    assert_eq!(
        (shop.consent(RUI).await["status"].clone(), shop.consent(ANA).await["status"].clone()),
        ("opted_out".into(), "unknown".into())
    );
}
