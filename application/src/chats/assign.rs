//! Assigns a chat to a user, a group, both or nobody.

use chatledger_domain::{
    UserId, WaId,
    chat::{AssignmentChange, Chat, ChatCommand},
    user::User,
};

use chrono::{DateTime, Utc};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Changes a chat's assignment as far as the caller may (R-ASG-*); a change to the same is no change.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`] or `UnknownGroup` for a target that is not active or not there, else the
    /// rule that was broken.
    pub async fn assign_chat(
        &self,
        context: &Context,
        wa_id: &WaId,
        change: AssignmentChange,
    ) -> Result<(), ApplicationError> {
        self.assign(context, wa_id, change, None, self.clock.now()).await
    }

    /// The same, once the chat has found nothing wrong with `require`.
    pub(super) async fn assign(
        &self,
        context: &Context,
        wa_id: &WaId,
        change: AssignmentChange,
        require: Option<ChatCommand>,
        now: DateTime<Utc>,
    ) -> Result<(), ApplicationError> {
        // Whoever may not read the chat learns nothing of users and groups either.
        let chat: Chat = self.streams.state(context.tenant, wa_id.as_str()).await?;
        if !chat.exists {
            return Err(ApplicationError::UnknownChat);
        }
        if !context.actor.may_read(chat.assignment) {
            return Err(ApplicationError::NotReadable);
        }
        if let Some(Some(user)) = change.user
            && !self.user(context, user).await?.is_some_and(|user| user.is_active())
        {
            return Err(ApplicationError::UnknownUser(user));
        }
        if let Some(Some(group)) = change.group
            && !self.group(context.tenant, group).await?.is_some_and(|group| group.exists)
        {
            return Err(ApplicationError::UnknownGroup(group));
        }
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                if let Some(require) = require.clone() {
                    decisions.decide::<Chat>(wa_id.as_str(), require)?;
                }
                let command = ChatCommand::Assign { actor: context.actor.clone(), change, now: now.timestamp() };
                decisions.decide::<Chat>(wa_id.as_str(), command)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }

    pub(crate) async fn user(&self, context: &Context, id: UserId) -> Result<Option<User>, ApplicationError> {
        let Some(stream) = self.stream_at::<User>(context.tenant, id.0).await? else { return Ok(None) };
        let user: User = self.streams.state(context.tenant, &stream).await?;
        Ok((user.id == id).then_some(user))
    }
}
