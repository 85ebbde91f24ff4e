//! For analysts: who may read the views of schema `analytics`, and files made from them.
//!
//! The views themselves are migrations `0041` and `0046`. Never here: a query that shows a read model to the API.

mod error;
mod export;
mod roles;

pub use error::AnalyticsError;
pub use export::{Export, Exported, Format, View, export, views};
pub use roles::{Granted, Password, Reader, Reading, address, grant, readers, readmit, revoke, role_exists};
