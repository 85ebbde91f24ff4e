//! Who users are: creation, credentials, log-in.

mod authenticate;
mod create;
mod log_in;

pub use create::NewUser;
