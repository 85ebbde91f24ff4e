//! What a tenant's decisions need, and the settings that others ask for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::TenantEvent;

/// A tenant's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// 72 hours instead of 24 for chats that an ad's referral opened (R-WIN-7).
    pub free_entry_window: bool,
    /// A provider's key opens the inbox (R-AUTH-8).
    pub provider_authentication: bool,
    /// Customers see that their messages were read (R-RCV-6).
    pub read_receipts: bool,
    /// Tokens for programs are accepted (R-TOK-1).
    pub api_access: bool,
    /// Webhooks are also told `tagged_messages` and `tagged_chats`, which newer keys have replaced.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub legacy_tagging_payloads: bool,
    /// Customers who write one of these alone want no more messages (R-CUS-6).
    #[serde(skip_serializing_if = "is_default_opt_out")]
    pub opt_out_keywords: Vec<String>,
    /// Customers who write one of these alone want messages.
    #[serde(skip_serializing_if = "is_default_opt_in")]
    pub opt_in_keywords: Vec<String>,
}

fn is_default_opt_out(words: &[String]) -> bool {
    words == ["STOP"]
}

fn is_default_opt_in(words: &[String]) -> bool {
    words == ["START"]
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            free_entry_window: false,
            provider_authentication: true,
            read_receipts: false,
            api_access: false,
            legacy_tagging_payloads: false,
            opt_out_keywords: vec!["STOP".to_owned()],
            opt_in_keywords: vec!["START".to_owned()],
        }
    }
}

/// A tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// Whether it exists.
    pub exists: bool,
    /// Its settings.
    pub settings: Settings,
}

impl Tenant {
    pub(super) fn after(&mut self, event: &TenantEvent) {
        match event {
            TenantEvent::TenantCreated(_) => self.exists = true,
            TenantEvent::SettingsChanged(e) => self.settings.clone_from(&e.settings),
        }
    }
}
