//! R-JWT-1 … R-JWT-3: who is answered what, on every endpoint of the family, against a table that a person can read.
//!
//! The table is `matrix.md`; `UPDATE_SNAPSHOTS=1 cargo test --test it service::matrix` writes it anew, for review. The
//! endpoints come from the route table: one without a case fails.

use std::{collections::BTreeSet, fmt::Write};

use chatledger_api::route_table;
use chatledger_domain::{Role, TenantId};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    asking::{inbox, service, token},
    isolation::{Named, writes},
    shop::Shop,
};
use crate::harness::{inbox::Inbox, table};

/// How each endpoint is asked: operation, what tells it from others of the same, path below the base, body. In angle
/// brackets stands what is made for the question: the shop, its conversation, its customer; who is asked for, and the
/// number and secrets of the shop.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        "service_create_token",
        "",
        "auth/token",
        r#"{"username": "<admin>", "password": "<password>", "shopId": "<shop>"}"#,
    ),
    ("service_list_conversations", "", "conversations?shopId=<shop>", ""),
    ("service_get_conversation", "", "conversations/<conversation>", ""),
    (
        "service_send_message",
        "",
        "conversations/<conversation>/messages",
        r#"{"content": {"type": "text", "text": "Hello"}}"#,
    ),
    ("service_assign_conversation", "to somebody", "conversations/<conversation>/assign", r#"{"agentId": "<bot>"}"#),
    ("service_assign_conversation", "to nobody", "conversations/<conversation>/assign", r#"{"agentId": null}"#),
    ("service_close_conversation", "", "conversations/<conversation>/close", "{}"),
    ("service_list_customers", "", "customers?shopId=<shop>", ""),
    ("service_get_customer", "", "customers/<customer>?shopId=<shop>", ""),
    ("service_put_customer_tags", "a tag", "customers/<customer>/tags?shopId=<shop>", r#"{"addTags": ["vip"]}"#),
    (
        "service_put_customer_tags",
        "a new tag",
        "customers/<customer>/tags?shopId=<shop>",
        r#"{"addTags": ["of <customer>"]}"#,
    ),
    (
        "service_put_opt_in",
        "",
        "customers/<customer>/opt-in?shopId=<shop>",
        r#"{"status": "opted_in", "source": "web"}"#,
    ),
    ("service_message_analytics", "", "analytics/messages?shopId=<shop>", ""),
    ("service_conversation_analytics", "", "analytics/conversations?shopId=<shop>", ""),
    (
        "service_connect_account",
        "",
        "accounts",
        r#"{"shopId": "<shop>", "phoneNumberId": "<number>", "accessToken": "<secret>"}"#,
    ),
    ("service_get_account", "", "accounts/<shop>", ""),
    ("service_disconnect_account", "", "accounts/<shop>", ""),
];

/// How the chat in question stands to who asks.
#[derive(Clone, Copy, PartialEq)]
enum Chat {
    Nobodys,
    Own,
    Anothers,
}

/// Who asks.
struct Caller {
    /// The column's head.
    name: &'static str,
    /// Who, for the legend.
    legend: &'static str,
    token: Token,
    chat: Chat,
}

#[derive(Clone, Copy)]
enum Token {
    None,
    /// A user's, with permissions of its own or the defaults of its role.
    Agent(Option<(bool, &'static str, &'static str)>),
    /// One of a role for this shop.
    Of(&'static str),
    /// One for another shop.
    Foreign,
}

const OWN: Token = Token::Agent(Some((true, "user", "user")));

const CALLERS: [Caller; 9] = [
    Caller { name: "no token", legend: "nobody in particular", token: Token::None, chat: Chat::Nobodys },
    Caller {
        name: "agent",
        legend: "an agent with the defaults of its role; the chat is nobody's",
        token: Token::Agent(None),
        chat: Chat::Nobodys,
    },
    Caller {
        name: "assignee",
        legend: "an agent that reads and writes what is assigned to it; the chat is",
        token: OWN,
        chat: Chat::Own,
    },
    Caller { name: "outsider", legend: "the same; the chat is another's", token: OWN, chat: Chat::Anothers },
    Caller {
        name: "untagging",
        legend: "an agent that reads and writes all and may not use tags; the chat is nobody's",
        token: Token::Agent(Some((false, "all", "all"))),
        chat: Chat::Nobodys,
    },
    Caller {
        name: "service",
        legend: "a program; the chat is another's",
        token: Token::Of("service"),
        chat: Chat::Anothers,
    },
    Caller {
        name: "admin",
        legend: "an admin; the chat is another's",
        token: Token::Of("admin"),
        chat: Chat::Anothers,
    },
    Caller {
        name: "platform",
        legend: "whoever runs the shops; the chat is another's",
        token: Token::Of("platform"),
        chat: Chat::Anothers,
    },
    Caller { name: "foreign", legend: "a program of another shop", token: Token::Foreign, chat: Chat::Nobodys },
];

/// A caller with its token, and the user it is.
struct Cast {
    caller: &'static Caller,
    token: Option<String>,
    user: Option<i64>,
}

#[tokio::test]
async fn r_jwt_3_every_endpoint_answers_every_caller_as_the_matrix_says() {
    let inbox = inbox().await;
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    let own = inbox.tenant.to_string();
    let admin = token(&inbox.admin.id.to_string(), "admin", &[&own]);
    let agent = token(&inbox.agent.id.to_string(), "agent", &[&own]);
    let shop = Shop { inbox, admin, agent };
    shop.inbox.post(&shop.inbox.admin, "tags/", json!({"name": "vip"})).await.expect(201);
    let mut cast = Vec::new();
    for caller in &CALLERS {
        cast.push(appear(&shop, caller).await);
    }
    let (mut matrix, mut asked) = (heading(), 0);
    for case in CASES {
        let _ = write!(matrix, "| {} `{}` |", method(case), name(case));
        for one in &cast {
            asked += 1;
            let _ = write!(matrix, " {} |", answered(&shop, case, one, asked).await);
        }
        matrix.push('\n');
    }
    table::holds("tests/it/service/matrix.md", &matrix);
}

#[test]
fn every_endpoint_of_the_family_has_a_row() {
    let asked: BTreeSet<&str> = CASES.iter().map(|(operation, ..)| *operation).collect();
    for route in route_table().iter().filter(|route| route.operation.starts_with("service_")) {
        assert!(asked.contains(route.operation), "no row of {}", route.operation);
    }
}

type Case = (&'static str, &'static str, &'static str, &'static str);

fn method((operation, ..): &Case) -> Method {
    let routes = route_table();
    let route = routes.iter().find(|route| route.operation == *operation);
    route.unwrap_or_else(|| panic!("no endpoint is called {operation}")).method.parse().expect("a method")
}

fn name((operation, variant, ..): &Case) -> String {
    if variant.is_empty() { (*operation).to_owned() } else { format!("{operation} ({variant})") }
}

fn heading() -> String {
    let mut text = String::from(
        "# Who is answered what by the Service API\n\nMade by `tests/it/service/matrix.rs` from the running server; a change \
         here is a change of who may do what.\nThe numbers are HTTP statuses: 401 without a good token, 404 where the asker \
         must not learn that there is something,\n422 where it may read and not do. What is refused leaves no event.\n\n",
    );
    for caller in &CALLERS {
        let _ = writeln!(text, "* **{}**: {}", caller.name, caller.legend);
    }
    let names: Vec<&str> = CALLERS.iter().map(|caller| caller.name).collect();
    let _ = writeln!(text, "\n| endpoint | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    text
}

async fn appear(shop: &Shop, caller: &'static Caller) -> Cast {
    let (inbox, own) = (&shop.inbox, shop.inbox.tenant.to_string());
    let (token, user) = match caller.token {
        Token::None => (None, None),
        Token::Of("admin") => (Some(shop.admin.clone()), None),
        Token::Of(role) => (Some(token(&format!("a {role}"), role, &[&own])), None),
        Token::Foreign => (Some(token("theirs", "service", &[&TenantId::of_slug("acme").to_string()])), None),
        Token::Agent(permissions) => {
            let login = inbox.add_user(&format!("the {}", caller.name), Role::User).await;
            if let Some((tags, read, write)) = permissions {
                let permissions = json!({"can_use_tags": tags, "can_read_chats": read, "can_write_to_chats": write});
                let path = format!("users/{}/", login.id);
                inbox.patch(&inbox.admin, &path, json!({ "permissions": permissions })).await.expect(200);
            }
            (Some(token(&login.id.to_string(), "agent", &[&own])), Some(login.id.0))
        }
    };
    Cast { caller, token, user }
}

/// Asks with a chat made for this question alone, and wants nothing to be recorded when it is refused.
async fn answered(shop: &Shop, case: &Case, cast: &Cast, question: usize) -> u16 {
    let (inbox, (operation, _, path, body)) = (&shop.inbox, case);
    let number = inbox.phone_number_id.clone();
    let named = writes(shop, None, &number, &format!("35197{question:07}")).await;
    let assigned = match cast.caller.chat {
        Chat::Nobodys => None,
        Chat::Own => cast.user,
        Chat::Anothers => Some(inbox.agent.id.0),
    };
    if let Some(user) = assigned {
        let path = format!("chat_assignment/{}/", named.customer);
        inbox.patch(&inbox.admin, &path, json!({ "assigned_to_user": user })).await.expect(200);
    }
    let account = format!("accounts/{}", named.shop);
    if *operation == "service_connect_account" {
        service(inbox, Method::DELETE, &account, None).await.expect(200);
    }
    let secrets = inbox.sandbox_state();
    let fill = |text: &str| filled(inbox, &named, &secrets, text);
    let id = format!("service-matrix-{question}");
    let url = inbox.http.url(&format!("whatsapp/{}", fill(path)));
    let mut request = inbox.http.raw.request(method(case), url).header("X-Request-ID", &id);
    if let Some(token) = &cast.token {
        request = request.bearer_auth(token);
    }
    if !body.is_empty() {
        request = request.json(&serde_json::from_str::<Value>(&fill(body)).expect("JSON"));
    }
    let answer = inbox.http.send(request).await;
    let asked = format!("{} by {}: {}", name(case), cast.caller.name, answer.text);
    assert!(answer.status < 500, "{asked}");
    assert_eq!(answer.status == 401, cast.token.is_none() && *operation != "service_create_token", "R-JWT-1: {asked}");
    if answer.status >= 400 {
        assert_eq!(inbox.recorded_by(&id).await, 0, "was refused and recorded: {asked}");
        let body = answer.body.as_object().expect("an envelope");
        assert_eq!((body.len(), &body["success"]), (5, &json!(false)), "R-SVC-2: {asked}");
    }
    let is_write = operation.ends_with("connect_account");
    if is_write && matches!(cast.caller.token, Token::Agent(_)) {
        assert_eq!(answer.status, 404, "R-JWT-3: {asked}");
    }
    // For the next question the shop is connected.
    if is_write && service(inbox, Method::GET, &account, None).await.expect(200)["data"]["status"] != "active" {
        let body = r#"{"shopId": "<shop>", "phoneNumberId": "<number>", "accessToken": "<secret>"}"#;
        let body = serde_json::from_str(&fill(body)).expect("JSON");
        service(inbox, Method::POST, "accounts", Some(body)).await.expect(200);
    }
    answer.status
}

/// A text with what a question names.
fn filled(inbox: &Inbox, named: &Named, secrets: &Value, text: &str) -> String {
    let secret = secrets["access_token"].as_str().expect("a token");
    let replaced = [
        ("<admin>", inbox.admin.username.as_str()),
        ("<password>", inbox.admin.password.as_str()),
        ("<bot>", &inbox.bot.id.to_string()),
        ("<number>", inbox.phone_number_id.as_str()),
        ("<secret>", secret),
    ];
    replaced.iter().fold(named.fill(text, named), |text, (name, value)| text.replace(name, value))
}
