//! Read model `business_profiles`: the profile that customers see, and its photo.

mod apply;
mod query;

pub(crate) use apply::BusinessProfiles;
