//! Why the catalogue says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateCatalogueRefusal {
    /// There is no such template, or no more.
    #[error("no such template")]
    Unknown,
}
