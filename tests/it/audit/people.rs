//! The history of a user and of a tag, wherever in the ledger it is.

use chatledger_domain::Role;
use serde_json::{Value, json};

use super::{ANA, RUI, assign, audit, audited, history, kinds, new_tag, tag_chat, words};
use crate::harness::inbox::Inbox;

#[tokio::test]
async fn a_users_history_has_what_it_did_what_was_done_to_it_and_the_chats_it_was_given_and_lost() {
    let inbox = Inbox::start().await;
    let zoe = inbox.add_user("zoe", Role::User).await;
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    let (vip, other) = (new_tag(&inbox, "VIP", None).await, new_tag(&inbox, "Other", None).await);
    assign(&inbox, &inbox.admin, RUI, json!({"assigned_to_user": zoe.id})).await;
    assign(&inbox, &inbox.admin, ANA, json!({"assigned_to_user": zoe.id})).await;
    tag_chat(&inbox, &zoe, RUI, vip).await;
    // Nothing of hers.
    tag_chat(&inbox, &inbox.agent, RUI, other).await;
    assign(&inbox, &inbox.admin, RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    assign(&inbox, &inbox.admin, RUI, json!({"assigned_to_user": null})).await;
    assign(&inbox, &inbox.admin, ANA, json!({"assigned_to_user": null})).await;
    let renamed = json!({"username": "zoecosta"});
    inbox.patch(&inbox.admin, &format!("users/{}/", zoe.id), renamed).await.expect(200);
    inbox.delete(&inbox.admin, &format!("users/{}/", zoe.id)).await.expect(204);
    inbox.settle().await;

    let told = history(&inbox, &format!("users/{}/?limit=2", zoe.id)).await;
    let of_hers: Vec<&str> = words(&told).into_iter().filter(|what| !what.contains("admin")).collect();
    let (zoe_then, agent) = (format!("zoe (#{})", zoe.id), format!("agent (#{})", inbox.agent.id));
    for wanted in [
        format!("assigned the chat to the user {zoe_then}"),
        format!("tagged the chat with VIP (#{vip})"),
        // That these took a chat from her only the events before them tell.
        format!("assigned the chat to the user {agent}"),
        "took the chat from its user".to_owned(),
        "renamed the user “zoe” to “zoecosta”".to_owned(),
        "ended the user's access".to_owned(),
    ] {
        assert!(of_hers.contains(&wanted.as_str()), "{wanted} is not in {of_hers:#?}");
    }
    assert!(!of_hers.iter().any(|what| what.contains("Other")), "{of_hers:#?}");
    let taken: Vec<&Value> = told.iter().filter(|entry| entry["what"] == "took the chat from its user").collect();
    assert_eq!(taken.len(), 1, "Rui's was the agent's by then: {taken:#?}");
    assert_eq!(taken[0]["aggregate_id"], ANA);
    let positions: Vec<_> = told.iter().map(|entry| entry["position"].as_i64()).collect();
    assert!(positions.is_sorted(), "{positions:?}");

    // By any name that she ever had, in any case.
    for name in ["zoe", "ZOECosta", &zoe.id.to_string()] {
        assert_eq!(history(&inbox, &format!("users/{name}/")).await, told, "{name}");
    }
    let table = audited(&inbox, &["user", "zoe", "--kind", "ChatTagged,ChatAssigned"]).await;
    assert!(table.starts_with(&format!("User zoecosta (#{}) of demo", zoe.id)), "{table}");
    let line = table.lines().find(|line| line.contains("tagged the chat with")).expect("a line");
    assert!(line.contains(&zoe_then), "she was called so then: {line}");
    assert!(!table.contains("renamed the user"), "{table}");
}

#[tokio::test]
async fn a_tags_history_has_every_tagging_and_what_became_of_the_tag_also_when_it_is_deleted() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    inbox.customer_writes(ANA, "Hi").await;
    let (vip, other) = (new_tag(&inbox, "VIP", None).await, new_tag(&inbox, "Other", None).await);
    let tagging = tag_chat(&inbox, &inbox.agent, RUI, vip).await;
    tag_chat(&inbox, &inbox.agent, ANA, other).await;
    inbox.post(&inbox.agent, "message_tagging/", json!({"tag": vip, "message": message})).await.expect(201);
    inbox.delete(&inbox.admin, &format!("chat_tagging/{tagging}/")).await.expect(204);
    let told = history(&inbox, "tags/vip/").await;
    assert_eq!(kinds(&told), ["TagCreated", "ChatTagged", "MessageTagged", "ChatUntagged"], "{told:#?}");
    assert_eq!(told[3]["who"]["name"], "admin");
    inbox.delete(&inbox.admin, &format!("tags/{vip}/")).await.expect(204);
    let ended = history(&inbox, &format!("tags/{vip}/")).await;
    assert_eq!(kinds(&ended)[4..], ["TagDeleted", "MessageUntagged"], "{ended:#?}");

    // A name is whose it is; the tags that only had it are found by their ids.
    let second = new_tag(&inbox, "VIP", None).await;
    let told = history(&inbox, "tags/VIP/").await;
    assert_eq!((told.len(), told[0]["position"].as_i64()), (1, Some(second)), "{told:#?}");
    inbox.delete(&inbox.admin, &format!("tags/{second}/")).await.expect(204);
    let (fine, _, complaint) = audit(&inbox, &["tag", "VIP"]).await;
    assert!(!fine && complaint.contains(&format!("{vip}, {second}")), "{complaint}");
    let body = inbox.get(&inbox.admin, "audit/tags/VIP/").await.expect(400);
    assert!(body["reason"].as_str().is_some_and(|reason| reason.contains(&format!("{vip}, {second}"))), "{body}");
    let table = audited(&inbox, &["tag", &vip.to_string()]).await;
    assert!(
        table.starts_with(&format!("Tag VIP (#{vip}) of demo")) && table.contains("deleted the tag “VIP”"),
        "{table}"
    );
}

#[tokio::test]
async fn only_admins_may_audit_and_another_inbox_is_nobodys() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    let boss = inbox.add_user_to("acme", "boss", Role::Admin).await;
    let tag = new_tag(&inbox, "VIP", None).await;
    let paths = [
        format!("audit/chats/{RUI}/"),
        format!("audit/chats/{RUI}/state/"),
        format!("audit/users/{}/", inbox.agent.id),
        "audit/users/agent/".to_owned(),
        format!("audit/tags/{tag}/"),
        "audit/tags/VIP/".to_owned(),
    ];
    for path in &paths {
        inbox.get(&inbox.admin, path).await.expect(200);
        for by in [&inbox.agent, &inbox.bot] {
            inbox.get(by, path).await.expect(403);
            // Nor does anybody else learn what there is.
            inbox.get(by, "audit/chats/351999999999/?at=nonsense").await.expect(403);
        }
        assert_eq!(inbox.get(&boss, path).await.expect(404), json!({"detail": "Not found."}), "{path}");
        inbox.http.call(reqwest::Method::GET, path, None, None).await.expect(403);
    }
    let (fine, _, complaint) = audit(&inbox, &["chat", RUI, "--tenant", "acme"]).await;
    assert!(!fine && complaint.contains("nothing was recorded"), "{complaint}");
    let (fine, _, complaint) = audit(&inbox, &["chat", RUI]).await;
    assert!(!fine && complaint.contains("say --tenant") && complaint.contains("acme"), "{complaint}");
}
