//! What may be asked of a business profile.

use super::event::{Profile, ProfilePhoto};
use crate::ids::{Position, UserId};

/// Fields of a profile; `None` leaves as is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileChange {
    /// The line under the name.
    pub about: Option<String>,
    /// Where the business is.
    pub address: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// How it is written to.
    pub email: Option<String>,
    /// WhatsApp's code of its branch.
    pub vertical: Option<String>,
    /// At most two addresses.
    pub websites: Option<Vec<String>>,
}

/// A command to the profile.
#[derive(Clone, Debug)]
pub enum BusinessProfileCommand {
    /// Records a change that WhatsApp took.
    Change {
        /// What changes.
        change: ProfileChange,
        /// Who changed it.
        done_by: UserId,
    },
    /// Records the profile as WhatsApp tells it.
    See {
        /// The whole profile.
        profile: Profile,
        /// The newest position when WhatsApp was asked: what changed since is newer.
        as_of: Position,
    },
    /// Records a photo that WhatsApp took.
    ChangePhoto {
        /// The photo.
        photo: ProfilePhoto,
        /// Who changed it.
        done_by: UserId,
    },
    /// Records the photo as WhatsApp tells it.
    SeePhoto {
        /// The photo, where there is one.
        photo: Option<ProfilePhoto>,
        /// The newest position when WhatsApp was asked.
        as_of: Position,
    },
    /// Records that the photo was taken away.
    RemovePhoto {
        /// Who did.
        done_by: UserId,
    },
}
