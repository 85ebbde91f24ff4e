//! Role × permission × endpoint: what each kind of user is answered, against a table that a person can read.
//!
//! The table is `matrix.md`; `UPDATE_SNAPSHOTS=1 cargo test --test it matrix` writes it anew, for review.

use std::fmt::Write;

use chatledger_api::bootstrap::Login;
use chatledger_domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    cases::{Case, cases},
    things::{Kind, Side, Things, fresh, number},
};
use crate::harness::{inbox::Inbox, table};

/// Who asks: a role, what it may do, and how the chat in question stands to it.
struct Actor {
    /// The column's head.
    name: &'static str,
    /// Who, for the legend.
    legend: &'static str,
    /// `None` for nobody in particular.
    role: Option<Role>,
    /// Its own permissions; the defaults of its role where `None`.
    permissions: Option<(bool, &'static str, &'static str)>,
    chat: Chat,
}

#[derive(Clone, Copy, PartialEq)]
enum Chat {
    Unassigned,
    Mine,
    MyGroups,
    Anothers,
}

const ACTORS: [Actor; 9] = [
    Actor { name: "anonymous", legend: "no credential", role: None, permissions: None, chat: Chat::Unassigned },
    Actor {
        name: "admin",
        legend: "an admin; the chat is another user's",
        role: Some(Role::Admin),
        permissions: None,
        chat: Chat::Anothers,
    },
    Actor {
        name: "user",
        legend: "a user with the defaults of its role; the chat is nobody's",
        role: Some(Role::User),
        permissions: None,
        chat: Chat::Unassigned,
    },
    Actor {
        name: "assignee",
        legend: "reads and writes what is assigned to it; the chat is",
        role: Some(Role::User),
        permissions: Some((true, "user", "user")),
        chat: Chat::Mine,
    },
    Actor {
        name: "member",
        legend: "reads and writes what is its group's; the chat is",
        role: Some(Role::User),
        permissions: Some((true, "group", "group")),
        chat: Chat::MyGroups,
    },
    Actor {
        name: "outsider",
        legend: "reads and writes what is its group's; the chat is another user's",
        role: Some(Role::User),
        permissions: Some((true, "group", "group")),
        chat: Chat::Anothers,
    },
    Actor {
        name: "untagging",
        legend: "reads and writes all, may not use tags; the chat is nobody's",
        role: Some(Role::User),
        permissions: Some((false, "all", "all")),
        chat: Chat::Unassigned,
    },
    Actor {
        name: "shut out",
        legend: "reads and writes nothing; the chat is assigned to it all the same",
        role: Some(Role::User),
        permissions: Some((true, "none", "none")),
        chat: Chat::Mine,
    },
    Actor {
        name: "app",
        legend: "an app with the defaults of its role; the chat is assigned to it",
        role: Some(Role::App),
        permissions: None,
        chat: Chat::Mine,
    },
];

/// An actor in flesh and blood.
struct Cast {
    actor: &'static Actor,
    login: Option<Login>,
}

#[tokio::test]
async fn s2_every_endpoint_answers_every_kind_of_user_as_the_matrix_says() {
    let inbox = Inbox::start_with(|config| config.sandbox_requests_per_minute = 0).await;
    let side = Side { inbox: &inbox, admin: inbox.admin.clone(), number: inbox.phone_number_id.clone() };
    let group = side.id(&mut Things::default(), Kind::Group).await;
    let mut cast = Vec::new();
    for actor in &ACTORS {
        cast.push(Cast { actor, login: login(&inbox, actor, &group).await });
    }
    let mut matrix = heading();
    for case in cases().into_iter().filter(|case| case.in_matrix) {
        let _ = write!(matrix, "| {} `{}` |", case.route.method, case.name());
        for one in &cast {
            let _ = write!(matrix, " {} |", answered(&side, &case, one, &group).await);
        }
        matrix.push('\n');
    }
    table::holds("tests/it/routes/matrix.md", &matrix);
}

fn heading() -> String {
    let mut text = String::from(
        "# Who is answered what\n\nMade by `tests/it/routes/authorisation.rs` from the running server; a change here is \
         a change of who may do what.\nThe numbers are HTTP statuses: 404 where the asker must not learn that there is \
         something, 403 where it may know.\nWhat is refused leaves no event.\n\n",
    );
    for actor in &ACTORS {
        let _ = writeln!(text, "* **{}**: {}", actor.name, actor.legend);
    }
    let names: Vec<&str> = ACTORS.iter().map(|actor| actor.name).collect();
    let _ = writeln!(text, "\n| endpoint | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    text
}

async fn login(inbox: &Inbox, actor: &Actor, group: &str) -> Option<Login> {
    let role = actor.role?;
    let login = inbox.add_user(&format!("actor{}", fresh()), role).await;
    let path = format!("users/{}/", login.id);
    if let Some((tags, read, write)) = actor.permissions {
        let permissions = json!({"can_use_tags": tags, "can_read_chats": read, "can_write_to_chats": write});
        inbox.patch(&inbox.admin, &path, json!({"permissions": permissions})).await.expect(200);
    }
    if actor.chat == Chat::MyGroups {
        let own = inbox.get(&inbox.admin, &path).await.expect(200)["groups"].clone();
        let mut groups: Vec<Value> = own.as_array().expect("groups").iter().map(|g| json!({"id": g["id"]})).collect();
        groups.push(json!({"id": number(group)}));
        inbox.patch(&inbox.admin, &path, json!({"groups": groups})).await.expect(200);
    }
    Some(login)
}

/// Asks with things made for this question alone, and wants nothing to be recorded when it is refused.
async fn answered(side: &Side<'_>, case: &Case, cast: &Cast, group: &str) -> u16 {
    let mut things = Things::default();
    let chat = side.id(&mut things, Kind::Chat).await;
    let assignment = match (cast.actor.chat, &cast.login) {
        (Chat::Mine, Some(login)) => Some(json!({"assigned_to_user": login.id})),
        (Chat::MyGroups, _) => Some(json!({"assigned_group": number(group)})),
        (Chat::Anothers, _) => Some(json!({"assigned_to_user": side.inbox.agent.id})),
        _ => None,
    };
    if let Some(assignment) = assignment {
        side.inbox.patch(&side.admin, &format!("chat_assignment/{chat}/"), assignment).await.expect(200);
    }
    let (path, body) = side.filled(&mut things, case).await;
    let method: Method = case.route.method.parse().expect("a method");
    let http = &side.inbox.http;
    let id = format!("matrix-{}", fresh());
    let mut request = http.raw.request(method, http.url(&path)).header("X-Request-ID", &id);
    if let Some(login) = &cast.login {
        request = request.header("Authorization", format!("Token {}", login.token));
    }
    if let Some(body) = &body {
        request = request.json(body);
    }
    let answer = http.send(request).await;
    let name = format!("{} by {}", case.name(), cast.actor.name);
    assert_ne!(answer.status, 401, "R-ERR-5: {name}");
    assert!(answer.status < 500, "{name}: {}", answer.text);
    if answer.status >= 400 {
        assert_eq!(side.inbox.recorded_by(&id).await, 0, "{name} was refused and recorded");
    }
    answer.status
}
