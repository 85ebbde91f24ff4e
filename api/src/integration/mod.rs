//! The Integration API: one file a resource, and the list of its endpoints.

pub mod assignment;
pub mod auth;
pub mod chat_tagging;
pub mod chats;
mod content;
pub mod groups;
pub mod histories;
pub mod message_tagging;
pub mod messages;
pub mod persons;
pub mod received;
pub mod root;
pub mod send;
pub mod tags;
pub mod users;
pub mod wire;

use actix_web::{HttpResponse, http::StatusCode, web};
use chatledger_domain::{Actor, GroupId};
use serde::Serialize;

use crate::{
    app::AppState,
    extract::Query,
    family::json_body,
    routes::{Endpoint, to},
};

/// The shared state, as handlers take it.
pub type State = web::Data<AppState>;

/// The endpoints. Of two paths that match alike, the first wins.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/", "get_root", || to(root::root)),
    Endpoint::new("POST", "/api/v1/auth/token/", "create_token", || to(auth::token)),
    Endpoint::new("GET", "/api/v1/users/", "list_users", || to(users::list)),
    Endpoint::new("GET", "/api/v1/users/current/", "get_current_user", || to(users::current)),
    Endpoint::new("GET", "/api/v1/users/{id}/", "get_user", || to(users::get)),
    Endpoint::new("GET", "/api/v1/groups/", "list_groups", || to(groups::list)),
    Endpoint::new("GET", "/api/v1/chats/", "list_chats", || to(chats::list)),
    Endpoint::new("GET", "/api/v1/chats/{wa_id}/", "get_chat", || to(chats::get)),
    Endpoint::new("GET", "/api/v1/messages/", "list_messages", || to(messages::list)),
    Endpoint::new("POST", "/api/v1/messages/", "send_message", || to(send::send)),
    Endpoint::new("GET", "/api/v1/messages/{wa_id}/", "list_messages_of_chat", || to(messages::list_of_chat)),
    Endpoint::new("POST", "/api/v1/mark_as_received/", "mark_as_received", || to(received::mark)),
    Endpoint::new("GET", "/api/v1/persons/", "list_persons", || to(persons::list)),
    Endpoint::new("GET", "/api/v1/persons/{wa_id}/", "get_person", || to(persons::get)),
    Endpoint::new("GET", "/api/v1/chat_assignment/{wa_id}/", "get_chat_assignment", || to(assignment::get)),
    Endpoint::new("PUT", "/api/v1/chat_assignment/{wa_id}/", "put_chat_assignment", || to(assignment::put)),
    Endpoint::new("PATCH", "/api/v1/chat_assignment/{wa_id}/", "patch_chat_assignment", || to(assignment::patch)),
    Endpoint::new("GET", "/api/v1/chat_assignment_events/", "list_chat_assignment_events", || {
        to(histories::chat_assignments)
    }),
    Endpoint::new("GET", "/api/v1/tags/", "list_tags", || to(tags::list)),
    Endpoint::new("POST", "/api/v1/tags/", "create_tag", || to(tags::create)),
    Endpoint::new("PATCH", "/api/v1/tags/{id}/", "patch_tag", || to(tags::patch)),
    Endpoint::new("DELETE", "/api/v1/tags/{id}/", "delete_tag", || to(tags::delete)),
    Endpoint::new("POST", "/api/v1/chat_tagging/", "create_chat_tagging", || to(chat_tagging::create)),
    Endpoint::new("GET", "/api/v1/chat_tagging/{id}/", "get_chat_tagging", || to(chat_tagging::get)),
    Endpoint::new("DELETE", "/api/v1/chat_tagging/{id}/", "delete_chat_tagging", || to(chat_tagging::delete)),
    Endpoint::new("GET", "/api/v1/chat_tagging_events/", "list_chat_tagging_events", || to(histories::chat_taggings)),
    Endpoint::new("POST", "/api/v1/message_tagging/", "create_message_tagging", || to(message_tagging::create)),
    Endpoint::new("GET", "/api/v1/message_tagging/{id}/", "get_message_tagging", || to(message_tagging::get)),
    Endpoint::new("DELETE", "/api/v1/message_tagging/{id}/", "delete_message_tagging", || to(message_tagging::delete)),
    Endpoint::new("GET", "/api/v1/message_tagging_events/", "list_message_tagging_events", || {
        to(histories::message_taggings)
    }),
];

fn ok(body: &impl Serialize) -> HttpResponse {
    json_body(HttpResponse::Ok(), body)
}

fn created(body: &impl Serialize) -> HttpResponse {
    json_body(HttpResponse::build(StatusCode::CREATED), body)
}

fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// `assigned_group`: one of the caller's groups, any for admins (R-CHAT-3, R-FIL-6).
fn assigned_group(query: &mut Query, actor: &Actor) -> Option<GroupId> {
    let group = GroupId(query.integer("assigned_group")?);
    if !actor.is_admin() && !actor.groups.contains(&group) {
        let message = format!("Select a valid choice. {group} is not one of the available choices.");
        query.refuse("assigned_group", message);
    }
    Some(group)
}
