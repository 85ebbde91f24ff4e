//! Words for what happens to users, groups, admins and contacts.

use chatledger_domain::{
    admins::AdminsEvent,
    contact::{ContactEvent, OptIn},
    group::GroupEvent,
    permission::{Overrides, Permissions},
    user::UserEvent,
};

use super::{Speaker, count, quoted, time};

impl Speaker<'_> {
    pub(super) fn of_user(&self, event: &UserEvent) -> String {
        match event {
            UserEvent::UserCreated(e) => format!(
                "created the user {} with the role {}, in {}",
                quoted(&e.username),
                e.role.as_str(),
                self.groups(&e.groups)
            ),
            UserEvent::UserActivated(_) => "the user was activated".to_owned(),
            UserEvent::PasswordChanged(_) => "set the user's password".to_owned(),
            UserEvent::TokenIssued(_) => "the user's token was issued".to_owned(),
            UserEvent::RefreshTokenIssued(e) => {
                format!("made a refresh token for the user, good until {}", time(e.expires_at))
            }
            UserEvent::UserDetailsChanged(e) if e.username == e.previous_username => {
                format!("changed the names or address of the user {}", quoted(&e.username))
            }
            UserEvent::UserDetailsChanged(e) => {
                format!("renamed the user {} to {}", quoted(&e.previous_username), quoted(&e.username))
            }
            UserEvent::UserPermissionsChanged(e) => format!("set the user's own permissions: {}", own(e.overrides)),
            UserEvent::UserGroupsChanged(e) => {
                format!("moved the user to {} with the role {}", self.groups(&e.groups), e.role.as_str())
            }
            UserEvent::AvailabilityChanged(e) if e.is_available => "the user takes chats from now on".to_owned(),
            UserEvent::AvailabilityChanged(_) => "the user takes no more chats".to_owned(),
            UserEvent::UserDeactivated(_) => "ended the user's access".to_owned(),
        }
    }

    pub(super) fn of_group(&self, event: &GroupEvent) -> String {
        match event {
            GroupEvent::GroupCreated(e) => {
                format!("created the group {}: {}", quoted(&e.name), permissions(e.permissions))
            }
            GroupEvent::GroupRenamed(e) => {
                format!("renamed the group {} to {}", quoted(&e.previous_name), quoted(&e.name))
            }
            GroupEvent::GroupDeleted(e) => format!("deleted the group {}", quoted(&e.name)),
            GroupEvent::GroupPermissionsChanged(e) => {
                format!("set what the group's members may do: {}", permissions(e.permissions))
            }
            GroupEvent::GroupMemberPicked(e) => {
                format!("it was the turn of {}, because of position {}", self.user(e.user), e.trigger)
            }
        }
    }

    pub(super) fn admins(&self, event: &AdminsEvent) -> String {
        match event {
            AdminsEvent::AdminJoined(e) => format!("{} became an active admin", self.user(e.user)),
            AdminsEvent::AdminLeft(e) => format!("{} ceased to be an active admin", self.user(e.user)),
        }
    }

    pub(super) fn contact(&self, event: &ContactEvent) -> String {
        match event {
            ContactEvent::ContactProfileSeen(e) => match &e.name {
                Some(name) => format!("WhatsApp showed the customer's name {}", quoted(name)),
                None => "WhatsApp showed the customer without a name".to_owned(),
            },
            ContactEvent::OptInChanged(e) => {
                let wish = match e.status {
                    OptIn::OptedIn => "the customer wishes to hear from us",
                    OptIn::OptedOut => "the customer wants no messages",
                };
                match &e.keyword {
                    Some(keyword) => format!("{wish}: it wrote {}", quoted(keyword)),
                    None if e.source.is_empty() => wish.to_owned(),
                    None => format!("{wish}, by {}", quoted(&e.source)),
                }
            }
            ContactEvent::ContactErased(e) => {
                format!("forgot the customer: the content of {} events was erased", e.events)
            }
            ContactEvent::ContactUpserted(e) => format!(
                "saved the contact {} with {} and {}",
                e.name.as_deref().map_or_else(|| "without a name".to_owned(), |name| format!("as {}", quoted(name))),
                count(e.phone_numbers.len(), "phone number", "phone numbers"),
                count(e.email_addresses.len(), "email address", "email addresses"),
            ),
        }
    }
}

fn permissions(granted: Permissions) -> String {
    format!(
        "tags {}, read {}, write {}",
        if granted.can_use_tags { "yes" } else { "no" },
        granted.can_read_chats.as_str(),
        granted.can_write_to_chats.as_str()
    )
}

fn own(overrides: Overrides) -> String {
    let mut set = Vec::new();
    if let Some(tags) = overrides.can_use_tags {
        set.push(format!("tags {}", if tags { "yes" } else { "no" }));
    }
    if let Some(read) = overrides.can_read_chats {
        set.push(format!("read {}", read.as_str()));
    }
    if let Some(write) = overrides.can_write_to_chats {
        set.push(format!("write {}", write.as_str()));
    }
    if set.is_empty() { "none, the groups decide".to_owned() } else { set.join(", ") }
}
