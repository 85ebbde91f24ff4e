//! R-PERM-9, R-PERM-11: who may write to which chat, and who may start one.

use serde_json::{Value, json};

use super::{RUI, delivered, open, queued, send, send_as, template, text};
use crate::harness::inbox::Inbox;

#[tokio::test]
async fn r_perm_9_a_chat_that_is_not_ones_own_is_403_and_nothing_is_recorded() {
    let inbox = open().await;
    for user in [&inbox.agent, &inbox.bot] {
        for body in [text(RUI, "Hi"), template(RUI)] {
            let refused = send_as(&inbox, user, body).await.expect(403);
            assert_eq!(refused, json!({"detail": "You do not have permission to perform this action."}));
        }
    }
    assert_eq!(queued(&inbox).await, 0);
    assert!(delivered(&inbox).await.is_empty());
    let assign = |to: Value| inbox.put(&inbox.admin, "chat_assignment/351912000333/", json!({"assigned_to_user": to}));
    assign(json!(inbox.agent.id.0)).await.expect(200);
    send_as(&inbox, &inbox.agent, text(RUI, "Mine")).await.expect(201);
    send_as(&inbox, &inbox.bot, text(RUI, "Not mine")).await.expect(403);
    assign(Value::Null).await.expect(200);
    send_as(&inbox, &inbox.agent, text(RUI, "No more")).await.expect(403);
    assert_eq!(queued(&inbox).await, 1);
}

#[tokio::test]
async fn r_perm_11_whoever_starts_a_chat_is_assigned_in_the_same_append() {
    let inbox = Inbox::start().await;
    send_as(&inbox, &inbox.agent, template(RUI)).await.expect(201);
    let chat = inbox.get(&inbox.admin, &format!("chats/{RUI}/")).await.expect(200);
    assert_eq!(chat["assigned_to_user"]["id"], inbox.agent.id.0);
    let events = inbox.get(&inbox.admin, &format!("chat_assignment_events/?wa_id={RUI}")).await.expect(200);
    assert_eq!(events["count"], 1, "{events}");
    let event = &events["results"][0];
    assert_eq!(event["assigned_to_user_set"]["id"], inbox.agent.id.0);
    assert_eq!(event["done_by"]["id"], inbox.agent.id.0);
    let kinds = "('MessageQueued', 'ChatAssigned')";
    let appends = format!("SELECT count(DISTINCT xmin::text) FROM ledger.events WHERE event_type IN {kinds}");
    assert_eq!(inbox.count(&appends).await, 1);
    // So they can go on writing, and others cannot.
    inbox.customer_writes(RUI, "Hi").await;
    send_as(&inbox, &inbox.agent, text(RUI, "Hello")).await.expect(201);
    send_as(&inbox, &inbox.bot, text(RUI, "Me too")).await.expect(403);
}

#[tokio::test]
async fn r_perm_11_who_may_write_everywhere_is_not_assigned() {
    let inbox = Inbox::start().await;
    send(&inbox, template(RUI)).await.expect(201);
    let chat = inbox.get(&inbox.admin, &format!("chats/{RUI}/")).await.expect(200);
    assert_eq!(chat["assigned_to_user"], Value::Null);
}

#[tokio::test]
async fn r_perm_11_a_start_that_breaks_a_rule_starts_nothing() {
    let inbox = Inbox::start().await;
    send_as(&inbox, &inbox.agent, text(RUI, "Hi")).await.expect(453);
    assert_eq!(inbox.get(&inbox.admin, &format!("chats/{RUI}/")).await.status, 404);
    assert_eq!(queued(&inbox).await, 0);
}
