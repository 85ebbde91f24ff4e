//! The Integration API: one file a resource, and the list of its endpoints.

pub mod activation;
pub mod api_tokens;
pub mod assignment;
pub mod audit;
pub mod auth;
pub mod bulk;
mod call_target;
pub mod chat_tagging;
pub mod chats;
pub mod contacts;
mod content;
pub mod deliveries;
pub mod erasure;
pub mod group_permissions;
pub mod groups;
pub mod histories;
pub mod login;
pub mod media;
pub mod message_tagging;
pub mod messages;
mod own_media;
pub mod passwords;
pub mod persons;
pub mod photo;
pub mod plugins;
pub mod profile;
pub mod pushes;
pub mod received;
pub mod refresh;
pub mod root;
pub mod rule_engine;
pub mod saved_responses;
pub mod send;
pub mod signing;
pub mod tags;
pub mod templates;
mod user_body;
pub mod users;
pub mod webhooks;
pub mod whatsapp_accounts;
pub mod wire;

use actix_web::{HttpResponse, http::StatusCode, web};
use chatledger_domain::{Actor, GroupId};
use serde::Serialize;

use crate::{app::AppState, extract::Query, family::json_body, routes::Endpoint};

/// The shared state, as handlers take it.
pub type State = web::Data<AppState>;

/// The endpoints, resource by resource. Of two paths that match alike, the first wins.
pub(crate) fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    let resources = [
        root::ENDPOINTS,
        auth::ENDPOINTS,
        login::ENDPOINTS,
        users::ENDPOINTS,
        passwords::ENDPOINTS,
        activation::ENDPOINTS,
        groups::ENDPOINTS,
        group_permissions::ENDPOINTS,
        chats::ENDPOINTS,
        messages::ENDPOINTS,
        send::ENDPOINTS,
        received::ENDPOINTS,
        persons::ENDPOINTS,
        assignment::ENDPOINTS,
        histories::ENDPOINTS,
        tags::ENDPOINTS,
        chat_tagging::ENDPOINTS,
        message_tagging::ENDPOINTS,
        media::ENDPOINTS,
        templates::ENDPOINTS,
        profile::ENDPOINTS,
        photo::ENDPOINTS,
        plugins::ENDPOINTS,
        whatsapp_accounts::ENDPOINTS,
        webhooks::ENDPOINTS,
        deliveries::ENDPOINTS,
        signing::ENDPOINTS,
        rule_engine::ENDPOINTS,
        api_tokens::ENDPOINTS,
        audit::ENDPOINTS,
        contacts::ENDPOINTS,
        erasure::ENDPOINTS,
        saved_responses::ENDPOINTS,
        bulk::ENDPOINTS,
    ];
    resources.into_iter().flatten()
}

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
