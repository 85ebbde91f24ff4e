//! Read model `users`: users with their groups and own permissions.

mod apply;
mod query;

pub(crate) use apply::Users;
pub(crate) use query::{
    active_admins, actor, ended_with_chats, members_taking_chats, user, user_by_name, users, users_by_age, users_by_id,
    users_of_group,
};
