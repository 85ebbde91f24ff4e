//! The business profile.

use chatledger_domain::business_profile::{Profile, label_of_vertical};
use serde::Serialize;
use utoipa::ToSchema;

/// The business profile as customers see it; what is not set is empty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "address": "Rua Augusta 1, Lisboa", "description": "Shoes since 1923", "email": "hello@acme.example",
    "vertical": "Clothing and Apparel", "websites": ["https://acme.example"], "about": "Open 9 to 18"
}))]
pub struct BusinessProfile<'a> {
    /// Where the business is.
    pub address: &'a str,
    /// What it does.
    pub description: &'a str,
    /// How it is written to.
    pub email: &'a str,
    /// Its branch, by the long label.
    pub vertical: &'a str,
    /// At most two addresses.
    pub websites: &'a [String],
    /// The line under the name.
    pub about: &'a str,
}

impl<'a> BusinessProfile<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(profile: &'a Profile) -> Self {
        Self {
            address: &profile.address,
            description: &profile.description,
            email: &profile.email,
            vertical: label_of_vertical(&profile.vertical),
            websites: &profile.websites,
            about: &profile.about,
        }
    }
}
