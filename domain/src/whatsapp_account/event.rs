//! What can have happened to a tenant's WhatsApp account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Claim, Event},
    raw_json::RawJson,
};

/// How WhatsApp is reached (contract, webhooks §6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Meta's Cloud API.
    Cloud,
    /// 360dialog, Cloud-hosted.
    D360,
    /// The on-premises API, or 360dialog's form of it.
    Onpremises,
}

/// A number was connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountConnected {
    /// WhatsApp's id of the number.
    pub phone_number_id: String,
    /// The number as people read it.
    pub display_phone_number: String,
    /// How WhatsApp is reached.
    pub channel: Channel,
    /// The WhatsApp business account that owns it: notices about templates and the account name only this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waba_id: Option<String>,
    /// The address that WhatsApp shall call, as whoever connected it has told (R-ACC-6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// The number was disconnected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDisconnected {
    /// WhatsApp's id of the number it was.
    pub phone_number_id: String,
}

/// WhatsApp reported on a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateStatusReported {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// Lower-case status.
    pub status: String,
    /// WhatsApp's object, unchanged.
    pub report: RawJson,
    /// Tells repeats of the notice apart from new ones.
    pub fingerprint: String,
}

/// The [`AccountNoticeReceived::field`] of an error that a call told beside its messages and statuses.
pub const ERRORS: &str = "errors";

/// WhatsApp sent another notice about the account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountNoticeReceived {
    /// WhatsApp's name of its kind.
    pub field: String,
    /// WhatsApp's object, unchanged.
    pub report: RawJson,
    /// Tells repeats of the notice apart from new ones.
    pub fingerprint: String,
}

crate::events! {
    /// An event of a WhatsApp account.
    WhatsAppAccountEvent {
        /// Connected.
        AccountConnected = "AccountConnected" v "1",
        /// Disconnected.
        AccountDisconnected = "AccountDisconnected" v "1",
        /// A template's status.
        TemplateStatusReported = "TemplateStatusReported" v "1",
        /// Another notice.
        AccountNoticeReceived = "AccountNoticeReceived" v "1",
    }
}

/// The claim of a number. The ledger holds it across all tenants: a number is active at one inbox at a time.
#[must_use]
pub fn number_claim(phone_number_id: &str) -> String {
    format!("number:{phone_number_id}")
}

impl Event for WhatsAppAccountEvent {
    crate::stored_event!();

    fn claims(&self) -> Vec<Claim> {
        match self {
            Self::AccountConnected(e) => vec![Claim::Take(number_claim(&e.phone_number_id))],
            Self::AccountDisconnected(e) => vec![Claim::Release(number_claim(&e.phone_number_id))],
            Self::TemplateStatusReported(_) | Self::AccountNoticeReceived(_) => Vec::new(),
        }
    }

    fn idempotency_key(&self) -> Option<String> {
        match self {
            Self::TemplateStatusReported(e) => Some(format!("notice:{}", e.fingerprint)),
            Self::AccountNoticeReceived(e) => Some(format!("notice:{}", e.fingerprint)),
            Self::AccountConnected(_) | Self::AccountDisconnected(_) => None,
        }
    }
}
