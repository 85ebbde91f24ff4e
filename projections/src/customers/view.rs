//! What is answered about customers.

use chatledger_domain::{WaId, contact::Consent};
use uuid::Uuid;

/// A customer.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerView {
    /// Its id, opaque and for ever.
    pub id: Uuid,
    /// Its WhatsApp id.
    pub wa_id: WaId,
    /// Its name: the saved one, else WhatsApp's; empty where nobody knows one.
    pub name: String,
    /// The names of its tags, in the order in which they were put on.
    pub tags: Vec<String>,
    /// Its last word on being written to; `None` where nobody recorded one. The source is empty where it is forgotten.
    pub consent: Option<Consent>,
    /// How many conversations there were with it.
    pub conversations: i64,
    /// The newest message in either direction, POSIX seconds.
    pub last_contacted_at: Option<i64>,
    /// When it was first seen, POSIX seconds.
    pub created_at: i64,
}

/// A customer, and how it is served.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerProfileView {
    /// The customer.
    pub customer: CustomerView,
    /// The mean time in seconds until its messages were answered; `None` where none was (R-CUS-7).
    pub response_seconds: Option<f64>,
}

/// Which customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Those whose name or digits hold this text.
    pub search: Option<String>,
    /// Those that carry one of the tags of these names; empty for all.
    pub tags: Vec<String>,
}
