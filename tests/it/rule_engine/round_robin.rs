//! Turns (R-RUL-3).

use super::*;

/// Customers write one after the other; who got their chats.
async fn turns(inbox: &Inbox, from: usize, count: usize) -> Vec<i64> {
    let mut got = Vec::new();
    for number in from..from + count {
        let chat = format!("35191400{number:03}");
        inbox.customer_writes(&chat, "Hello").await;
        got.push(holder(inbox, &chat).await.0.expect("somebody's turn"));
    }
    got
}

#[tokio::test]
async fn r_rul_3_members_take_turns_over_restarts_and_who_is_away_is_passed_over() {
    let first = Inbox::start().await;
    let group = group(&first, "Regular user").await;
    let ids = members(&first, &["zoe", "max"]).await;
    rule(&first, json!({"assign_to_group": group, "group_assign_method": "round_robin"})).await;
    assert_eq!(turns(&first, 0, 4).await, [ids[0], ids[1], ids[2], ids[0]]);
    let last = assignments(&first, "35191400003").await;
    assert_eq!((&last[0]["group_set"], &last[0]["user_set"]), (&json!(group), &json!(ids[0])), "one event has both");
    // The turn survives the server; its tenants are free as soon as it has stopped.
    let inbox = first.beside().await;
    drop(first);
    assert_eq!(turns(&inbox, 4, 1).await, [ids[1]]);
    let away = |is_available: bool| json!({ "is_available": is_available });
    let path = format!("users/{}/availability/", ids[2]);
    inbox.patch(&inbox.admin, &path, away(false)).await.expect(200);
    assert_eq!(turns(&inbox, 5, 2).await, [ids[0], ids[1]]);
    inbox.patch(&inbox.admin, &path, away(true)).await.expect(200);
    assert_eq!(turns(&inbox, 7, 1).await, [ids[2]]);
    // Who has left has no turn either.
    assert_eq!(inbox.delete(&inbox.admin, &format!("users/{}/", ids[0])).await.status, 204);
    assert_eq!(turns(&inbox, 8, 2).await, [ids[1], ids[2]]);
}

#[tokio::test]
async fn r_rul_3_without_anybody_to_take_it_the_group_decides() {
    let inbox = Inbox::start().await;
    let group = group(&inbox, "Regular user").await;
    rule(&inbox, json!({"assign_to_group": group, "group_assign_method": "round_robin"})).await;
    let away = json!({"is_available": false});
    inbox.patch(&inbox.admin, &format!("users/{}/availability/", inbox.agent.id), away).await.expect(200);
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (None, Some(group)));
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'GroupMemberPicked'").await, 0);
}
