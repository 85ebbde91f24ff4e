//! Outgoing webhooks: what is due to whom, the calls that carry it, and what came of them.

pub mod caller;
pub mod delivery;
mod log;
mod plan_rows;
pub mod planner;

pub use log::PgDeliveryLog;
