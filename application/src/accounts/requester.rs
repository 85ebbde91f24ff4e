//! Who asks for changes of accounts: a program or a user, in an inbox that may not be there yet.

use std::sync::Arc;

use chatledger_domain::UserId;

use crate::ports::ledger::{Cause, Metadata};

/// The longest name that is recorded, in characters.
const NAME_LENGTH: usize = 150;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Requester {
    /// The user, where it is one.
    pub user: Option<UserId>,
    /// What a program calls itself.
    pub name: String,
    /// The request's id.
    pub correlation_id: String,
}

impl Requester {
    /// What is recorded beside the events. Nobody is made a user for it: what WhatsApp refuses must leave no trace.
    pub(super) fn metadata(&self) -> Arc<Metadata> {
        let part = || self.name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
        Arc::new(Metadata {
            actor: self.user.map_or_else(|| Cause::System { part: part() }, |user| Cause::User { id: user.0 }),
            family: "service".to_owned(),
            correlation_id: self.correlation_id.clone(),
            causation: None,
        })
    }
}
