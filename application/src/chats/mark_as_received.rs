//! Moves the caller's received mark of chats.

use chatledger_domain::{
    WaId,
    chat::{Chat, ChatCommand},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Marks a chat's messages up to `timestamp` as received by the caller (R-RCV-*); a smaller mark changes nothing.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownChat`] where there is no such chat or the caller may not read it.
    pub async fn mark_as_received(
        &self,
        context: &Context,
        wa_id: &WaId,
        timestamp: i64,
    ) -> Result<(), ApplicationError> {
        self.mark_all_as_received(context, vec![(wa_id.clone(), timestamp)]).await
    }

    /// The same for several chats at once, all or none.
    ///
    /// # Errors
    /// As [`Self::mark_as_received`].
    pub async fn mark_all_as_received(
        &self,
        context: &Context,
        marks: Vec<(WaId, i64)>,
    ) -> Result<(), ApplicationError> {
        let now = self.clock.now();
        let streams: Vec<StreamOf> = marks.iter().map(|(wa_id, _)| StreamOf::new::<Chat>(wa_id.as_str())).collect();
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                for (wa_id, timestamp) in &marks {
                    let command = ChatCommand::MarkAsReceived {
                        actor: context.actor.clone(),
                        timestamp: *timestamp,
                        now: now.timestamp(),
                    };
                    decisions.decide::<Chat>(wa_id.as_str(), command)?;
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
