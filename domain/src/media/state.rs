//! What a medium's decisions need.

use serde::{Deserialize, Serialize};

use super::MediaEvent;

/// A medium.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// Whether its bytes are kept.
    pub is_stored: bool,
    /// Whether the search for it was given up.
    pub has_failed: bool,
    /// Whether it was forgotten: then it is not kept any more, and never will be.
    pub is_erased: bool,
}

impl Media {
    pub(super) fn after(&mut self, event: &MediaEvent) {
        match event {
            MediaEvent::MediaStored(_) => {
                *self = Self { is_stored: true, has_failed: false, is_erased: self.is_erased };
            }
            MediaEvent::MediaFetchFailed(_) => self.has_failed = true,
            MediaEvent::MediaErased(_) => *self = Self { is_erased: true, ..Self::default() },
        }
    }
}
