//! Who is told what, and since when no more (R-WS-5, R-WS-8; S7).

use std::time::{Duration, Instant};

use chatledger_api::bootstrap::Login;
use serde_json::json;

use super::{ANA, Heard, RUI, Socket};
use crate::harness::inbox::Inbox;

/// What must act, acts within a second (S7).
const SOON: Duration = Duration::from_secs(1);

/// The agent, with this scope, in a group of its own; the group.
async fn agent_in_group(inbox: &Inbox, scope: &str) -> i64 {
    let group = inbox.post(&inbox.admin, "groups/", json!({"name": "Billing"})).await.expect(201)["id"].clone();
    let path = format!("users/{}/", inbox.agent.id);
    let own = inbox.get(&inbox.admin, &path).await.expect(200)["groups"].clone();
    let mut groups: Vec<_> = own.as_array().expect("groups").iter().map(|own| json!({"id": own["id"]})).collect();
    groups.push(json!({"id": group}));
    let body = json!({"groups": groups, "permissions": {"can_read_chats": scope}});
    inbox.patch(&inbox.admin, &path, body).await.expect(200);
    group.as_i64().expect("a number")
}

/// Which of the texts a user is told, of customers whose chats are nobody's, its own, its group's, another's.
async fn told(scope: &str) -> Vec<String> {
    let inbox = Inbox::start().await;
    let group = agent_in_group(&inbox, scope).await;
    let chats = [("nobody's", json!({})), ("own", json!({"assigned_to_user": inbox.agent.id}))];
    let more =
        [("group's", json!({"assigned_group": group})), ("another's", json!({"assigned_to_user": inbox.bot.id}))];
    let chats: Vec<_> = chats.into_iter().chain(more).enumerate().collect();
    for (n, (_, assignment)) in &chats {
        let customer = format!("3519120001{n:02}");
        inbox.customer_writes(&customer, "before").await;
        if assignment != &json!({}) {
            inbox.assign_to(&customer, assignment.clone()).await;
        }
    }
    let mut socket = Socket::speaking(&inbox, &inbox.agent, "classic").await;
    for (n, (name, _)) in &chats {
        inbox.customer_writes(&format!("3519120001{n:02}"), name).await;
    }
    // To all, and last.
    let path = format!("users/{}/availability/", inbox.admin.id);
    inbox.patch(&inbox.admin, &path, json!({"is_available": false})).await.expect(200);
    let mut heard = Vec::new();
    loop {
        let payload = socket.frame().await["waba_payload"].clone();
        if !payload["user_availability"].is_null() {
            return heard;
        }
        let text = payload["incoming_messages"][0]["waba_payload"]["text"]["body"].as_str().map(str::to_owned);
        let is_assigned = !payload["assigned_messages"].is_null();
        let text = text.unwrap_or_else(|| panic!("{payload}"));
        assert_eq!(is_assigned, text == "own", "{payload}");
        heard.push(text);
    }
}

#[tokio::test]
async fn r_ws_5_each_scope_hears_of_the_chats_that_it_may_read() {
    let (all, group, user, none) = tokio::join!(told("all"), told("group"), told("user"), told("none"));
    assert_eq!(all, ["nobody's", "own", "group's", "another's"]);
    assert_eq!(group, ["own", "group's"]);
    assert_eq!(user, ["own"]);
    assert!(none.is_empty(), "{none:?}");
}

#[tokio::test]
async fn r_ws_5_of_one_call_only_what_may_be_read_is_told() {
    use crate::harness::inbox::{contact, now, text_message};
    let inbox = Inbox::start().await;
    inbox.may_read(&inbox.agent, "user").await;
    inbox.customer_writes(RUI, "before").await;
    inbox.assign_to(RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let mut socket = Socket::of(&inbox, &inbox.agent).await;
    let messages = [(ANA, "secret"), (RUI, "for you")].map(|(from, text)| text_message(from, text, now(), text));
    inbox.bring(json!({"contacts": [contact(ANA, "Ana"), contact(RUI, "Rui")], "messages": messages})).await;
    let frame = socket.frame().await;
    assert_eq!(frame["waba_payload"]["messages"].as_array().map(Vec::len), Some(1), "{frame}");
    let text = frame.to_string();
    assert!(text.contains("for you") && !text.contains("secret") && !text.contains(ANA), "{text}");
}

#[tokio::test]
async fn r_ws_5_an_assignment_is_heard_by_who_could_read_the_chat_before_or_after() {
    let inbox = Inbox::start().await;
    for user in [&inbox.agent, &inbox.bot] {
        inbox.may_read(user, "user").await;
    }
    inbox.customer_writes(RUI, "Hello").await;
    let mut agent = Socket::speaking(&inbox, &inbox.agent, "classic").await;
    let mut bot = Socket::speaking(&inbox, &inbox.bot, "classic").await;
    inbox.assign_to(RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let given = agent.payload("waba_webhook", "chat_assignment").await;
    assert_eq!(given["chat_assignment"]["wa_id"], RUI);
    assert_eq!(given["assigned_messages"][0]["waba_payload"]["text"]["body"], "Hello");
    bot.silent().await;
    inbox.assign_to(RUI, json!({"assigned_to_user": inbox.bot.id})).await;
    let taken = agent.payload("waba_webhook", "chat_assignment").await;
    assert!(taken["assigned_messages"].is_null(), "{taken}");
    bot.payload("waba_webhook", "chat_assignment").await;
    inbox.customer_writes(RUI, "Who are you?").await;
    assert_eq!(bot.texts().await, ["Who are you?"]);
    agent.silent().await;
}

#[tokio::test]
async fn r_ws_5_a_bulk_message_is_told_to_its_sender() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let mut sender = Socket::speaking(&inbox, &inbox.agent, "classic").await;
    let mut admin = Socket::speaking(&inbox, &inbox.admin, "classic").await;
    inbox.assign_to(RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    admin.payload("waba_webhook", "chat_assignment").await;
    sender.payload("waba_webhook", "chat_assignment").await;
    let payload = json!({"type": "text", "text": {"body": "News"}});
    let body = json!({"recipients": [{"recipient": RUI}], "payload": payload});
    inbox.post(&inbox.agent, "bulk_messages/", body).await.expect(201);
    sender.payload("waba_webhook", "bulk_message_tasks").await;
    // Beside the message itself and what becomes of it.
    while sender.frame().await["waba_payload"]["bulk_message_task_elements"].is_null() {}
    admin.payload("waba_webhook", "outgoing_messages").await;
    while let Ok(Heard::Frame(frame)) = tokio::time::timeout(super::SHORT, admin.listen()).await {
        assert!(!frame.to_string().contains("bulk_message"), "{frame}");
    }
}

/// Opens a socket, does something to the user, wants code 1008 within a second.
async fn ends(inbox: &Inbox, at: &Inbox, user: &Login, work: impl AsyncFnOnce(&Inbox)) {
    let mut socket = Socket::of(at, user).await;
    work(inbox).await;
    let since = Instant::now();
    loop {
        match socket.hear().await {
            Heard::Frame(_) => {}
            other => break assert_eq!(other, Heard::Closed(1008)),
        }
    }
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[tokio::test]
async fn r_ws_8_the_end_of_a_users_access_ends_its_connections_on_every_server() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let delete = async |inbox: &Inbox, user: &Login| {
        inbox.delete(&inbox.admin, &format!("users/{}/", user.id)).await.expect(204);
    };
    ends(&inbox, &inbox, &inbox.agent, async |inbox| delete(inbox, &inbox.agent).await).await;
    ends(&inbox, &other, &inbox.bot, async |inbox| delete(inbox, &inbox.bot).await).await;
}

#[tokio::test]
async fn r_ws_5_a_change_of_permissions_counts_from_the_next_event_on() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let mut here = Socket::of(&inbox, &inbox.agent).await;
    let mut there = Socket::of(&other, &inbox.agent).await;
    inbox.may_read(&inbox.agent, "none").await;
    inbox.customer_writes(RUI, "secret").await;
    // What counts is what it may read when it is told.
    for socket in [&mut here, &mut there] {
        socket.silent().await;
    }
    inbox.may_read(&inbox.agent, "all").await;
    inbox.customer_writes(RUI, "open").await;
    for socket in [&mut here, &mut there] {
        assert_eq!(socket.texts().await, ["open"]);
    }
    // A group's permissions count as well.
    let groups = inbox.get(&inbox.admin, "groups/").await.expect(200);
    let of_user = |group: &&serde_json::Value| group["name"] == "Regular user";
    let group = groups["results"].as_array().and_then(|all| all.iter().find(of_user)).expect("a group")["id"].clone();
    let own = json!({"permissions": {"can_read_chats": null}});
    inbox.patch(&inbox.admin, &format!("users/{}/", inbox.agent.id), own).await.expect(200);
    let body = json!({"groups": [{"id": group, "permissions": {"can_read_chats": "user"}}]});
    inbox.put(&inbox.admin, "settings/permissions/", body).await.expect(200);
    inbox.customer_writes(RUI, "secret").await;
    for socket in [&mut here, &mut there] {
        socket.silent().await;
    }
}
