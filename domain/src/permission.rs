//! Who may read, write and tag (R-PERM-*).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, UserId};

/// A user's role, decided by the built-in group it is in (R-PERM-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// No restrictions.
    Admin,
    /// A person.
    User,
    /// A program.
    App,
}

impl Role {
    /// All roles, in the order in which their built-in groups are created.
    pub const ALL: [Self; 3] = [Self::Admin, Self::User, Self::App];

    /// The name of the built-in group that gives this role.
    #[must_use]
    pub fn group_name(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::User => "Regular user",
            Self::App => "App integration",
        }
    }

    /// The role's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::App => "app",
        }
    }

    /// What a new built-in group of this role allows (R-PERM-3).
    #[must_use]
    pub fn default_permissions(self) -> Permissions {
        match self {
            Self::Admin => Permissions::ADMIN,
            Self::User => {
                Permissions { can_use_tags: true, can_read_chats: Scope::All, can_write_to_chats: Scope::User }
            }
            Self::App => {
                Permissions { can_use_tags: true, can_read_chats: Scope::User, can_write_to_chats: Scope::User }
            }
        }
    }
}

/// Which chats a permission covers, from least to most (R-PERM-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// No chat at all.
    #[default]
    None,
    /// Chats assigned to the user.
    User,
    /// Chats assigned to the user or to one of its groups.
    Group,
    /// Every chat.
    All,
}

impl Scope {
    /// The scope's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::User => "user",
            Self::Group => "group",
            Self::All => "all",
        }
    }
}

/// What a group allows, or what a user may do in effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Permissions {
    /// May create tags, tag and untag.
    pub can_use_tags: bool,
    /// Which chats may be read.
    pub can_read_chats: Scope,
    /// Which chats may be written to.
    pub can_write_to_chats: Scope,
}

impl Permissions {
    /// What every admin may do; cannot be lowered (R-PERM-2).
    pub const ADMIN: Self = Self { can_use_tags: true, can_read_chats: Scope::All, can_write_to_chats: Scope::All };

    /// The more permissive of each (R-PERM-4).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            can_use_tags: self.can_use_tags || other.can_use_tags,
            can_read_chats: self.can_read_chats.max(other.can_read_chats),
            can_write_to_chats: self.can_write_to_chats.max(other.can_write_to_chats),
        }
    }

    /// A user's effective permissions: its own settings, else the most permissive of its groups (R-PERM-2, R-PERM-4).
    #[must_use]
    pub fn effective(role: Role, own: Overrides, groups: impl IntoIterator<Item = Self>) -> Self {
        if role == Role::Admin {
            return Self::ADMIN;
        }
        let merged = groups.into_iter().fold(Self::default(), Self::merge);
        Self {
            can_use_tags: own.can_use_tags.unwrap_or(merged.can_use_tags),
            can_read_chats: own.can_read_chats.unwrap_or(merged.can_read_chats),
            can_write_to_chats: own.can_write_to_chats.unwrap_or(merged.can_write_to_chats),
        }
    }
}

/// A user's own settings; what is absent follows from its groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overrides {
    /// See [`Permissions::can_use_tags`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_use_tags: Option<bool>,
    /// See [`Permissions::can_read_chats`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_read_chats: Option<Scope>,
    /// See [`Permissions::can_write_to_chats`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_write_to_chats: Option<Scope>,
}

impl Overrides {
    /// What becomes of them when some are set. A value that is in effect already is no change, so that whoever sends
    /// back what was read sets nothing; nor can admins be lowered, for whom nothing is kept.
    ///
    /// # Errors
    /// When a value would lower an admin.
    pub fn set(self, wish: PermissionsWish, role: Role, in_effect: Permissions) -> Result<Self, LowersAdmin> {
        let before = in_effect;
        let set = Self {
            can_use_tags: part(self.can_use_tags, wish.can_use_tags, before.can_use_tags),
            can_read_chats: part(self.can_read_chats, wish.can_read_chats, before.can_read_chats),
            can_write_to_chats: part(self.can_write_to_chats, wish.can_write_to_chats, before.can_write_to_chats),
        };
        if role != Role::Admin {
            return Ok(set);
        }
        let lowers = (set.can_use_tags != self.can_use_tags && set.can_use_tags == Some(false))
            || (set.can_read_chats != self.can_read_chats
                && set.can_read_chats.is_some_and(|scope| scope != Scope::All))
            || (set.can_write_to_chats != self.can_write_to_chats
                && set.can_write_to_chats.is_some_and(|scope| scope != Scope::All));
        if lowers { Err(LowersAdmin) } else { Ok(self) }
    }
}

fn part<T: Copy + PartialEq>(own: Option<T>, wish: Wish<T>, in_effect: T) -> Option<T> {
    match wish {
        Wish::Unchanged => own,
        Wish::Inherit => None,
        Wish::Set(value) if value == in_effect => own,
        Wish::Set(value) => Some(value),
    }
}

/// An admin's permissions cannot be lowered (R-PERM-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permissions of admins cannot be lowered")]
pub struct LowersAdmin;

/// What is wished of one permission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish<T> {
    /// Nothing.
    #[default]
    Unchanged,
    /// That the groups decide.
    Inherit,
    /// This.
    Set(T),
}

impl<T> Wish<T> {
    /// The wished value, else another.
    pub fn or(self, other: T) -> T {
        match self {
            Self::Set(value) => value,
            Self::Unchanged | Self::Inherit => other,
        }
    }
}

/// What is wished of a user's or group's permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionsWish {
    /// See [`Permissions::can_use_tags`].
    pub can_use_tags: Wish<bool>,
    /// See [`Permissions::can_read_chats`].
    pub can_read_chats: Wish<Scope>,
    /// See [`Permissions::can_write_to_chats`].
    pub can_write_to_chats: Wish<Scope>,
}

impl PermissionsWish {
    /// A group's permissions with what is wished of them; a group inherits from nobody.
    #[must_use]
    pub fn of(self, group: Permissions) -> Permissions {
        Permissions {
            can_use_tags: self.can_use_tags.or(group.can_use_tags),
            can_read_chats: self.can_read_chats.or(group.can_read_chats),
            can_write_to_chats: self.can_write_to_chats.or(group.can_write_to_chats),
        }
    }
}

/// Who a chat is assigned to, each independently of the other (R-ASG-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assignment {
    /// The assigned user.
    pub user: Option<UserId>,
    /// The assigned group.
    pub group: Option<GroupId>,
}

/// The user who asks for something, with what it may do at this moment (R-PERM-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user.
    pub user: UserId,
    /// Its role.
    pub role: Role,
    /// The groups it is a member of.
    pub groups: BTreeSet<GroupId>,
    /// Its effective permissions.
    pub permissions: Permissions,
}

impl Actor {
    /// Whether the actor is an admin.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether the actor may read a chat with this assignment.
    #[must_use]
    pub fn may_read(&self, assignment: Assignment) -> bool {
        self.covers(self.permissions.can_read_chats, assignment)
    }

    /// Whether the actor may write to a chat with this assignment.
    #[must_use]
    pub fn may_write(&self, assignment: Assignment) -> bool {
        self.covers(self.permissions.can_write_to_chats, assignment)
    }

    fn covers(&self, scope: Scope, assignment: Assignment) -> bool {
        let mine = assignment.user == Some(self.user);
        match scope {
            Scope::All => true,
            Scope::Group => mine || assignment.group.is_some_and(|group| self.groups.contains(&group)),
            Scope::User => mine,
            Scope::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(scope: Scope) -> Actor {
        Actor {
            user: UserId(7),
            role: Role::User,
            groups: BTreeSet::from([GroupId(2)]),
            permissions: Permissions { can_use_tags: true, can_read_chats: scope, can_write_to_chats: scope },
        }
    }

    #[test]
    fn r_perm_2_an_admin_cannot_be_lowered() {
        let own = Overrides { can_use_tags: Some(false), can_read_chats: Some(Scope::None), can_write_to_chats: None };
        assert_eq!(Permissions::effective(Role::Admin, own, []), Permissions::ADMIN);
    }

    #[test]
    fn r_perm_4_what_is_in_effect_already_is_not_kept_as_the_users_own() {
        let in_effect = Role::User.default_permissions();
        let none = Overrides::default();
        let wish = |scope| PermissionsWish { can_read_chats: scope, ..PermissionsWish::default() };
        let own = |scope| Overrides { can_read_chats: scope, ..none };
        assert_eq!(none.set(wish(Wish::Set(Scope::All)), Role::User, in_effect), Ok(none));
        let lowered = none.set(wish(Wish::Set(Scope::User)), Role::User, in_effect);
        assert_eq!(lowered, Ok(own(Some(Scope::User))));
        assert_eq!(own(Some(Scope::User)).set(wish(Wish::Inherit), Role::User, in_effect), Ok(none));
        assert_eq!(none.set(wish(Wish::Set(Scope::User)), Role::Admin, Permissions::ADMIN), Err(LowersAdmin));
        assert_eq!(none.set(wish(Wish::Set(Scope::All)), Role::Admin, in_effect), Ok(none));
    }

    #[test]
    fn r_perm_3_defaults_by_role() {
        let user = Role::User.default_permissions();
        assert_eq!((user.can_use_tags, user.can_read_chats, user.can_write_to_chats), (true, Scope::All, Scope::User));
        let app = Role::App.default_permissions();
        assert_eq!((app.can_use_tags, app.can_read_chats, app.can_write_to_chats), (true, Scope::User, Scope::User));
    }

    #[test]
    fn r_perm_4_an_override_wins_else_the_most_permissive_group() {
        let groups = [Role::User.default_permissions(), Role::App.default_permissions()];
        assert_eq!(Permissions::effective(Role::User, Overrides::default(), groups).can_read_chats, Scope::All);
        let own = Overrides { can_read_chats: Some(Scope::None), ..Overrides::default() };
        assert_eq!(Permissions::effective(Role::User, own, groups).can_read_chats, Scope::None);
    }

    #[test]
    fn r_perm_5_each_scope_covers_its_chats() {
        let unassigned = Assignment::default();
        let mine = Assignment { user: Some(UserId(7)), group: None };
        let my_group = Assignment { user: Some(UserId(8)), group: Some(GroupId(2)) };
        let other = Assignment { user: Some(UserId(8)), group: Some(GroupId(3)) };
        let covered = |scope| [unassigned, mine, my_group, other].map(|chat| actor(scope).may_read(chat));
        assert_eq!(covered(Scope::All), [true, true, true, true]);
        assert_eq!(covered(Scope::Group), [false, true, true, false]);
        assert_eq!(covered(Scope::User), [false, true, false, false]);
        assert_eq!(covered(Scope::None), [false, false, false, false]);
    }
}
