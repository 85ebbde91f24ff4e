//! What a receiver reads: pushes in the words of an API family, for one user. Made where wire names are known.

use async_trait::async_trait;
use chatledger_domain::UserId;

use super::Unavailable;
use crate::pushes::Push;

/// Which part of a push somebody is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Parts {
    /// Of a call: `contacts`, `messages`, `incoming_messages`.
    pub incoming: bool,
    /// `assigned_messages` of these chats: the call's, or what an assignment brings its new user (R-IWH-7).
    pub assigned: Vec<String>,
    /// Of a call: `statuses` (and `errors`) …
    pub statuses: bool,
    /// … of these chats only; empty for all.
    pub statuses_of: Vec<String>,
    /// What the push itself is about, where it is no call: `outgoing_messages`, `chat_assignment`, `chat_tagging` …
    pub own: bool,
    /// `tagged_messages` and `tagged_chats` as well.
    pub legacy: bool,
    /// `object` and `entry`, as the Cloud API calls, as well.
    pub cloud: bool,
}

/// A body to be made.
#[derive(Clone, Debug)]
pub struct BodyOrder<'a> {
    /// What is told; several where one body tells of several (the rule engine's of a tagged message and its chat).
    pub pushes: Vec<&'a Push>,
    /// Who reads it: whose marks and whose view; `None` for nobody in particular.
    pub reader: Option<UserId>,
    /// What of it.
    pub parts: Parts,
}

/// A body that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// A JSON object.
    pub text: String,
    /// Its keys.
    pub keys: Vec<&'static str>,
    /// The newest incoming message of each chat in `incoming_messages` and `assigned_messages`, POSIX seconds: what a
    /// receiver that takes it has received (R-IWH-10).
    pub marks: Vec<(String, i64)>,
}

/// Makes bodies.
#[async_trait]
pub trait Bodies: Send + Sync {
    /// The bodies, in order; `None` for one that would be empty. Orders of one page are best given together: what they
    /// share is looked up once. The read models must have reached every push.
    async fn make(&self, orders: &[BodyOrder<'_>]) -> Result<Vec<Option<Body>>, Unavailable> {
        Ok(self.pieces(orders, usize::MAX).await?.into_iter().map(|mut pieces| pieces.pop()).collect())
    }

    /// The same, with what would make a body larger than so many bytes split between messages (R-OUT-1). Nothing for a
    /// body that would be empty; a single message that is larger alone is a piece all the same.
    async fn pieces(&self, orders: &[BodyOrder<'_>], at_most: usize) -> Result<Vec<Vec<Body>>, Unavailable>;
}
