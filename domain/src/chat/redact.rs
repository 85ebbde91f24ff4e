//! What is left of a chat's events when its customer is forgotten: ids, types, times, who did what; never what was said.

use serde_json::{Value, json};

use super::{ChatEvent, MessageQueued, MessageReceived};
use crate::raw_json::RawJson;

/// A forgotten message: its type, and nothing of what it said.
#[must_use]
pub fn forgotten_message(kind: &str) -> RawJson {
    // As the read models keep it: Postgres holds no NUL.
    RawJson::from(&json!({ "type": kind.replace('\0', "") }))
}

/// WhatsApp's errors without what they say of anybody. The codes stay: one tells that the account's access token is not
/// taken any more, which is nothing of the customer's.
fn codes(errors: &RawJson) -> RawJson {
    let errors = errors.tree();
    let codes = errors.as_array().into_iter().flatten().filter_map(|error| error["code"].as_i64());
    RawJson::from(&codes.map(|code| json!({ "code": code })).collect::<Value>())
}

impl ChatEvent {
    /// The event without what was said. What is redacted already stays as it is.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut event = self.clone();
        match &mut event {
            Self::MessageReceived(MessageReceived { kind, message, .. }) => *message = forgotten_message(kind),
            Self::MessageEchoed(e) => e.message = forgotten_message(&e.kind),
            Self::MessageQueued(MessageQueued { kind, message, rendered, .. }) => {
                (*message, *rendered) = (forgotten_message(kind), None);
            }
            Self::MessageAccepted(e) => e.response = None,
            Self::MessageRejected(e) => e.errors = codes(&e.errors),
            Self::MessageStatusReported(e) => e.report = RawJson::empty(),
            Self::MessageTagged(e) => e.extra = None,
            Self::MessageUntagged(e) => e.extra = None,
            Self::ChatTagged(e) => e.extra = None,
            Self::ChatUntagged(e) => e.extra = None,
            Self::MessageOutcomeUnknown(_)
            | Self::ChatAssigned(_)
            | Self::MessagesMarkedAsReceived(_)
            | Self::MessagesDelivered(_)
            | Self::ChatResolved(_)
            | Self::ChatReopened(_)
            | Self::ConversationClosed(_)
            | Self::ChatErased(_) => {}
        }
        event
    }
}
