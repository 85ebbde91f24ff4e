//! What users do with the account at WhatsApp: templates, business profile, photo.
//!
//! WhatsApp is asked first; what it took is recorded. Lists are kept, and looked at anew now and then.

mod ask;
mod photo;
mod profile;
mod refresh;
mod templates;

pub(crate) use templates::SentTemplate;

/// The id of the one stream of a tenant's templates.
pub(crate) const TEMPLATES: &str = "templates";
/// The id of the one stream of a tenant's business profile.
pub(crate) const PROFILE: &str = "profile";
