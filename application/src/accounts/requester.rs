//! Who asks for changes of accounts: a program or a user whose token names it, in an inbox that may not be there yet.

use std::sync::Arc;

use chatledger_domain::{TenantId, user::User};

use crate::{
    application::Application,
    error::ApplicationError,
    ports::ledger::{Cause, Metadata},
};

/// The longest name that is recorded, in characters.
const NAME_LENGTH: usize = 150;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Requester {
    /// A user's id, or what a program calls itself.
    pub name: String,
    /// The request's id.
    pub correlation_id: String,
}

impl Application {
    /// What is recorded beside the events. Nobody is made a user for it: what WhatsApp refuses must leave no trace.
    pub(super) async fn requested_by(
        &self,
        tenant: TenantId,
        by: &Requester,
    ) -> Result<Arc<Metadata>, ApplicationError> {
        let id = match by.name.parse::<i64>() {
            Ok(id) => self.stream_at::<User>(tenant, id).await?.map(|_| id),
            Err(_) => None,
        };
        let part = || by.name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
        Ok(Arc::new(Metadata {
            actor: id.map_or_else(|| Cause::System { part: part() }, |id| Cause::User { id }),
            family: "service".to_owned(),
            correlation_id: by.correlation_id.clone(),
            causation: None,
        }))
    }
}
