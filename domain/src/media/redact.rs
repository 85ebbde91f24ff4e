//! What is left of a medium's events when it is forgotten: that there was one, of which kind and size, and from where.

use super::MediaEvent;

impl MediaEvent {
    /// The event without name, fingerprint and reasons. What is redacted already stays as it is.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut event = self.clone();
        match &mut event {
            Self::MediaStored(e) => {
                e.filename = None;
                e.sha256.clear();
            }
            Self::MediaFetchFailed(e) => e.reason.clear(),
            Self::MediaErased(_) => {}
        }
        event
    }
}
