//! The history of a chat, a user or a tag, part by part.

use std::collections::BTreeSet;

use chatledger_domain::{AnyEvent, Position, TenantId};

use super::{Entry, Mentions, Names, actor_of};
use crate::{
    application::Application,
    error::ApplicationError,
    ports::audit::{Span, StoredEvent, Subject},
};

/// A part of a history.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// In the order in which they were recorded.
    pub entries: Vec<Entry>,
    /// The history is complete up to here. There is more to come until this is the end of the span.
    pub seen: Position,
}

/// Every stored name of an event, in order.
#[must_use]
pub fn kinds() -> BTreeSet<&'static str> {
    AnyEvent::schemas().into_iter().map(|(_, name, _, _)| name).collect()
}

/// The first of some names that no event has.
#[must_use]
pub fn unknown_kind(names: &[String]) -> Option<&str> {
    let known = kinds();
    names.iter().map(String::as_str).find(|name| !known.contains(name))
}

impl Application {
    /// The next part of a history: at most `limit` entries, after looking through the ledger `looks` times at most, each
    /// time a bounded part of it. So it may have fewer entries than `limit`, even none, while there is more to come.
    ///
    /// `names` remembers what was looked up, for the parts that follow.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn timeline(
        &self,
        tenant: TenantId,
        subject: &Subject,
        span: Span,
        kinds: &[String],
        (limit, looks): (i64, usize),
        names: &mut Names,
    ) -> Result<Timeline, ApplicationError> {
        let mut found: Vec<(StoredEvent, Mentions)> = Vec::new();
        let mut seen = span.after;
        for _ in 0..looks {
            let missing = limit - i64::try_from(found.len()).unwrap_or(limit);
            if missing <= 0 || seen >= span.through {
                break;
            }
            let rest = Span { after: seen, through: span.through };
            let page = self.audit_trail.events(tenant, subject, rest, kinds, missing).await?;
            seen = page.seen;
            found.extend(page.events.into_iter().filter_map(|stored| {
                let mentions = Mentions::of(&stored.payload);
                let is_taken = page.taken.contains(&stored.position);
                (is_taken || concerns(subject, &stored, &mentions)).then_some((stored, mentions))
            }));
        }
        let mut all = Mentions::default();
        for (stored, mentions) in &found {
            all.users.extend(mentions.users.iter().chain(&actor_of(stored)));
            all.groups.extend(&mentions.groups);
            all.tags.extend(&mentions.tags);
        }
        names.learn(&*self.audit_trail, tenant, &all).await?;
        let entries = found.into_iter().map(|(stored, mentions)| Entry::new(stored, mentions, names)).collect();
        Ok(Timeline { entries, seen })
    }
}

impl Names {
    /// Looks up what a subject is called.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn learn_subject(
        &mut self,
        application: &Application,
        tenant: TenantId,
        subject: &Subject,
    ) -> Result<(), ApplicationError> {
        let mut mentions = Mentions::default();
        match subject {
            Subject::Chat(_) => return Ok(()),
            Subject::User { id, .. } => mentions.users.extend([*id]),
            Subject::Tag { id, .. } => mentions.tags.extend([*id]),
        }
        Ok(self.learn(&*application.audit_trail, tenant, &mentions).await?)
    }
}

/// Whether an event is the subject's, by what it says itself.
fn concerns(subject: &Subject, stored: &StoredEvent, mentions: &Mentions) -> bool {
    let is_of = |aggregate: &str, stream: &str| stored.aggregate_type == aggregate && stored.aggregate_id == stream;
    match subject {
        Subject::Chat(_) => true,
        Subject::User { id, stream } => {
            is_of("User", stream) || mentions.users.contains(id) || actor_of(stored) == Some(*id)
        }
        Subject::Tag { id, stream } => is_of("Tag", stream) || mentions.tags.contains(id),
    }
}
