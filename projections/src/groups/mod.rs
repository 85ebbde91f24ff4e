//! Read model `groups`: groups of users and what their members may do.

mod apply;
mod query;

pub(crate) use apply::{Groups, role_of, scope_of};
pub(crate) use query::{built_in, deleted_in_use, groups, groups_by_id};
