//! Texts that all users of an inbox share (R-SAV-1).

use chatledger_domain::saved_response::{SavedResponse, SavedResponseCommand};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Saves a response; its id, and when.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn create_saved_response(&self, context: &Context, text: String) -> Result<(i64, i64), ApplicationError> {
        let (id, now, done_by) = (self.random.uuid().to_string(), self.clock.now(), context.actor.user);
        let streams = [StreamOf::new::<SavedResponse>(&id)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let command = SavedResponseCommand::Create { text: text.clone(), done_by, now: now.timestamp() };
                decisions.decide::<SavedResponse>(&id, command)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        done.position().map(|position| (position.0, now.timestamp())).ok_or(ApplicationError::Conflict)
    }

    /// Deletes a response, whoever saved it.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownSavedResponse`].
    pub async fn delete_saved_response(&self, context: &Context, id: i64) -> Result<(), ApplicationError> {
        let unknown = ApplicationError::UnknownSavedResponse;
        let stream = self.stream_at::<SavedResponse>(context.tenant, id).await?.ok_or(unknown)?;
        let streams = [StreamOf::new::<SavedResponse>(&stream)];
        let done_by = context.actor.user;
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |decisions| {
                if decisions.state::<SavedResponse>(&stream).id != id {
                    return Err(ApplicationError::UnknownSavedResponse);
                }
                Ok(decisions.decide::<SavedResponse>(&stream, SavedResponseCommand::Delete { done_by })?)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
