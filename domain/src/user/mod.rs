//! Users of an inbox: people and programs.

mod command;
mod decide;
mod event;
mod membership;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::UserCommand;
pub use event::{
    AvailabilityChanged, PasswordChanged, RefreshTokenIssued, TokenIssued, UserActivated, UserCreated, UserDeactivated,
    UserDetailsChanged, UserEvent, UserGroupsChanged, UserPermissionsChanged, username_claim,
};
pub use membership::Membership;
pub use refusal::UserRefusal;
pub use state::{Details, Ended, User};
