//! Creates a bulk message.

use std::collections::HashSet;

use chatledger_domain::{
    RawJson, Scope, TagId, WaId,
    bulk_message::{BulkMessage, BulkMessageCommand, BulkMessageCreated, Fills, MAX_RECIPIENTS},
    tag::Tag,
    whatsapp_account::WhatsAppAccount,
};

use crate::{
    application::{Application, Context},
    chats::ACCOUNT,
    error::ApplicationError,
    streams::StreamOf,
};

/// A bulk message to be, its content checked already.
#[derive(Clone, Debug)]
pub struct NewBulkMessage {
    /// Who gets one.
    pub recipients: Vec<WaId>,
    /// The chats that carry one of these get one as well, where the sender may write to them.
    pub tags: Vec<TagId>,
    /// The type, as the client named it.
    pub kind: String,
    /// The object of the type.
    pub content: RawJson,
    /// The payload as the client gave it.
    pub payload: RawJson,
    /// What stands for `{{…}}`, by recipient.
    pub fills: Fills,
}

impl Application {
    /// Records what is to be sent; a reactor sends it.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for users that may write to no chat, `AccountNotConnected`, `UnknownTag`,
    /// `NoRecipients`, `TooManyRecipients`.
    pub async fn create_bulk_message(
        &self,
        context: &Context,
        new: NewBulkMessage,
    ) -> Result<BulkMessageCreated, ApplicationError> {
        let tenant = context.tenant;
        if context.actor.permissions.can_write_to_chats == Scope::None {
            return Err(ApplicationError::NotAllowed);
        }
        let account: WhatsAppAccount = self.streams.state(tenant, ACCOUNT).await?;
        if account.number.is_none() {
            return Err(ApplicationError::AccountNotConnected);
        }
        for id in &new.tags {
            let unknown = ApplicationError::UnknownTag(*id);
            let Some(stream) = self.stream_at::<Tag>(tenant, id.0).await? else { return Err(unknown) };
            let tag: Tag = self.streams.state(tenant, &stream).await?;
            if !tag.exists || tag.id != *id {
                return Err(unknown);
            }
        }
        let mut seen = HashSet::new();
        let mut recipients: Vec<WaId> = new.recipients.into_iter().filter(|id| seen.insert(id.clone())).collect();
        let named = recipients.len();
        if !new.tags.is_empty() {
            let most = i64::try_from(MAX_RECIPIENTS + 1).unwrap_or(i64::MAX);
            let tagged = self.recipients.writable_with(tenant, &context.actor, &new.tags, most).await?;
            recipients.extend(tagged.into_iter().filter(|id| seen.insert(id.clone())));
        }
        if recipients.is_empty() {
            return Err(ApplicationError::NoRecipients);
        }
        if recipients.len() > MAX_RECIPIENTS {
            return Err(ApplicationError::TooManyRecipients(MAX_RECIPIENTS));
        }
        let (id, now) = (self.random.uuid(), self.clock.now());
        let created = BulkMessageCreated {
            id,
            sender: context.actor.user,
            recipients,
            named,
            tags: new.tags,
            kind: new.kind,
            content: new.content,
            payload: new.payload,
            fills: new.fills,
            timestamp: now.timestamp(),
        };
        let stream = id.to_string();
        let streams = [StreamOf::new::<BulkMessage>(&stream)];
        let done = self
            .streams
            .transact(tenant, &streams, &context.metadata(), now, |decisions| {
                decisions.decide::<BulkMessage>(&stream, BulkMessageCommand::Create(created.clone()))
            })
            .await?;
        self.settle(tenant, done.position()).await;
        Ok(created)
    }
}
