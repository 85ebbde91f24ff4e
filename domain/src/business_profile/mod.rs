//! The business profile of a tenant's number, as customers see it in WhatsApp.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod vertical;

pub use command::{BusinessProfileCommand, ProfileChange};
pub use event::{
    BusinessProfileChanged, BusinessProfileEvent, BusinessProfileSeen, Profile, ProfilePhoto, ProfilePhotoChanged,
    ProfilePhotoRemoved, ProfilePhotoSeen,
};
pub use refusal::BusinessProfileRefusal;
pub use state::BusinessProfile;
pub use vertical::{VERTICALS, code_of_vertical, label_of_vertical};
