//! The whole story of a chat, told right over REST and by the command.

use serde_json::{Value, json};

use super::{RUI, assign, audit, audited, history, kinds, new_group, new_tag, tag_chat, words};
use crate::harness::{http::Answer, inbox::Inbox};

#[tokio::test]
async fn the_story_of_a_chat_is_told_in_order_with_who_and_what_and_the_names_of_the_time() {
    let inbox = Inbox::start().await;
    let (vip, sales) = (new_tag(&inbox, "VIP", Some("#d32f2f")).await, new_group(&inbox, "Sales").await);
    let message = inbox.customer_writes(RUI, "Is it blue?").await;
    let tagging = tag_chat(&inbox, &inbox.agent, RUI, vip).await;
    inbox.patch(&inbox.admin, &format!("tags/{vip}/"), json!({"name": "Gold"})).await.expect(200);
    let body = json!({"tag": vip, "message": message});
    inbox.post(&inbox.agent, "message_tagging/", body).await.expect(201);
    assign(&inbox, &inbox.admin, RUI, json!({"assigned_to_user": inbox.agent.id, "assigned_group": sales})).await;
    inbox.patch(&inbox.admin, &format!("groups/{sales}/"), json!({"name": "Shop"})).await.expect(200);
    let request = inbox.http.raw.post(inbox.http.url("messages/")).header("X-Request-ID", "the-answer");
    let request = request.header("Authorization", format!("Token {}", inbox.agent.token));
    let send = json!({"wa_id": RUI, "type": "text", "text": {"body": "Yes, quite blue."}});
    inbox.http.send(request.json(&send)).await.expect(201);
    inbox.delete(&inbox.agent, &format!("chat_tagging/{tagging}/")).await.expect(204);
    assign(&inbox, &inbox.admin, RUI, json!({"assigned_group": null})).await;
    inbox.patch(&inbox.agent, &format!("chats/{RUI}/resolve/"), json!({"resolved": true})).await.expect(200);
    inbox.customer_writes(RUI, "Thanks!").await;

    let agent = format!("agent (#{})", inbox.agent.id);
    let told = history(&inbox, &format!("chats/{RUI}/?limit=3&kind={}", TOLD.join(","))).await;
    let wanted = [
        "the customer wrote: “Is it blue?”".to_owned(),
        format!("WhatsApp showed the customer's name “Customer {RUI}”"),
        format!("tagged the chat with VIP (#{vip})"),
        format!("tagged the message {message} with Gold (#{vip})"),
        format!("assigned the chat to the user {agent} and assigned the chat to the group Sales (#{sales})"),
        "sent: “Yes, quite blue.”".to_owned(),
        format!("took the tag Gold (#{vip}) off the chat"),
        "took the chat from its group".to_owned(),
        "resolved the chat".to_owned(),
        "the customer wrote: “Thanks!”, which reopened the chat".to_owned(),
    ];
    assert_eq!(words(&told), wanted, "{told:#?}");
    let who = |entry: &Value| match entry["who"]["kind"].as_str() {
        Some("user") => entry["who"]["name"].as_str().unwrap_or_default().to_owned(),
        kind => kind.unwrap_or_default().to_owned(),
    };
    let wanted_who =
        ["whatsapp", "whatsapp", "agent", "agent", "admin", "agent", "agent", "admin", "agent", "whatsapp"];
    assert_eq!(told.iter().map(who).collect::<Vec<_>>(), wanted_who, "{told:#?}");
    let sent = &told[5];
    assert_eq!((sent["correlation_id"].as_str(), sent["family"].as_str()), (Some("the-answer"), Some("integration")));
    assert_eq!(sent["who"]["id"], inbox.agent.id.0);

    // Position, sequence and hash are those of the ledger, in its order, and nothing of the chat is missing.
    let all = history(&inbox, &format!("chats/{RUI}/?limit=4")).await;
    let rows: Vec<(i64, String, i64, String)> = sqlx::query_as(
        "SELECT position, aggregate_type, sequence, encode(hash, 'hex') FROM ledger.events
          WHERE tenant_id = $1 AND aggregate_type IN ('Chat', 'Contact') AND aggregate_id = $2 ORDER BY position",
    )
    .bind(inbox.tenant)
    .bind(RUI)
    .fetch_all(&inbox.pool)
    .await
    .expect("rows");
    let shown = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| entry[name].as_i64().unwrap_or_default();
        (number("position"), text("aggregate_type"), number("sequence"), text("hash"))
    };
    assert_eq!(all.iter().map(shown).collect::<Vec<_>>(), rows);
    assert!(kinds(&all).contains(&"MessageAccepted"), "{all:#?}");

    let table = audited(&inbox, &["chat", RUI, "--tenant", "demo"]).await;
    for (words, who) in wanted.iter().zip(wanted_who) {
        let line = table.lines().find(|line| line.ends_with(words.as_str()));
        let line = line.unwrap_or_else(|| panic!("{words} is not in\n{table}"));
        let who = if who == "whatsapp" { "WhatsApp" } else { who };
        assert!(line.contains(who), "{who}: {line}");
    }
    let first = &all[0];
    let hash = first["hash"].as_str().expect("a hash");
    assert!(table.contains(&hash[..12]) && table.contains("the-answer"), "{table}");
    assert!(table.starts_with(&format!("Chat {RUI} of demo")), "{table}");
    assert!(table.contains(&format!("user      {agent}")) && table.contains("tags      none"), "{table}");
}

/// Without what the simulator does in its own time.
const TOLD: [&str; 9] = [
    "ContactProfileSeen",
    "MessageReceived",
    "MessageQueued",
    "ChatTagged",
    "ChatUntagged",
    "MessageTagged",
    "ChatAssigned",
    "ChatResolved",
    "ChatReopened",
];

#[tokio::test]
async fn what_is_not_there_and_what_makes_no_sense_is_told_by_its_name() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    for (arguments, wanted) in [
        (&["chat", "351999999999"][..], "nothing was recorded of a chat 351999999999"),
        (&["chat", "nobody"], "is no WhatsApp id"),
        (&["user", "nobody"], "no user is or was called nobody"),
        (&["tag", "Nothing"], "no tag is or was called Nothing"),
        (&["chat", RUI, "--tenant", "nobody"], "no tenant is called nobody"),
        (&["chat", RUI, "--kind", "ChatTaged"], "there are: "),
        (&["chat", RUI, "--at", "yesterday"], "neither a position"),
        (&["chat", RUI, "--from", "2026-01-06"], "neither POSIX seconds nor a time"),
        (&["chat", RUI, "--output", "/nonexistent/report.csv"], "cannot be written"),
        (&["state", RUI, "--at", "0"], "nothing was recorded of a chat"),
    ] {
        let (fine, told, complaint) = audit(&inbox, arguments).await;
        assert!(!fine && complaint.contains(wanted), "{arguments:?}: {told}{complaint}");
    }
    let (_, _, complaint) = audit(&inbox, &["chat", RUI, "--kind", "ChatTaged"]).await;
    assert!(complaint.contains("ChatTagged") && complaint.contains("MessageReceived"), "{complaint}");
    let refused = async |path: &str| -> Answer { inbox.get(&inbox.admin, path).await };
    for (path, field) in [
        (format!("audit/chats/{RUI}/?kind=ChatTaged"), "kind"),
        (format!("audit/chats/{RUI}/?at=yesterday"), "at"),
        (format!("audit/chats/{RUI}/?from=x"), "from"),
        (format!("audit/chats/{RUI}/?until=x"), "until"),
        (format!("audit/chats/{RUI}/?after=x"), "after"),
        (format!("audit/chats/{RUI}/?format=pdf"), "format"),
        (format!("audit/chats/{RUI}/state/?at=x"), "at"),
    ] {
        let body = refused(&path).await.expect(400);
        assert!(body[field][0].is_string() && body["reason"].is_string(), "{path}: {body}");
    }
    for path in ["chats/351999999999/", "chats/x/", "users/nobody/", "users/999999/", "tags/Nothing/", "tags/1/"] {
        assert_eq!(refused(&format!("audit/{path}")).await.expect(404), json!({"detail": "Not found."}), "{path}");
    }
    assert_eq!(refused("audit/chats/351999999999/state/").await.status, 404);
}
