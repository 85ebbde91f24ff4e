//! Figures of an inbox over a time: how many messages, how fast they were answered, how conversations ended (R-ANA-*).
//!
//! Nothing is kept for them: they are counted when they are asked for, which is seldom, from the rows that everything
//! else is answered from. So a failure that is reported late corrects yesterday's figure without anybody's doing.

mod conversations;
mod messages;
mod span;

pub use conversations::ConversationMeasures;
pub(crate) use conversations::response_seconds_of;
pub use messages::MessageCount;
pub use span::{Span, Step};
