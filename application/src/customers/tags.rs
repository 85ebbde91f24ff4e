//! Puts tags on a customer and takes them off, by their names (R-CUS-3, R-TAG-11).
//!
//! A customer's tags are its chat's. All changes of one call are one append; only tags that do not exist yet are created
//! before it, because a tag's id is its place in the ledger. Cut short between the two, a tag is there that nobody carries.

use std::collections::{HashMap, HashSet};

use chatledger_domain::{
    RawJson, TagId, TaggingId, TenantId, WaId,
    chat::{Chat, ChatCommand, TagAsItWas},
    contact::Contact,
};

use super::may_know;
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

/// How often it is tried anew when somebody else changes the same tags.
const ATTEMPTS: usize = 5;

/// What is wrong with names of tags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagProblem {
    /// One to be put on has no name.
    #[error("a tag without a name is to be added")]
    EmptyAdded,
    /// One to be taken off has none.
    #[error("a tag without a name is to be removed")]
    EmptyRemoved,
    /// To be put on and taken off.
    #[error("the tag {0} is to be added and removed")]
    Both(String),
}

/// Names of tags to be put on and taken off, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerTags {
    add: Vec<String>,
    remove: Vec<String>,
}

impl CustomerTags {
    /// Names as they were given; those that differ in case alone are one (R-TAG-9).
    ///
    /// # Errors
    /// The first name that cannot be meant.
    pub fn of(add: &[String], remove: &[String]) -> Result<Self, TagProblem> {
        let add = names(add).ok_or(TagProblem::EmptyAdded)?;
        let remove = names(remove).ok_or(TagProblem::EmptyRemoved)?;
        let taken_off: HashSet<String> = remove.iter().map(|name| name.to_lowercase()).collect();
        match add.iter().find(|name| taken_off.contains(&name.to_lowercase())) {
            Some(name) => Err(TagProblem::Both(name.clone())),
            None => Ok(Self { add, remove }),
        }
    }
}

/// Trimmed, each once; `None` where one is empty.
fn names(given: &[String]) -> Option<Vec<String>> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for name in given.iter().map(|name| name.trim()) {
        if name.is_empty() {
            return None;
        }
        if seen.insert(name.to_lowercase()) {
            names.push(name.to_owned());
        }
    }
    Some(names)
}

/// A tagging to be ended, with what is kept with it.
struct Ending {
    tag: TagAsItWas,
    tagging: TaggingId,
    extra: Option<RawJson>,
}

impl Application {
    /// Changes a customer's tags. What it carries already is not put on again, and what it does not carry is not taken
    /// off: neither is an event.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownContact`], also for one that the caller may not know of; `NoChatYet` for one that was
    /// only saved; `TagsNotAllowed`.
    pub async fn change_customer_tags(
        &self,
        context: &Context,
        wa_id: &WaId,
        tags: &CustomerTags,
    ) -> Result<(), ApplicationError> {
        self.check_taggable(context, wa_id).await?;
        let mut added = Vec::with_capacity(tags.add.len());
        for name in &tags.add {
            added.push(self.tag_named(context, name).await?);
        }
        for _ in 0..ATTEMPTS {
            let ended = self.endings(context.tenant, wa_id, &tags.remove).await?;
            match self.retag(context, wa_id, &added, &ended).await {
                // Taken off and perhaps put on again since we looked.
                Err(ApplicationError::UnknownTagging) => {}
                other => return other,
            }
        }
        Err(ApplicationError::Conflict)
    }

    /// Before any tag is created for it.
    async fn check_taggable(&self, context: &Context, wa_id: &WaId) -> Result<(), ApplicationError> {
        let chat: Chat = self.streams.state(context.tenant, wa_id.as_str()).await?;
        let known = chat.exists || self.streams.state::<Contact>(context.tenant, wa_id.as_str()).await?.is_known();
        if !known || !may_know(&context.actor, &chat) {
            return Err(ApplicationError::UnknownContact);
        }
        if !context.actor.permissions.can_use_tags {
            return Err(ApplicationError::TagsNotAllowed);
        }
        if chat.exists { Ok(()) } else { Err(ApplicationError::NoChatYet) }
    }

    async fn retag(
        &self,
        context: &Context,
        wa_id: &WaId,
        added: &[TagAsItWas],
        ended: &[Ending],
    ) -> Result<(), ApplicationError> {
        let (id, now) = (wa_id.as_str(), self.clock.now());
        let streams = [StreamOf::new::<Chat>(id)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                let (actor, now) = (&context.actor, now.timestamp());
                for Ending { tag, tagging, extra } in ended {
                    let (actor, done_by) = (Some(actor.clone()), Some(actor.user));
                    let (tag, extra, tagging_id) = (tag.clone(), extra.clone(), *tagging);
                    decisions
                        .decide::<Chat>(id, ChatCommand::UntagChat { actor, done_by, tagging_id, tag, extra, now })?;
                }
                for tag in added {
                    if !decisions.state::<Chat>(id).tags.contains_key(&tag.id) {
                        let (actor, tag) = (actor.clone(), tag.clone());
                        decisions.decide::<Chat>(id, ChatCommand::TagChat { actor, tag, extra: None, now })?;
                    }
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        self.settle_all(context.tenant, done.position()).await?;
        Ok(())
    }

    /// The chat's taggings with tags of these names, as they are now.
    async fn endings(&self, tenant: TenantId, wa_id: &WaId, names: &[String]) -> Result<Vec<Ending>, ApplicationError> {
        let mut wanted: HashMap<TagId, TagAsItWas> = HashMap::new();
        for name in names {
            if let Some(tag) = self.find_tag(tenant, name).await? {
                wanted.insert(tag.id, tag);
            }
        }
        let mut endings = Vec::new();
        if wanted.is_empty() {
            return Ok(endings);
        }
        let chat: Chat = self.streams.state(tenant, wa_id.as_str()).await?;
        for (id, tagging) in chat.tags {
            let Some(tag) = wanted.remove(&id) else { continue };
            let extra = self.tagging_at(tenant, tagging, false).await?.and_then(|tagging| tagging.extra);
            endings.push(Ending { tag, tagging, extra });
        }
        Ok(endings)
    }

    /// The tag of this name, created where there is none.
    async fn tag_named(&self, context: &Context, name: &str) -> Result<TagAsItWas, ApplicationError> {
        for _ in 0..ATTEMPTS {
            if let Some(found) = self.find_tag(context.tenant, name).await? {
                return Ok(found);
            }
            match self.create_tag(context, name.to_owned(), None).await {
                Ok(id) => return Ok(TagAsItWas { id, name: name.to_owned(), web_inbox_color: None }),
                // Somebody else has just created it, and the list does not show it yet.
                Err(ApplicationError::NameTaken) => {
                    let head = self.ledger.head(context.tenant).await?;
                    self.settle(context.tenant, Some(head)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(ApplicationError::Conflict)
    }

    async fn find_tag(&self, tenant: TenantId, name: &str) -> Result<Option<TagAsItWas>, ApplicationError> {
        let Some(id) = self.read_models.tag_by_name(tenant, name).await? else { return Ok(None) };
        // The list may show one that is being deleted or renamed at this moment.
        match self.existing_tag(tenant, id).await? {
            Some(tag) if tag.name.to_lowercase() == name.to_lowercase() => Ok(Some(tag)),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(add: &[&str], remove: &[&str]) -> Result<CustomerTags, TagProblem> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        CustomerTags::of(&owned(add), &owned(remove))
    }

    #[test]
    fn r_cus_3_names_are_trimmed_and_each_is_meant_once() {
        let tags = of(&[" VIP ", "vip", "new"], &["Old"]).unwrap();
        assert_eq!(
            (tags.add.as_slice(), tags.remove.as_slice()),
            (&["VIP".into(), "new".into()][..], &["Old".into()][..])
        );
        assert_eq!(of(&["a"], &[" "]), Err(TagProblem::EmptyRemoved));
        assert_eq!(of(&[""], &[]), Err(TagProblem::EmptyAdded));
        assert_eq!(of(&["Ä"], &["ä "]), Err(TagProblem::Both("Ä".into())));
    }
}
