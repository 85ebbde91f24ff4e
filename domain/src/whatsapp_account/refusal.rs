//! Why a WhatsApp account says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhatsAppAccountRefusal {
    /// Another number is connected.
    #[error("another number is connected")]
    AlreadyConnected,
}
