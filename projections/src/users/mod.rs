//! Read model `users`: users with their groups and own permissions.

mod apply;
mod query;

pub(crate) use apply::Users;
pub(crate) use query::{actor, user, user_by_name, users, users_by_id};
