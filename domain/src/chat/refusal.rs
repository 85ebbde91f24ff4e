//! Why a chat says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatRefusal {
    /// There is no such chat yet, or the actor may not know of it (R-PERM-7).
    #[error("no such chat")]
    Unknown,
    /// The actor may not read the chat (R-PERM-8, R-ASG-7).
    #[error("the chat may not be read")]
    NotReadable,
    /// The actor may not write to the chat (R-PERM-9).
    #[error("the chat may not be written to")]
    NotWritable,
    /// The actor may not use tags (R-PERM-10).
    #[error("tags may not be used")]
    TagsNotAllowed,
    /// The 24-hour window is closed and this is no template (R-WIN-4).
    #[error("the 24-hour customer service window is closed")]
    WindowClosed,
    /// A template outside the window, and its customer is not counted towards the day's limit (R-ACC-4).
    #[error("the customer is not counted towards the daily limit")]
    NotCounted,
    /// The conversation is closed or over (R-CNV-3, R-CNV-8).
    #[error("the conversation is closed or over")]
    ConversationEnded,
    /// Somebody else holds the assignment (R-ASG-2 … R-ASG-5, R-ASG-10).
    #[error("the assignment is held by somebody else")]
    AssignmentHeld,
    /// The chat carries the tag already (R-TAG-3).
    #[error("the chat carries the tag already")]
    AlreadyTagged,
    /// There is no such tagging, or no more.
    #[error("no such tagging")]
    UnknownTagging,
}
