//! Asks a plugin for its public data.

use chatledger_domain::RawJson;

use crate::{application::Application, ports::plugins::PluginFault};

impl Application {
    /// What a plugin answers to these parameters.
    ///
    /// # Errors
    /// When there is no such plugin, or it fails.
    pub async fn ask_plugin(&self, kind: &str, parameters: &[(String, String)]) -> Result<RawJson, PluginFault> {
        self.plugins.ask(kind, parameters).await
    }
}
