//! What admins do with groups.

mod change;
mod clean_up;
mod permissions;
