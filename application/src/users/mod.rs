//! Who users are: creation, activation, credentials, log-in, changes, the end of their access.

mod activate;
mod admins;
mod authenticate;
mod create;
mod deactivate;
mod invite;
mod log_in;
mod passwords;
mod provider;
mod refresh_tokens;
mod sessions;
mod update;

pub use activate::Activated;
pub use create::NewUser;
pub use invite::{Invitation, InvitedUser};
pub use sessions::SESSION_LIFE;
pub use update::UserChange;
