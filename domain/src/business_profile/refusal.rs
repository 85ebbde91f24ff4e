//! Why a business profile says no: never; WhatsApp itself has been asked before.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusinessProfileRefusal {}
