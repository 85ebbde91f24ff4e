//! How many calls a number may make now.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// A bucket of tokens for each number, full at first, holding one second's worth.
pub(super) struct Buckets {
    rate: f64,
    levels: HashMap<String, (f64, Instant)>,
}

impl Buckets {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate: f64::from(rate.max(1)), levels: HashMap::new() }
    }

    /// The whole tokens of a number.
    pub(super) fn available(&mut self, number: &str, now: Instant) -> usize {
        let Some((level, at)) = self.levels.get_mut(number) else { return self.rate as usize };
        *level = (*level + now.saturating_duration_since(*at).as_secs_f64() * self.rate).min(self.rate);
        *at = now;
        *level as usize
    }

    /// Takes tokens; [`Self::available`] was asked just before.
    pub(super) fn take(&mut self, number: &str, tokens: usize, now: Instant) {
        let full = (self.rate, now);
        // Far fewer tokens than a float can count.
        self.levels.entry(number.to_owned()).or_insert(full).0 -= tokens as f64;
    }

    /// How long until a number that has none gets its next.
    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gets_its_rate_and_not_more() {
        let (mut buckets, start) = (Buckets::new(80), Instant::now());
        assert_eq!(buckets.available("a", start), 80);
        buckets.take("a", 80, start);
        assert_eq!(buckets.available("a", start), 0);
        assert_eq!(buckets.available("b", start), 80);
        let mut sent = 0;
        for millisecond in 1..=10_000 {
            let now = start + Duration::from_millis(millisecond);
            let tokens = buckets.available("a", now);
            buckets.take("a", tokens, now);
            sent += tokens;
        }
        assert!((799..=800).contains(&sent), "{sent}");
        assert_eq!(buckets.available("a", start + Duration::from_secs(3600)), 80);
    }
}
