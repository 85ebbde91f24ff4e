//! Says that a chat is resolved, or that it is not.

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
    /// Resolves or reopens a chat (R-CHAT-7); what it is already stays without an event.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownChat`] where the caller may not read the chat, `NotWritable` where it may not write.
    pub async fn resolve_chat(&self, context: &Context, wa_id: &WaId, resolved: bool) -> Result<(), ApplicationError> {
        let now = self.clock.now();
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let command = ChatCommand::Resolve { actor: context.actor.clone(), resolved, now: now.timestamp() };
                decisions.decide::<Chat>(wa_id.as_str(), command)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
