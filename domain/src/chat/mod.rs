//! The endless thread with one customer: messages, statuses, taggings, assignment, received marks.

mod assign;
mod assignment;
mod command;
pub mod content;
pub mod conversation;
mod decide;
mod event;
mod redact;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod written;

pub use assignment::AssignmentChange;
pub use command::{ByRule, ChatCommand, Echo, Incoming, Outgoing, StatusReport};
pub use event::{
    ChatAssigned, ChatErased, ChatEvent, ChatReopened, ChatResolved, ChatTagged, ChatUntagged, ConversationClosed,
    MessageAccepted, MessageEchoed, MessageOutcomeUnknown, MessageQueued, MessageReceived, MessageRejected,
    MessageStatusReported, MessageTagged, MessageUntagged, MessagesDelivered, MessagesMarkedAsReceived, TagAsItWas,
    accepted_key, message_key, queued_key, status_key,
};
pub use redact::forgotten_message;
pub use refusal::ChatRefusal;
pub use state::{Chat, Pending};
pub use written::{opens_window, written_at};
