//! What may be asked of a tenant's WhatsApp account.

use super::state::Number;
use crate::raw_json::RawJson;

/// A command to the account.
#[derive(Clone, Debug)]
pub enum WhatsAppAccountCommand {
    /// Connects a number; its access token is kept elsewhere, encrypted.
    Connect {
        /// The number.
        number: Number,
        /// The address that WhatsApp shall call, as whoever connects it has told; nobody here calls it.
        webhook_url: Option<String>,
    },
    /// Disconnects it.
    Disconnect,
    /// Records what WhatsApp says of a template.
    ReportTemplateStatus {
        /// The template's name.
        name: String,
        /// Its language.
        language: String,
        /// Lower-case status.
        status: String,
        /// WhatsApp's object.
        report: RawJson,
        /// Tells repeats of the notice apart from new ones.
        fingerprint: String,
    },
    /// Records another notice.
    ReceiveNotice {
        /// WhatsApp's name of its kind.
        field: String,
        /// WhatsApp's object.
        report: RawJson,
        /// Tells repeats of the notice apart from new ones.
        fingerprint: String,
    },
}
