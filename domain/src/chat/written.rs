//! Which messages of a customer count as written, and when: the window, conversations and the order of chats go by it.

use super::MessageReceived;

/// Whether a message of this type opens the window: any but notices of the system itself (R-WIN-2).
#[must_use]
pub fn opens_window(kind: &str) -> bool {
    kind != "system"
}

/// When a message opened the window: never later than its receipt (R-WIN-2, R-WIN-3).
#[must_use]
pub fn written_at(message: &MessageReceived) -> Option<i64> {
    opens_window(&message.kind).then(|| message.timestamp.min(message.received_at))
}
