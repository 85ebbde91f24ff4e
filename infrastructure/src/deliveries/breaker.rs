//! Stops calling a receiver that answers almost nothing, and looks now and then whether it is back. Pure.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// Results that count at most …
const RESULTS: usize = 20;
/// … and at least, before anything is concluded.
const ENOUGH: usize = 10;
/// How long a result counts.
const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// Whether a receiver may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// As often as other limits allow.
    Yes,
    /// Once, to see whether it is back.
    Once,
    /// Not before this.
    Later(DateTime<Utc>),
}

/// The breaker of one receiver.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    results: VecDeque<(DateTime<Utc>, bool)>,
    /// Open until then; half-open afterwards.
    until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Whether the receiver may be called now.
    #[must_use]
    pub fn may(&self, now: DateTime<Utc>) -> May {
        match self.until {
            None => May::Yes,
            Some(until) if until > now => May::Later(until),
            Some(_) => May::Once,
        }
    }

    /// Takes in a result. It opens for `pause` when at least 70 % of the last results are failures, or when the probe
    /// is; a success of the probe closes it.
    pub fn tell(&mut self, now: DateTime<Utc>, is_success: bool, pause: TimeDelta) {
        match self.until {
            Some(_) if is_success => *self = Self::default(),
            // Calls that were under way when it opened say nothing new.
            Some(until) if until > now => return,
            Some(_) => self.until = Some(now + pause),
            None => {}
        }
        self.results.push_back((now, is_success));
        while self.results.len() > RESULTS || self.results.front().is_some_and(|(at, _)| *at < now - WINDOW) {
            self.results.pop_front();
        }
        let failures = self.results.iter().filter(|(_, is_success)| !is_success).count();
        if self.until.is_none() && self.results.len() >= ENOUGH && failures * 10 >= self.results.len() * 7 {
            self.until = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_fails_is_left_alone_and_tried_again_once() {
        let (now, pause) = (DateTime::<Utc>::UNIX_EPOCH, TimeDelta::seconds(30));
        let mut breaker = Breaker::default();
        (0..9).for_each(|_| breaker.tell(now, false, pause));
        assert_eq!(breaker.may(now), May::Yes, "too few to conclude anything");
        breaker.tell(now, false, pause);
        assert_eq!(breaker.may(now), May::Later(now + pause));
        let later = now + pause;
        assert_eq!(breaker.may(later), May::Once);
        breaker.tell(later, false, pause);
        assert_eq!(breaker.may(later), May::Later(later + pause));
        breaker.tell(later + pause, true, pause);
        assert_eq!(breaker.may(later + pause), May::Yes);
    }

    #[test]
    fn some_failures_are_borne_and_old_ones_forgotten() {
        let (now, pause) = (DateTime::<Utc>::UNIX_EPOCH, TimeDelta::seconds(30));
        let mut breaker = Breaker::default();
        for n in 0..40 {
            breaker.tell(now, n % 3 == 0, pause);
        }
        assert_eq!(breaker.may(now), May::Yes, "two thirds");
        let mut breaker = Breaker::default();
        for n in 0..40 {
            breaker.tell(now + TimeDelta::minutes(n), false, pause);
            assert_eq!(breaker.may(now + TimeDelta::minutes(n)), May::Yes, "one a minute is no flood");
        }
    }
}
