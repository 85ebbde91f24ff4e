//! Why a contact says no.

/// A broken rule. None of today's commands can break one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactRefusal {}
