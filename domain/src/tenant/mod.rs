//! One inbox: its name and its settings.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::TenantCommand;
pub use event::{SettingsChanged, TenantCreated, TenantEvent};
pub use refusal::TenantRefusal;
pub use state::{Settings, Tenant};
