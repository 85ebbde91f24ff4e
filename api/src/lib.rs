//! The HTTP side: extract, one call, map. Wire names and bodies live here and nowhere else.
//!
//! Here: [`app`] puts everything together, [`routes`] is the one list of endpoints, [`extract`] reads requests,
//! [`integration`] and [`hooks`] are the API families, [`docs`] describes them, [`websocket`] tells what happens. Never here: SQL, rules,
//! infrastructure (only the binary's `bootstrap` may name it). To add an endpoint: a handler whose first argument says
//! who may call it, and a line in its family's list; tests then ask for its line in the OpenAPI document.

pub mod app;
pub mod audit;
mod auth;
pub mod bootstrap;
pub mod cli;
pub mod docs;
pub mod error;
pub mod extract;
pub mod family;
pub mod health;
pub mod hooks;
pub mod integration;
pub mod media_link;
pub mod origin;
mod page_token;
pub mod routes;
pub mod service;
mod shell;
pub mod throttle;
pub mod websocket;

pub use app::{ApiSettings, AppState, configure};
pub use docs::openapi;
pub use routes::{RouteInfo, route_table};
