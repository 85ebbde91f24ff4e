//! Plugins: programs beside the inbox that show public, read-only data of their own.

use async_trait::async_trait;
use chatledger_domain::RawJson;

/// Why a plugin did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginFault {
    /// No such plugin is configured.
    #[error("no such plugin")]
    Unknown,
    /// It did not answer in time, not in JSON, or too much; why, for logs.
    #[error("the plugin failed: {0}")]
    Failed(String),
}

/// The configured plugins.
#[async_trait]
pub trait Plugins: Send + Sync {
    /// Asks a plugin, by its type; the parameters go on as they are. A JSON object.
    async fn ask(&self, kind: &str, parameters: &[(String, String)]) -> Result<RawJson, PluginFault>;
}
