//! Tags and untags chats and messages.

use std::sync::Arc;

use chatledger_domain::{
    Actor, AnyEvent, MessageId, Position, RawJson, TagId, TaggingId, TenantId, UserId, WaId,
    chat::{Chat, ChatCommand, ChatEvent, TagAsItWas},
    tag::Tag,
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::{
        ledger::{Metadata, Recorded},
        read_models::MessageRef,
    },
    streams::{Done, StreamOf},
};

/// A tagging as it was recorded.
pub(crate) struct Tagging {
    wa_id: String,
    id: TaggingId,
    /// The message by our id and WhatsApp's; `None` when the chat itself is tagged.
    message: Option<(MessageId, Option<String>)>,
    tag: TagAsItWas,
    pub(crate) extra: Option<RawJson>,
}

impl Application {
    /// Tags a chat; the id of the tagging (R-TAG-*).
    ///
    /// # Errors
    /// The rule that was broken.
    pub async fn tag_chat(
        &self,
        context: &Context,
        wa_id: &WaId,
        tag: TagId,
        extra: Option<RawJson>,
    ) -> Result<TaggingId, ApplicationError> {
        check_tags_allowed(context)?;
        let (tag, now) = (self.tag_as_it_is(context, tag).await?, self.clock.now());
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let (actor, tag, extra) = (context.actor.clone(), tag.clone(), extra.clone());
                let command = ChatCommand::TagChat { actor, tag, extra, now: now.timestamp() };
                decisions.decide::<Chat>(wa_id.as_str(), command)
            })
            .await?;
        self.tagging_of(context, &done).await
    }

    /// Tags a message, and its chat with it (R-TAG-1); the id of the message's tagging.
    ///
    /// # Errors
    /// The rule that was broken.
    pub async fn tag_message(
        &self,
        context: &Context,
        message: &str,
        tag: TagId,
        extra: Option<RawJson>,
    ) -> Result<TaggingId, ApplicationError> {
        check_tags_allowed(context)?;
        let MessageRef { wa_id, message_id, waba_id } = self.message(context, message).await?;
        let (tag, now) = (self.tag_as_it_is(context, tag).await?, self.clock.now());
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let (actor, tag, extra) = (context.actor.clone(), tag.clone(), extra.clone());
                let (waba_id, now) = (waba_id.clone(), now.timestamp());
                let command = ChatCommand::TagMessage { actor, message_id, waba_id, tag, extra, now };
                decisions.decide::<Chat>(wa_id.as_str(), command)
            })
            .await
            .map_err(|error| match error {
                // The pair is claimed: this message carries the tag (R-TAG-3).
                ApplicationError::NameTaken => ApplicationError::AlreadyTagged,
                ApplicationError::UnknownChat => ApplicationError::UnknownMessage(message.to_owned()),
                other => other,
            })?;
        self.tagging_of(context, &done).await
    }

    /// Removes a chat's tagging.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTagging`] when there is none, or the caller may not read its chat.
    pub async fn untag_chat(&self, context: &Context, id: TaggingId) -> Result<(), ApplicationError> {
        self.untag_as(context, id, false).await
    }

    /// Removes a message's tagging; the chat's stays (R-TAG-5).
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTagging`] when there is none, or the caller may not read its chat.
    pub async fn untag_message(&self, context: &Context, id: TaggingId) -> Result<(), ApplicationError> {
        self.untag_as(context, id, true).await
    }

    async fn untag_as(&self, context: &Context, id: TaggingId, of_message: bool) -> Result<(), ApplicationError> {
        let tagging = self.tagging_at(context.tenant, id, of_message).await?.ok_or(ApplicationError::UnknownTagging)?;
        let by = Remover { actor: Some(context.actor.clone()), done_by: Some(context.actor.user) };
        let position = self.remove_tagging(context.tenant, &tagging, by, &context.metadata()).await?;
        self.settle(context.tenant, Some(position)).await;
        Ok(())
    }

    pub(crate) async fn tagging_at(
        &self,
        tenant: TenantId,
        id: TaggingId,
        of_message: bool,
    ) -> Result<Option<Tagging>, ApplicationError> {
        if id.0 < 1 {
            return Ok(None);
        }
        let found = self.ledger.at(tenant, Position(id.0)).await?;
        let found = found.and_then(Tagging::read).filter(|tagging| tagging.message.is_some() == of_message);
        let Some(mut tagging) = found else { return Ok(None) };
        // The history of its removal shows the tag as it is by then (R-TAG-6), not as it was when it was put on.
        if let Some(tag) = self.tag(tenant, tagging.tag.id).await? {
            tagging.tag = as_it_is(tag);
        }
        Ok(Some(tagging))
    }

    pub(crate) async fn remove_tagging(
        &self,
        tenant: TenantId,
        tagging: &Tagging,
        by: Remover,
        metadata: &Arc<Metadata>,
    ) -> Result<Position, ApplicationError> {
        let now = self.clock.now();
        let streams = [StreamOf::new::<Chat>(&tagging.wa_id)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, now, |decisions| {
                decisions.decide::<Chat>(&tagging.wa_id, tagging.removal(&by, now.timestamp()))
            })
            .await
            .map_err(|error| match error {
                ApplicationError::UnknownChat => ApplicationError::UnknownTagging,
                other => other,
            })?;
        // Nothing recorded: this very tagging was removed before.
        done.position().ok_or(ApplicationError::UnknownTagging)
    }

    async fn tagging_of(&self, context: &Context, done: &Done<usize>) -> Result<TaggingId, ApplicationError> {
        self.settle(context.tenant, done.position()).await;
        let first = done.recorded.first().ok_or(ApplicationError::AlreadyTagged)?;
        Ok(TaggingId(first.position.0))
    }

    async fn tag_as_it_is(&self, context: &Context, id: TagId) -> Result<TagAsItWas, ApplicationError> {
        self.existing_tag(context.tenant, id).await?.ok_or(ApplicationError::UnknownTag(id))
    }

    /// A tag, unless it was deleted.
    pub(crate) async fn existing_tag(
        &self,
        tenant: TenantId,
        id: TagId,
    ) -> Result<Option<TagAsItWas>, ApplicationError> {
        Ok(self.tag(tenant, id).await?.filter(|tag| tag.exists).map(as_it_is))
    }

    /// A tag, also one that was deleted.
    async fn tag(&self, tenant: TenantId, id: TagId) -> Result<Option<Tag>, ApplicationError> {
        let Some(stream) = self.stream_at::<Tag>(tenant, id.0).await? else { return Ok(None) };
        let tag: Tag = self.streams.state(tenant, &stream).await?;
        Ok(Some(tag).filter(|tag| tag.id == id))
    }

    async fn message(&self, context: &Context, id: &str) -> Result<MessageRef, ApplicationError> {
        if let Some(found) = self.read_models.message(context.tenant, id).await? {
            return Ok(found);
        }
        // It may have been recorded a moment ago: look again once the read models have caught up.
        let head = self.ledger.head(context.tenant).await?;
        self.settle(context.tenant, Some(head)).await;
        let found = self.read_models.message(context.tenant, id).await?;
        found.ok_or_else(|| ApplicationError::UnknownMessage(id.to_owned()))
    }
}

fn as_it_is(tag: Tag) -> TagAsItWas {
    TagAsItWas { id: tag.id, name: tag.name, web_inbox_color: tag.web_inbox_color }
}

/// Before anything is looked up, so that the answer does not tell what exists (R-PERM-10).
fn check_tags_allowed(context: &Context) -> Result<(), ApplicationError> {
    if context.actor.permissions.can_use_tags { Ok(()) } else { Err(ApplicationError::TagsNotAllowed) }
}

/// Who removes a tagging, and who is named in the history.
pub(crate) struct Remover {
    pub(crate) actor: Option<Actor>,
    pub(crate) done_by: Option<UserId>,
}

impl Tagging {
    fn read(recorded: Recorded) -> Option<Self> {
        let (message, tag, extra) = match recorded.event {
            AnyEvent::Chat(ChatEvent::MessageTagged(e)) => (Some((e.message_id, e.waba_id)), e.tag, e.extra),
            AnyEvent::Chat(ChatEvent::ChatTagged(e)) => (None, e.tag, e.extra),
            _ => return None,
        };
        let (wa_id, id) = (recorded.stream.aggregate_id, TaggingId(recorded.position.0));
        Some(Self { wa_id, id, message, tag, extra })
    }

    fn removal(&self, by: &Remover, now: i64) -> ChatCommand {
        let (actor, done_by, tagging_id) = (by.actor.clone(), by.done_by, self.id);
        let (tag, extra) = (self.tag.clone(), self.extra.clone());
        match self.message.clone() {
            Some((message_id, waba_id)) => {
                ChatCommand::UntagMessage { actor, done_by, tagging_id, message_id, waba_id, tag, extra, now }
            }
            None => ChatCommand::UntagChat { actor, done_by, tagging_id, tag, extra, now },
        }
    }
}
