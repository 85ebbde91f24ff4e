//! What users, groups and tags were called at a position of the ledger.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
};

use chatledger_domain::{
    AnyEvent, GroupId, Position, TagId, TenantId, UserId, group::GroupEvent, tag::TagEvent, user::UserEvent,
};

use super::Mentions;
use crate::ports::{
    Unavailable,
    audit::{AuditTrail, NameKind, StoredEvent},
};

/// A user, group or tag with the name that it had at the time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// Its id, as on the wire.
    pub id: i64,
    /// Its name at the time; `None` where the ledger tells none.
    pub name: Option<String>,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (#{})", self.id),
            None => write!(f, "#{}", self.id),
        }
    }
}

/// A name from a position on; for tags with the colour.
#[derive(Clone, Debug)]
struct Since {
    position: Position,
    name: String,
    color: Option<String>,
    /// Whether it was deleted then, and the name free for others.
    is_gone: bool,
}

/// The names of some users, groups and tags, with their whole past.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: HashMap<(NameKind, i64), Vec<Since>>,
    asked: HashSet<(NameKind, i64)>,
}

impl Names {
    /// What a user was called right after a position.
    #[must_use]
    pub fn user(&self, id: UserId, at: Position) -> Label {
        self.label(NameKind::User, id.0, at)
    }

    /// What a group was called right after a position.
    #[must_use]
    pub fn group(&self, id: GroupId, at: Position) -> Label {
        self.label(NameKind::Group, id.0, at)
    }

    /// What a tag was called right after a position.
    #[must_use]
    pub fn tag(&self, id: TagId, at: Position) -> Label {
        self.label(NameKind::Tag, id.0, at)
    }

    /// A tag's colour right after a position.
    #[must_use]
    pub fn color(&self, id: TagId, at: Position) -> Option<&str> {
        self.since(NameKind::Tag, id.0, at)?.color.as_deref()
    }

    fn label(&self, kind: NameKind, id: i64, at: Position) -> Label {
        Label { id, name: self.since(kind, id, at).map(|since| since.name.clone()) }
    }

    fn since(&self, kind: NameKind, id: i64, at: Position) -> Option<&Since> {
        let past = self.known.get(&(kind, id))?;
        past.iter().rev().find(|since| since.position <= at)
    }

    /// Whoever of a kind has a name, without regard to case, and whoever only had it.
    pub(super) fn called(&self, kind: NameKind, name: &str) -> (Vec<i64>, Vec<i64>) {
        let name = name.to_lowercase();
        let (mut have, mut had) = (Vec::new(), Vec::new());
        for ((_, id), past) in self.known.iter().filter(|((of, _), _)| *of == kind) {
            let is_it = |since: &Since| since.name.to_lowercase() == name;
            if past.last().is_some_and(|now| is_it(now) && !now.is_gone) {
                have.push(*id);
            } else if past.iter().any(is_it) {
                had.push(*id);
            }
        }
        have.sort_unstable();
        had.sort_unstable();
        (have, had)
    }

    /// Looks up whoever some events name and is not known yet.
    pub(super) async fn learn(
        &mut self,
        trail: &dyn AuditTrail,
        tenant: TenantId,
        mentions: &Mentions,
    ) -> Result<(), Unavailable> {
        let of = [
            (NameKind::User, mentions.users.iter().map(|id| id.0).collect::<BTreeSet<_>>()),
            (NameKind::Group, mentions.groups.iter().map(|id| id.0).collect()),
            (NameKind::Tag, mentions.tags.iter().map(|id| id.0).collect()),
        ];
        for (kind, ids) in of {
            let new: Vec<i64> = ids.into_iter().filter(|id| self.asked.insert((kind, *id))).collect();
            if !new.is_empty() {
                self.add(kind, &trail.names(tenant, kind, &new).await?);
            }
        }
        Ok(())
    }

    /// Takes over the events that gave names, in order.
    pub(super) fn add(&mut self, kind: NameKind, events: &[StoredEvent]) {
        // The id is the position of a stream's first event.
        let mut ids: HashMap<&str, i64> = HashMap::new();
        for stored in events {
            let id = *ids.entry(&stored.aggregate_id).or_insert(stored.position.0);
            if let Some(since) = named(stored) {
                self.known.entry((kind, id)).or_default().push(since);
            }
        }
    }
}

/// The name that an event gave or took.
fn named(stored: &StoredEvent) -> Option<Since> {
    let since = |name: String, color: Option<String>, is_gone: bool| {
        Some(Since { position: stored.position, name, color, is_gone })
    };
    match super::entry::read(stored)? {
        AnyEvent::User(UserEvent::UserCreated(e)) => since(e.username, None, false),
        AnyEvent::User(UserEvent::UserDetailsChanged(e)) => since(e.username, None, false),
        AnyEvent::Group(GroupEvent::GroupCreated(e)) => since(e.name, None, false),
        AnyEvent::Group(GroupEvent::GroupRenamed(e)) => since(e.name, None, false),
        AnyEvent::Group(GroupEvent::GroupDeleted(e)) => since(e.name, None, true),
        AnyEvent::Tag(TagEvent::TagCreated(e)) => since(e.name, e.web_inbox_color, false),
        AnyEvent::Tag(TagEvent::TagChanged(e)) => since(e.name, e.web_inbox_color, false),
        AnyEvent::Tag(TagEvent::TagDeleted(e)) => since(e.name, None, true),
        _ => None,
    }
}
