//! Time and chance, as arguments.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// Chance.
pub trait Random: Send + Sync {
    /// A new id that sorts by time (UUIDv7).
    fn uuid(&self) -> Uuid;
    /// `bytes` random bytes from a cryptographic source, as lower-case hexadecimal digits.
    fn hex(&self, bytes: usize) -> String;
}
