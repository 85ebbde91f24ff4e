//! What a chat was like at a moment is what the API answered at that moment.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{ANA, RUI, assign, audit, audited, head, new_group, new_tag, tag_chat};
use crate::harness::inbox::{Inbox, now, text_message};

/// What the API answered at a moment.
struct Answered {
    after: &'static str,
    chat: &'static str,
    position: i64,
    time: String,
    said: Value,
}

/// What the API says of a chat now, in the words of a state.
async fn said_now(inbox: &Inbox, chat: &str) -> Value {
    let shown = inbox.get(&inbox.admin, &format!("chats/{chat}/")).await.expect(200);
    let user = &shown["assigned_to_user"];
    let group = &shown["assigned_group"];
    let mut tags: Vec<Value> = shown["tags"].as_array().expect("tags").clone();
    tags.sort_by_key(|tag| tag["id"].as_i64());
    let tag = |tag: &Value| {
        json!({"id": tag["id"], "name": tag["name"], "web_inbox_color": tag["web_inbox_color"],
               "tagging_id": tag["tagging_id"]})
    };
    let total = async |filter: &str| {
        let page = inbox.get(&inbox.admin, &format!("messages/?wa_id={chat}&limit=1&from_us={filter}")).await;
        page.expect(200)["count"].clone()
    };
    let expires = &shown["contact"]["messaging_window_expires_at"];
    json!({
        "assigned_to_user": if user.is_null() { Value::Null } else { json!({"id": user["id"], "name": user["username"]}) },
        "assigned_group": if group.is_null() { Value::Null } else { json!({"id": group["id"], "name": group["name"]}) },
        "tags": tags.iter().map(tag).collect::<Vec<_>>(),
        "resolved": shown["contact"]["resolved"],
        "name": shown["contact"]["waba_payload"]["profile"]["name"],
        "window_closes_at": expires,
        "window_open": expires.as_i64().is_some_and(|at| at > now()),
        "incoming_messages": total("False").await,
        "outgoing_messages": total("True").await,
    })
}

/// The same keys of a state.
fn of_state(state: &Value, like: &Value) -> Value {
    let keys = like.as_object().expect("an object").keys();
    keys.map(|key| (key.clone(), state[key].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn the_state_as_of_a_moment_is_what_the_api_answered_then() {
    let inbox = Inbox::start().await;
    let (admin, agent, bot) = (&inbox.admin, &inbox.agent, &inbox.bot);
    let (vip, late) = (new_tag(&inbox, "VIP", Some("#d32f2f")).await, new_tag(&inbox, "Late", None).await);
    let sales = new_group(&inbox, "Sales").await;
    let mut answered = Vec::new();
    let mut note = async |after: &'static str| {
        for chat in [RUI, ANA] {
            inbox.settle().await;
            let said = said_now(&inbox, chat).await;
            let time = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            answered.push(Answered { after, chat, position: head(&inbox).await, time, said });
        }
        // What comes next is recorded later than the time that was noted.
        tokio::time::sleep(Duration::from_millis(3)).await;
    };
    inbox.customer_wrote(RUI, "Hello", now() - 100_000).await;
    inbox.customer_wrote(ANA, "Hi", now() - 90_000).await;
    note("both wrote, long ago").await;
    let of_rui = tag_chat(&inbox, agent, RUI, vip).await;
    note("Rui is a VIP").await;
    assign(&inbox, admin, RUI, json!({"assigned_to_user": agent.id})).await;
    note("Rui is the agent's").await;
    inbox.customer_wrote(RUI, "It is late", now() - 5).await;
    note("Rui's window is open").await;
    tag_chat(&inbox, agent, RUI, late).await;
    tag_chat(&inbox, agent, ANA, late).await;
    note("both are late").await;
    inbox
        .patch(admin, &format!("tags/{late}/"), json!({"name": "Too late", "web_inbox_color": "#000000"}))
        .await
        .expect(200);
    note("the tag has another name and colour").await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "On its way"}});
    inbox.post(agent, "messages/", body).await.expect(201);
    note("we answered").await;
    assign(&inbox, admin, RUI, json!({"assigned_to_user": bot.id, "assigned_group": sales})).await;
    note("Rui is the bot's and Sales'").await;
    inbox.patch(admin, &format!("groups/{sales}/"), json!({"name": "Shop"})).await.expect(200);
    inbox.patch(admin, &format!("users/{}/", bot.id), json!({"username": "robot"})).await.expect(200);
    note("group and user have other names").await;
    inbox.delete(agent, &format!("chat_tagging/{of_rui}/")).await.expect(204);
    note("Rui is no VIP").await;
    inbox.patch(admin, &format!("chats/{ANA}/resolve/"), json!({"resolved": true})).await.expect(200);
    note("Ana is resolved").await;
    let renamed = json!({"contacts": [{"profile": {"name": "Rui Costa"}, "wa_id": RUI}],
                         "messages": [text_message(RUI, "wamid.renamed", now(), "My new name")]});
    inbox.bring(renamed).await;
    note("Rui has another name").await;
    inbox.delete(admin, &format!("tags/{late}/")).await.expect(204);
    note("the tag is gone").await;
    assign(&inbox, admin, RUI, json!({"assigned_to_user": null})).await;
    inbox.customer_writes(ANA, "Me again").await;
    note("Rui is nobody's, Ana wrote again").await;
    let tools = inbox.tools().await;
    let tenant = chatledger_domain::TenantId(inbox.tenant);
    tools.application.set_tenant(tenant, |settings| settings.free_entry_window = true).await.expect("set");
    tools.close().await;
    note("free entry").await;

    let different: std::collections::BTreeSet<String> = answered.iter().map(|a| a.said.to_string()).collect();
    assert!(different.len() > 15, "the moments are told apart: {different:#?}");
    for Answered { after, chat, position, time, said } in &answered {
        for at in [position.to_string(), time.clone()] {
            let state = inbox.get(admin, &format!("audit/chats/{chat}/state/?at={at}")).await.expect(200);
            assert_eq!(of_state(&state, said), *said, "{after}: {chat} at {at}: {state:#}");
        }
    }
    // The command folds the same, and the newest state is the present.
    let Answered { chat, position, said, .. } = &answered[9];
    let told = audited(&inbox, &["state", chat, "--at", &position.to_string(), "--format", "json"]).await;
    let state: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(of_state(&state, said), *said);
    let now = inbox.get(admin, &format!("audit/chats/{RUI}/state/")).await.expect(200);
    let present = said_now(&inbox, RUI).await;
    assert_eq!(of_state(&now, &present), present);
}

#[tokio::test]
async fn before_its_first_message_there_was_no_chat() {
    let inbox = Inbox::start().await;
    let (before, time) = (head(&inbox).await, Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true));
    tokio::time::sleep(Duration::from_millis(3)).await;
    inbox.customer_writes(RUI, "Hello").await;
    for at in [before.to_string(), time] {
        assert_eq!(inbox.get(&inbox.admin, &format!("audit/chats/{RUI}/state/?at={at}")).await.status, 404);
        let (fine, _, complaint) = audit(&inbox, &["state", RUI, "--at", &at]).await;
        assert!(!fine && complaint.contains("by then"), "{complaint}");
        let page = inbox.get(&inbox.admin, &format!("audit/chats/{RUI}/?at={at}")).await.expect(200);
        assert_eq!(page["results"], json!([]), "{page}");
    }
    let state = audited(&inbox, &["state", RUI]).await;
    for line in
        ["user      nobody", "tags      none", "window    open until", "messages  1 from the customer, 0 from us"]
    {
        assert!(state.contains(line), "{state}");
    }
}
