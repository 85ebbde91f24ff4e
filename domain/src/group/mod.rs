//! Groups of users, three of them built in (R-PERM-1).

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::GroupCommand;
pub use event::{
    GroupCreated, GroupDeleted, GroupEvent, GroupMemberPicked, GroupPermissionsChanged, GroupRenamed, name_claim,
};
pub use refusal::GroupRefusal;
pub use state::Group;
