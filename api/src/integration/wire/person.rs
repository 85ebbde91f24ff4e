//! Customers as persons.

use chatledger_domain::RawJson;
use chatledger_projections::views::PersonView;
use serde::Serialize;
use utoipa::ToSchema;

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "wa_id": "351912000111", "waba_payload": {"profile": {"name": "Rui Costa"}, "wa_id": "351912000111"},
    "initials": "RC", "last_message_timestamp": 1767693600, "resolved": false,
    "messaging_window_expires_at": 1767780000
}))]
pub struct Person<'a> {
    /// Its WhatsApp id.
    pub wa_id: &'a str,
    /// WhatsApp's contact object.
    #[schema(value_type = Object)]
    pub waba_payload: &'a RawJson,
    /// First letters of first and last word of the name, else the first character of the id.
    pub initials: &'a str,
    /// The newest message that it sent, POSIX seconds.
    pub last_message_timestamp: Option<i64>,
    /// Whether the chat is resolved.
    pub resolved: bool,
    /// When the customer service window closes, POSIX seconds.
    pub messaging_window_expires_at: Option<i64>,
}

impl<'a> Person<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a PersonView) -> Self {
        Self {
            wa_id: view.wa_id.as_str(),
            waba_payload: &view.profile,
            initials: &view.initials,
            last_message_timestamp: view.last_message_timestamp,
            resolved: view.resolved,
            messaging_window_expires_at: view.window_closes_at,
        }
    }
}
