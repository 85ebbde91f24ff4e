//! Changes and deletes a tag, for admins.

use chatledger_domain::{
    TagId,
    tag::{Tag, TagCommand},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Changes a tag's name, colour or both; `Some(None)` removes the colour.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownTag`, `NameTaken`.
    pub async fn change_tag(
        &self,
        context: &Context,
        id: TagId,
        name: Option<String>,
        web_inbox_color: Option<Option<String>>,
    ) -> Result<(), ApplicationError> {
        let done_by = context.actor.user;
        self.tag_command(context, id, || TagCommand::Change {
            name: name.clone(),
            web_inbox_color: web_inbox_color.clone(),
            done_by,
        })
        .await
    }

    /// Deletes a tag and removes all its taggings, each with an event of its own.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownTag`.
    pub async fn delete_tag(&self, context: &Context, id: TagId) -> Result<(), ApplicationError> {
        let done_by = context.actor.user;
        self.tag_command(context, id, || TagCommand::Delete { done_by }).await?;
        // The reactor would do it as well, and does after a crash; done here, the answer already shows it.
        self.remove_taggings_of(context.tenant, id, Some(done_by), &context.metadata()).await
    }

    async fn tag_command(
        &self,
        context: &Context,
        id: TagId,
        command: impl Fn() -> TagCommand,
    ) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let stream = self.stream_at::<Tag>(context.tenant, id.0).await?.ok_or(ApplicationError::UnknownTag(id))?;
        let done = self
            .streams
            .transact(context.tenant, &[StreamOf::new::<Tag>(&stream)], &context.metadata(), self.clock.now(), |d| {
                if d.state::<Tag>(&stream).id != id {
                    return Err(ApplicationError::UnknownTag(id));
                }
                d.decide::<Tag>(&stream, command()).map_err(|_| ApplicationError::UnknownTag(id))
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
