//! Users and groups.

use chatledger_domain::Permissions;
use chatledger_projections::views::{GroupView, UserView};
use serde::Serialize;
use utoipa::ToSchema;

use super::Links;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 3, "name": "Admin"}))]
pub struct Group<'a> {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Group<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a GroupView) -> Self {
        Self { id: view.id.0, name: &view.name }
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "url": "https://acme.inbox.example.com/api/v1/users/7/", "id": 7, "username": "ines", "first_name": "Ines",
    "last_name": "Mota", "email": "ines@acme.example",
    "profile": {"role": "user", "is_available": true, "avatar": null, "large_avatar": null},
    "groups": [{"id": 2, "name": "Regular user"}],
    "permissions": {"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"}
}))]
pub struct User<'a> {
    /// Where it is read.
    pub url: String,
    /// Its id.
    pub id: i64,
    /// Its name for logging in.
    pub username: &'a str,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// Address.
    pub email: &'a str,
    /// Role and availability.
    pub profile: Profile,
    /// Its groups, by id.
    pub groups: Vec<Group<'a>>,
    /// What it may do in effect.
    pub permissions: UserPermissions,
}

/// Role and availability.
#[derive(Debug, Serialize, ToSchema)]
pub struct Profile {
    /// `admin`, `user` or `app`.
    pub role: &'static str,
    /// Whether it takes chats.
    pub is_available: bool,
    /// Always `null`.
    pub avatar: Option<String>,
    /// Always `null`.
    pub large_avatar: Option<String>,
}

/// What a user may do in effect; each scope is `all`, `group`, `user` or `none`.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserPermissions {
    /// May create tags, tag and untag.
    pub can_use_tags: bool,
    /// Which chats it may read.
    pub can_read_chats: &'static str,
    /// Which chats it may write to.
    pub can_write_to_chats: &'static str,
}

impl UserPermissions {
    /// As the wire shows them.
    #[must_use]
    pub fn new(permissions: Permissions) -> Self {
        let Permissions { can_use_tags, can_read_chats, can_write_to_chats } = permissions;
        let (can_read_chats, can_write_to_chats) = (can_read_chats.as_str(), can_write_to_chats.as_str());
        Self { can_use_tags, can_read_chats, can_write_to_chats }
    }
}

impl<'a> User<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a UserView, links: &Links<'_>) -> Self {
        let role = view.role.as_str();
        Self {
            url: links.user(view.id),
            id: view.id.0,
            username: &view.username,
            first_name: &view.first_name,
            last_name: &view.last_name,
            email: &view.email,
            profile: Profile { role, is_available: view.is_available, avatar: None, large_avatar: None },
            groups: view.groups.iter().map(Group::new).collect(),
            permissions: UserPermissions::new(view.permissions),
        }
    }
}

/// A user that was created.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedUser<'a> {
    /// The user.
    #[serde(flatten)]
    pub user: User<'a>,
    /// What activates it, once, within seven days; never shown again.
    #[schema(
        example = "https://acme.inbox.example.com/api/v1/users/activate/1f0c7a2b9d3e4f50617283940a1b2c3d4e5f6071/"
    )]
    pub activation_url: String,
}

/// A user to be.
#[derive(ToSchema)]
#[schema(example = json!({"username": "ines", "first_name": "Ines", "last_name": "Mota", "email": "ines@acme.example",
    "profile": {"role": "user"}}))]
pub struct NewUser {
    /// Its name for logging in: letters and digits, unique without regard to case, at most 150.
    pub username: String,
    /// First name; at most 150 characters.
    pub first_name: Option<String>,
    /// Last name; at most 150 characters.
    pub last_name: Option<String>,
    /// Address; may be empty.
    pub email: Option<String>,
    /// Its role; a regular user without one.
    pub profile: Option<WishedRole>,
}

/// A role.
#[derive(ToSchema)]
pub struct WishedRole {
    /// `admin`, `user` or `app`.
    pub role: String,
}

/// What may be changed of a user.
#[derive(ToSchema)]
#[schema(example = json!({"username": "ines", "first_name": "Ines", "last_name": "Mota", "email": "ines@acme.example",
    "profile": {"role": "user"}, "groups": [{"id": 2}],
    "permissions": {"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"}}))]
pub struct UserFields {
    /// Its name for logging in: letters and digits, unique without regard to case, at most 150.
    pub username: Option<String>,
    /// First name; at most 150 characters.
    pub first_name: Option<String>,
    /// Last name; at most 150 characters.
    pub last_name: Option<String>,
    /// Address; may be empty.
    pub email: Option<String>,
    /// Its role: moves it between the built-in groups.
    pub profile: Option<WishedRole>,
    /// All its groups; one of the built-in ones gives the role.
    pub groups: Option<Vec<WishedGroup>>,
    /// Its own permissions; `null` leaves one to its groups, and what is in effect already is not kept as its own.
    pub permissions: Option<UserPermissions>,
}

/// A group, by its id.
#[derive(ToSchema)]
pub struct WishedGroup {
    /// Its id.
    pub id: i64,
}

/// What the members of a group may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupPermissions {
    /// The group.
    pub id: i64,
    /// What they may do.
    pub permissions: UserPermissions,
}

impl GroupPermissions {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &GroupView) -> Self {
        Self { id: view.id.0, permissions: UserPermissions::new(view.permissions) }
    }
}

/// What the members of each group may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"groups": [{"id": 2,
    "permissions": {"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"}}]}))]
pub struct PermissionSettings {
    /// The groups, by id.
    pub groups: Vec<GroupPermissions>,
}
