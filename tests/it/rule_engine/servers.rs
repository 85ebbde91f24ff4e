//! Several servers, and servers that end.

use std::collections::BTreeMap;

use super::*;

const ASSIGNED: &str = "SELECT count(*) FROM ledger.events WHERE event_type = 'ChatAssigned'";
const PICKED: &str = "SELECT count(*) FROM ledger.events WHERE event_type = 'GroupMemberPicked'";

#[tokio::test]
async fn r_rul_3_two_servers_pick_each_member_evenly_and_once_per_trigger() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let group = group(&inbox, "Regular user").await;
    let ids = members(&inbox, &["zoe", "max", "kim"]).await;
    rule(&inbox, json!({"assign_to_group": group, "group_assign_method": "round_robin"})).await;
    let chats: Vec<String> = (0..100).map(|number| format!("35191500{number:03}")).collect();
    let write = chats.iter().enumerate().map(|(number, chat)| {
        let server = if number % 2 == 0 { &inbox } else { &other };
        server.customer_writes(chat, "Hello")
    });
    futures_util::future::join_all(write).await;
    decided(&inbox).await;
    assert_eq!((inbox.count(ASSIGNED).await, inbox.count(PICKED).await), (100, 100));
    let mut got: BTreeMap<i64, usize> = BTreeMap::new();
    for chat in &chats {
        *got.entry(holder(&inbox, chat).await.0.expect("somebody's turn")).or_default() += 1;
    }
    assert_eq!(got, ids.into_iter().map(|id| (id, 25)).collect::<BTreeMap<_, _>>());
}

#[tokio::test]
async fn what_is_decided_again_after_a_crash_changes_nothing() {
    let first = Inbox::start().await;
    let group = group(&first, "Regular user").await;
    members(&first, &["zoe"]).await;
    let vip = tag(&first, "vip").await;
    rule(&first, json!({"assign_to_group": group, "group_assign_method": "round_robin"})).await;
    rule(&first, json!({"assign_to_user": first.bot.id.0, "tagged_with": vip})).await;
    for number in 0..10 {
        let chat = format!("35191600{number:03}");
        let message = first.customer_writes(&chat, "Hello").await;
        tag_message(&first, vip, &message).await;
    }
    decided(&first).await;
    // Fresh again: only the triggers of old could assign it.
    give(&first, "35191600000", json!({"assigned_to_user": null, "assigned_group": null})).await;
    decided(&first).await;
    let before = (first.count(ASSIGNED).await, first.count(PICKED).await);
    assert_eq!(before, (21, 10));
    let inbox = first.beside().await;
    drop(first);
    // As if the cursor had never been stored. Whoever holds it now looks again from the start.
    let again = "UPDATE outbound.cursors SET position = 0, fence = fence + 1, holder = NULL, lease_until = NULL
         WHERE reactor = 'rules' AND position > 0 RETURNING 1";
    let rows = sqlx::query(again).fetch_all(&inbox.pool).await.expect("the database answers");
    assert_eq!(rows.len(), 1);
    decided(&inbox).await;
    assert_eq!((inbox.count(ASSIGNED).await, inbox.count(PICKED).await), before);
    assert_eq!(holder(&inbox, "35191600000").await, (None, None));
}
