//! What can have happened to a business profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::Event,
    ids::{BlobId, UserId},
};

/// A whole profile; what is not set is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The line under the name.
    pub about: String,
    /// Where the business is.
    pub address: String,
    /// What it does.
    pub description: String,
    /// How it is written to.
    pub email: String,
    /// WhatsApp's code of its branch.
    pub vertical: String,
    /// At most two addresses.
    pub websites: Vec<String>,
}

/// A user changed the profile, and WhatsApp took it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BusinessProfileChanged {
    /// The profile from now on.
    pub profile: Profile,
    /// Who changed it.
    pub done_by: UserId,
}

/// The profile at WhatsApp was not as known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BusinessProfileSeen {
    /// The profile from now on.
    pub profile: Profile,
}

/// The photo; its bytes are kept with the media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePhoto {
    /// Where its bytes are.
    pub blob: BlobId,
    /// What it is, as found in its bytes.
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
}

/// A user changed the photo, and WhatsApp took it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePhotoChanged {
    /// The photo from now on.
    pub photo: ProfilePhoto,
    /// Who changed it.
    pub done_by: UserId,
}

/// The photo at WhatsApp was not as known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePhotoSeen {
    /// The photo from now on; absent when WhatsApp has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<ProfilePhoto>,
}

/// A user took the photo away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePhotoRemoved {
    /// Who did.
    pub done_by: UserId,
}

crate::events! {
    /// An event of a business profile.
    BusinessProfileEvent {
        /// Changed by a user.
        BusinessProfileChanged = "BusinessProfileChanged" v "1",
        /// Seen anew.
        BusinessProfileSeen = "BusinessProfileSeen" v "1",
        /// The photo changed by a user.
        ProfilePhotoChanged = "ProfilePhotoChanged" v "1",
        /// The photo seen anew.
        ProfilePhotoSeen = "ProfilePhotoSeen" v "1",
        /// The photo taken away.
        ProfilePhotoRemoved = "ProfilePhotoRemoved" v "1",
    }
}

impl Event for BusinessProfileEvent {
    crate::stored_event!();
}
