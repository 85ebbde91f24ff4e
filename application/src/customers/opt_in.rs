//! Records whether a customer wishes to hear from us (R-CUS-4).

use chatledger_domain::{
    WaId,
    chat::Chat,
    contact::{Consent, Contact, ContactCommand, OptIn},
};

use super::may_know;
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Records a customer's wish; what is recorded from now on, with the time since when. The same again changes nothing.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownContact`], also for a customer that the caller may not know of.
    pub async fn set_opt_in(
        &self,
        context: &Context,
        wa_id: &WaId,
        status: OptIn,
        source: &str,
    ) -> Result<Consent, ApplicationError> {
        let (id, now) = (wa_id.as_str(), self.clock.now());
        let streams = [StreamOf::new::<Contact>(id), StreamOf::new::<Chat>(id)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let chat: Chat = decisions.state(id);
                let known = chat.exists || decisions.state::<Contact>(id).is_known();
                if !known || !may_know(&context.actor, &chat) {
                    return Err(ApplicationError::UnknownContact);
                }
                let (source, done_by) = (source.to_owned(), Some(context.actor.user));
                let command =
                    ContactCommand::SetOptIn { status, source, done_by, keyword: None, timestamp: now.timestamp() };
                decisions.decide::<Contact>(id, command)?;
                Ok(decisions.state::<Contact>(id).consent)
            })
            .await?;
        self.settle_all(context.tenant, done.position()).await?;
        done.value.ok_or(ApplicationError::Conflict)
    }
}
