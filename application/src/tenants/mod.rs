//! What the operator does with tenants.

mod connect;
mod create;

pub use create::{CreatedTenant, NewTenant};
