//! Creates a tag.

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
    /// Creates a tag; its id.
    ///
    /// # Errors
    /// [`ApplicationError::TagsNotAllowed`], or `NameTaken` without regard to case (R-TAG-9).
    pub async fn create_tag(
        &self,
        context: &Context,
        name: String,
        web_inbox_color: Option<String>,
    ) -> Result<TagId, ApplicationError> {
        if !context.actor.permissions.can_use_tags {
            return Err(ApplicationError::TagsNotAllowed);
        }
        let id = self.random.uuid().to_string();
        let done = self
            .streams
            .transact(context.tenant, &[StreamOf::new::<Tag>(&id)], &context.metadata(), self.clock.now(), |d| {
                let (name, web_inbox_color) = (name.clone(), web_inbox_color.clone());
                d.decide::<Tag>(&id, TagCommand::Create { name, web_inbox_color, done_by: context.actor.user })
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        done.position().map(|position| TagId(position.0)).ok_or(ApplicationError::Conflict)
    }
}
