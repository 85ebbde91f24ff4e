//! What the operator does with tenants.

mod create;
mod gone;
mod service;
mod settings;

pub use create::{CreatedTenant, NewTenant};
