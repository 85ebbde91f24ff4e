//! Why a medium says no: never. What comes late or again changes nothing.

/// No broken rule is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaRefusal {}
