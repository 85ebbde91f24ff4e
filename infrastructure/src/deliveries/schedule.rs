//! When a failed delivery is tried again (R-OUT-4). Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// What comes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Again, not before this.
    Again(DateTime<Utc>),
    /// Given up.
    Dead,
}

/// The pauses before the second attempt, the third …; after the last there is none.
#[derive(Clone, Debug)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    fn default() -> Self {
        Self::of_seconds(&[5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 86_400.0])
    }
}

impl Schedule {
    /// Of these pauses, in seconds.
    #[must_use]
    pub fn of_seconds(pauses: &[f64]) -> Self {
        Self(pauses.iter().map(|seconds| Duration::try_from_secs_f64(*seconds).unwrap_or_default()).collect())
    }

    /// How long a receiver that answers almost nothing is left alone: six first pauses, so 30 s.
    #[must_use]
    pub fn rest(&self) -> TimeDelta {
        let first = self.0.first().copied().unwrap_or_default();
        TimeDelta::from_std(first * 6).unwrap_or(TimeDelta::days(1))
    }

    /// What follows a failure of the attempt of this number, the first being 1. `chance` is between 0 and 1 and moves
    /// the pause by up to a fifth; a receiver that wants to be asked later is, never earlier.
    #[must_use]
    pub fn after(&self, attempt: u32, now: DateTime<Utc>, chance: f64, retry_after: Option<Duration>) -> Verdict {
        let pause = usize::try_from(attempt).ok().and_then(|n| self.0.get(n.saturating_sub(1)));
        let Some(pause) = pause else { return Verdict::Dead };
        let pause = pause.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0)).max(retry_after.unwrap_or_default());
        Verdict::Again(now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_out_4_twelve_attempts_over_about_three_days() {
        let (schedule, mut now) = (Schedule::default(), DateTime::<Utc>::UNIX_EPOCH);
        for attempt in 1..12 {
            let Verdict::Again(at) = schedule.after(attempt, now, 0.5, None) else { panic!("attempt {attempt}") };
            now = at;
        }
        assert_eq!(schedule.after(12, now, 0.5, None), Verdict::Dead);
        let hours = (now - DateTime::<Utc>::UNIX_EPOCH).num_hours();
        assert!((66..=80).contains(&hours), "{hours} h");
    }

    #[test]
    fn r_out_4_pauses_vary_by_a_fifth_and_retry_after_only_pushes_later() {
        let (schedule, now) = (Schedule::default(), DateTime::<Utc>::UNIX_EPOCH);
        let after = |chance, wish: Option<u64>| match schedule.after(1, now, chance, wish.map(Duration::from_secs)) {
            Verdict::Again(at) => (at - now).num_milliseconds(),
            other => panic!("{other:?}"),
        };
        assert_eq!((after(0.0, None), after(1.0, None)), (4_000, 6_000));
        assert_eq!((after(0.5, Some(1)), after(0.5, Some(60))), (5_000, 60_000));
    }
}
