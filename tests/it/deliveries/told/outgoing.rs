//! Messages of this side.

use std::time::Duration;

use serde_json::{Value, json};

use super::{INCOMING, OUTGOING, RUI, assign, hook, keys};
use crate::harness::inbox::Inbox;

#[tokio::test]
async fn r_iwh_9_a_message_is_told_once_to_its_sender_too_with_whatsapps_id() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    assign(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let own = hook(&inbox, &inbox.agent, OUTGOING).await;
    let other = hook(&inbox, &inbox.bot, OUTGOING).await;
    let deaf = hook(&inbox, &inbox.admin, INCOMING).await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Soon"}});
    let sent = inbox.post(&inbox.agent, "messages/", body).await.expect(201);
    for receiver in [&own, &other] {
        let told = receiver.wait_for_bodies("outgoing_messages", 1).await;
        assert_eq!(keys(&told[0]), ["outgoing_messages"]);
        let message = &told[0]["outgoing_messages"][0];
        assert_eq!((&message["id"], &message["sender"]["username"]), (&sent["id"], &json!("agent")));
        assert_eq!(message["waba_payload"]["id"], sent["waba_response"]["messages"][0]["id"]);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told = |receiver: &crate::harness::receiver::Receiver| receiver.bodies_with("outgoing_messages").len();
    assert_eq!((told(&own), told(&other), told(&deaf)), (1, 1, 0));
}

#[tokio::test]
async fn a_message_of_the_phone_app_is_told_at_once() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.bot, OUTGOING).await;
    let echo = json!({"from": "351210000000", "to": RUI, "id": "wamid.echo", "timestamp": "1767693600", "type": "text",
        "text": {"body": "From the phone"}});
    let mut call: Value = inbox.call(json!({"message_echoes": [echo]}));
    call["entry"][0]["changes"][0]["field"] = json!("smb_message_echoes");
    assert_eq!(inbox.deliver(&call.to_string()).await.status, 200);
    let told = receiver.wait_for_bodies("outgoing_messages", 1).await;
    assert_eq!(told[0]["outgoing_messages"][0]["sender"], Value::Null);
    assert_eq!(told[0]["outgoing_messages"][0]["waba_payload"]["id"], "wamid.echo");
}

#[tokio::test]
async fn r_out_7_every_delivery_follows_from_an_event() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.bot, INCOMING).await;
    for n in 0..5 {
        inbox.customer_writes(RUI, &n.to_string()).await;
    }
    receiver.wait_for(5).await;
    let rows = "SELECT count(*) FROM outbound.deliveries d JOIN outbound.bodies b ON b.tenant_id = d.tenant_id
                AND b.id = d.body_id JOIN ledger.events e ON e.tenant_id = d.tenant_id AND e.position = d.position";
    assert_eq!(inbox.count(rows).await, 5, "each from its event");
}
