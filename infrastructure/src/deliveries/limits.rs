//! What one tenant's deliveries may cost.

use chrono::TimeDelta;

/// What is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Attempts at one receiver at once.
    pub in_flight: usize,
    /// Deliveries of one receiver in memory.
    pub rows: usize,
    /// Deliveries in memory in all.
    pub total: usize,
    /// How long a receiver that fails is left alone.
    pub pause: TimeDelta,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 16, rows: 20_000, total: 200_000, pause: TimeDelta::seconds(30) }
    }
}
