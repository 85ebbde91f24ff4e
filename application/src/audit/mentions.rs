//! Whom and what a payload names: users, groups and tags, by id. Also of events that this program cannot read.

use std::collections::BTreeSet;

use chatledger_domain::{GroupId, TagId, UserId, rule_engine::Target};
use serde::Deserialize;

use crate::ports::audit::NameKind;

/// Whom and what an event names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Who did it, where the payload says so.
    pub done_by: Option<UserId>,
    /// All users that it names, whoever did it included.
    pub users: BTreeSet<UserId>,
    /// All groups.
    pub groups: BTreeSet<GroupId>,
    /// All tags.
    pub tags: BTreeSet<TagId>,
}

/// The fields of payloads in which an id stands. A test holds this list to the schemas of the events.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    done_by: Option<UserId>,
    sender: Option<UserId>,
    user: Option<UserId>,
    user_set: Option<UserId>,
    to: Vec<UserId>,
    group_set: Option<GroupId>,
    groups: Vec<GroupId>,
    tag: Option<TagField>,
    tags: Vec<TagId>,
    tagged_with: Option<TagId>,
    target: Option<Target>,
    origin: Option<Origin>,
}

#[derive(Deserialize)]
struct TagField {
    id: TagId,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Origin {
    by: Option<UserId>,
}

impl Mentions {
    /// What a payload names; nothing where it is not what it should be.
    #[must_use]
    pub fn of(payload: &str) -> Self {
        let fields: Fields = serde_json::from_str(payload).unwrap_or_default();
        let uploader = fields.origin.and_then(|origin| origin.by);
        let (target_user, target_group) = match fields.target {
            Some(Target::User(user)) => (Some(user), None),
            Some(Target::Group { id, .. }) => (None, Some(id)),
            None => (None, None),
        };
        let done_by = fields.done_by.or(fields.sender).or(uploader);
        let users = [done_by, fields.user, fields.user_set, target_user];
        let groups = [fields.group_set, target_group];
        let tags = [fields.tag.map(|tag| tag.id), fields.tagged_with];
        Self {
            done_by,
            users: users.into_iter().flatten().chain(fields.to).collect(),
            groups: groups.into_iter().flatten().chain(fields.groups).collect(),
            tags: tags.into_iter().flatten().chain(fields.tags).collect(),
        }
    }
}

/// The stored names of the events whose payload can name a user, a group or a tag, so that a reader of the ledger need
/// not look into the others.
#[must_use]
pub fn events_naming(kind: NameKind) -> &'static [&'static str] {
    match kind {
        NameKind::User => &[
            "AdminJoined",
            "AdminLeft",
            "ApiTokenIssued",
            "ApiTokenRevoked",
            "BulkMessageCreated",
            "BusinessProfileChanged",
            "ChatAssigned",
            "ChatReopened",
            "ChatResolved",
            "ChatTagged",
            "ChatUntagged",
            "ContactErased",
            "ContactUpserted",
            "ConversationClosed",
            "GroupCreated",
            "GroupDeleted",
            "GroupMemberPicked",
            "GroupPermissionsChanged",
            "GroupRenamed",
            "MediaStored",
            "MessageQueued",
            "MessageTagged",
            "MessageUntagged",
            "MessagesDelivered",
            "MessagesMarkedAsReceived",
            "OptInChanged",
            "PasswordChanged",
            "ProfilePhotoChanged",
            "ProfilePhotoRemoved",
            "RuleAdded",
            "RuleChanged",
            "RuleDeleted",
            "RuleEngineConfigured",
            "SavedResponseCreated",
            "SavedResponseDeleted",
            "TagChanged",
            "TagCreated",
            "TagDeleted",
            "TemplateCreated",
            "TemplateDeleted",
            "TenantSettingsChanged",
            "UserAvailabilityChanged",
            "UserCreated",
            "UserDeactivated",
            "UserDetailsChanged",
            "UserGroupsChanged",
            "UserPermissionsChanged",
            "WebhookChanged",
            "WebhookDeleted",
            "WebhookEnabled",
            "WebhookRegistered",
        ],
        NameKind::Group => &["ChatAssigned", "RuleAdded", "RuleChanged", "UserCreated", "UserGroupsChanged"],
        NameKind::Tag => &[
            "BulkMessageCreated",
            "ChatTagged",
            "ChatUntagged",
            "MessageTagged",
            "MessageUntagged",
            "RuleAdded",
            "RuleChanged",
        ],
    }
}

#[cfg(test)]
mod tests;
