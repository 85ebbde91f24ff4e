//! The websocket (contract "webhooks and websocket" §4, R-WS-*): what happens in an inbox, told as it happens.
//!
//! [`door`] is where a connection begins as an HTTP request; `connection` speaks with one client; the [`Hub`] knows
//! all connections of this server. Each tenant that somebody listens to has a `room`, which follows that tenant's
//! ledger, has bodies made once for all who are told the same, and puts frames into each connection's `mailbox`.

mod audience;
mod client;
mod connection;
pub mod door;
mod frames;
mod hub;
mod mailbox;
mod outgoing;
mod room;
mod telling;

pub use hub::{Hub, HubParts, HubSettings};

use actix_web::web::{self, ServiceConfig};

use crate::{
    family,
    routes::{Endpoint, to},
};

/// Names the websocket in front of the inbox's own host: `websockets-inbox.example`.
const HOST_PREFIX: &str = "websockets-";

/// The endpoints.
pub(crate) const ENDPOINTS: &[Endpoint] = &[Endpoint::new("GET", "/ws/", "open_websocket", || to(door::open))];

/// Registers the other address: the root of the host that is named after the websocket.
pub(crate) fn register(config: &mut ServiceConfig) {
    let root = web::resource("/").route(web::get().to(door::open_at_root));
    config.service(root.default_service(web::to(family::not_found)));
}
