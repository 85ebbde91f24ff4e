//! What the operator does with tenants.

mod connect;
mod create;
mod gone;
mod service;
mod settings;

pub use create::{CreatedTenant, NewTenant};
