//! Audit: from recorded events to a history that people can read, and what a chat was like at any past moment.
//!
//! Nothing here reads a read model. `mentions` finds who and what a payload names, `names` what these were called at
//! the time, `words` says what happened, `timeline` puts it together page by page, `state` folds a chat with the
//! domain's own code up to a position.

mod entry;
mod mentions;
mod names;
mod span;
mod state;
mod subject;
mod timeline;
mod words;

pub use entry::{Entry, Who, actor_of};
pub use mentions::{Mentions, events_naming};
pub use names::{Label, Names};
pub use span::{Moment, Wanted};
pub use state::{AppliedTag, ChatAsOf};
pub use timeline::{Timeline, kinds, unknown_kind};
pub use words::plain;
