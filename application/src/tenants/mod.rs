//! What the operator does with tenants.

mod connect;
mod create;
mod settings;

pub use create::{CreatedTenant, NewTenant};
