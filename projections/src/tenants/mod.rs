//! Read model `tenants`: slug, name, hosts, settings and number of every inbox.

mod apply;
mod directory;

pub(crate) use apply::Tenants;
pub use directory::TenantDirectory;
