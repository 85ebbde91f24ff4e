//! Read model `business_profiles`: the profile that customers see.

mod apply;
mod query;

pub(crate) use apply::BusinessProfiles;
