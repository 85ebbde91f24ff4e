//! What can have happened to a business profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decider::Event, ids::UserId};

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

crate::events! {
    /// An event of a business profile.
    BusinessProfileEvent {
        /// Changed by a user.
        BusinessProfileChanged = "BusinessProfileChanged" v "1",
        /// Seen anew.
        BusinessProfileSeen = "BusinessProfileSeen" v "1",
    }
}

impl Event for BusinessProfileEvent {
    crate::stored_event!();
}
