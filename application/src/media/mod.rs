//! Media: taking files in, and finding them.

mod fetched;
mod find;
mod intake;
mod store;

pub use intake::{Intake, NoIntake, Taken};
pub use store::{NewMedia, StoredMedia};
