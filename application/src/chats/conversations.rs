//! What is done with a conversation rather than with its chat.

use chatledger_domain::{
    MessageId, UserId, WaId,
    chat::{AssignmentChange, Chat, ChatCommand},
};
use chrono::{DateTime, Utc};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Closes an active conversation and resolves its chat (R-CNV-11): when that was.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownChat`] where the caller may not read the chat, `NotWritable` where it may not write,
    /// `ConversationEnded`.
    pub async fn close_conversation(
        &self,
        context: &Context,
        wa_id: &WaId,
        opened_by: MessageId,
    ) -> Result<DateTime<Utc>, ApplicationError> {
        let now = self.clock.now();
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let (actor, now) = (context.actor.clone(), now.timestamp());
                decisions.decide::<Chat>(wa_id.as_str(), ChatCommand::CloseConversation { actor, opened_by, now })
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(now)
    }

    /// Assigns the chat of an active conversation to a user, or to none: when that was.
    ///
    /// # Errors
    /// [`ApplicationError::ConversationEnded`], else as [`Application::assign_chat`].
    pub async fn assign_conversation(
        &self,
        context: &Context,
        wa_id: &WaId,
        opened_by: MessageId,
        user: Option<UserId>,
    ) -> Result<DateTime<Utc>, ApplicationError> {
        let now = self.clock.now();
        let change = AssignmentChange { user: Some(user), group: None };
        let require = ChatCommand::RequireConversation { opened_by, may_be_over: false, now: now.timestamp() };
        self.assign(context, wa_id, change, Some(require), now).await?;
        Ok(now)
    }
}
