//! Counts requests per user, failed authentications per address and failed log-ins per account, in this process.

use std::{
    collections::VecDeque,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatledger_domain::{TenantId, UserId};
use moka::sync::Cache;

/// How many log-ins may fail within [`LOG_IN_WINDOW`].
const FAILED_LOG_INS: usize = 10;
const LOG_IN_WINDOW: Duration = Duration::from_secs(15 * 60);
const MINUTE: Duration = Duration::from_secs(60);
/// How many users, addresses or accounts are remembered at once; those seen longest ago are forgotten first.
const REMEMBERED: u64 = 100_000;

/// Who tries to log in: the tenant, the user name in lower case, the client's address. The address is part of it, so
/// that nobody can lock a user out from elsewhere.
pub type Account = (TenantId, String, Option<IpAddr>);

/// Wait so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub u64);

/// All counters.
pub struct Throttles {
    requests: PerMinute<(TenantId, UserId)>,
    failures: PerMinute<Option<IpAddr>>,
    log_ins: Cache<Account, Arc<Mutex<VecDeque<Instant>>>>,
}

impl Throttles {
    /// Counters at zero. 0 for no limit.
    #[must_use]
    pub fn new(requests_per_minute: u32, failures_per_minute: u32) -> Self {
        Self {
            requests: PerMinute::new(requests_per_minute),
            failures: PerMinute::new(failures_per_minute),
            log_ins: Cache::builder().max_capacity(REMEMBERED).time_to_idle(LOG_IN_WINDOW).build(),
        }
    }

    /// Counts a request of a user; a refused one does not count (R-LIM-1).
    ///
    /// # Errors
    /// How long to wait.
    pub fn request(&self, tenant: TenantId, user: UserId, now: Instant) -> Result<(), Wait> {
        self.requests.count((tenant, user), now)
    }

    /// Whether an address may still try what has a price: its failures are not too many yet (R-LIM-5).
    ///
    /// # Errors
    /// How long to wait.
    pub fn may_try(&self, client: Option<IpAddr>, now: Instant) -> Result<(), Wait> {
        self.failures.look(client, now)
    }

    /// Counts a failed authentication of an address (R-LIM-5). What succeeds is never refused for it: many people may
    /// share one address.
    ///
    /// # Errors
    /// How long to wait when it was one too many.
    pub fn failed(&self, client: Option<IpAddr>, now: Instant) -> Result<(), Wait> {
        self.failures.count(client, now)
    }

    /// How many failures an address may have in a minute, how many are left, and in how many seconds the minute ends;
    /// `None` without a limit.
    pub fn standing(&self, client: Option<IpAddr>, now: Instant) -> Option<(u32, u32, i64)> {
        self.failures.standing(&client, now)
    }

    /// Counts a log-in as failed before it is tried, so that parallel tries do not slip through.
    ///
    /// # Errors
    /// How long to wait after too many failures.
    pub fn begin_log_in(&self, account: &Account, now: Instant) -> Result<(), Wait> {
        let failures = self.log_ins.get_with_by_ref(account, Arc::default);
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        while failures.front().is_some_and(|at| now.saturating_duration_since(*at) >= LOG_IN_WINDOW) {
            failures.pop_front();
        }
        if let Some(oldest) = failures.front()
            && failures.len() >= FAILED_LOG_INS
        {
            return Err(wait(*oldest + LOG_IN_WINDOW, now));
        }
        failures.push_back(now);
        Ok(())
    }

    /// Takes a try back that did not fail: it succeeded, or could not be decided.
    pub fn take_back_log_in(&self, account: &Account) {
        if let Some(failures) = self.log_ins.get(account) {
            failures.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
        }
    }
}

/// A limit within a minute, for each key.
struct PerMinute<K> {
    /// Since when there is counting, and how many there were.
    counters: Cache<K, Arc<Mutex<(Instant, u32)>>>,
    limit: u32,
}

impl<K: Hash + Eq + Send + Sync + 'static> PerMinute<K> {
    fn new(limit: u32) -> Self {
        Self { counters: Cache::builder().max_capacity(REMEMBERED).time_to_idle(2 * MINUTE).build(), limit }
    }

    /// Counts one more, unless there were as many as may be.
    fn count(&self, key: K, now: Instant) -> Result<(), Wait> {
        self.change(key, now, 1)
    }

    /// Whether there may be one more.
    fn look(&self, key: K, now: Instant) -> Result<(), Wait> {
        self.change(key, now, 0)
    }

    fn standing(&self, key: &K, now: Instant) -> Option<(u32, u32, i64)> {
        let (begun, count) = match self.counters.get(key) {
            Some(counter) => *counter.lock().unwrap_or_else(PoisonError::into_inner),
            None => (now, 0),
        };
        let left = MINUTE.saturating_sub(now.saturating_duration_since(begun)).as_secs_f64().ceil();
        (self.limit > 0).then(|| (self.limit, self.limit.saturating_sub(count), left as i64))
    }

    fn change(&self, key: K, now: Instant, more: u32) -> Result<(), Wait> {
        if self.limit == 0 {
            return Ok(());
        }
        let counter = self.counters.get_with(key, || Arc::new(Mutex::new((now, 0))));
        let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(counter.0) >= MINUTE {
            *counter = (now, 0);
        }
        if counter.1 >= self.limit {
            return Err(wait(counter.0 + MINUTE, now));
        }
        counter.1 += more;
        Ok(())
    }
}

fn wait(until: Instant, now: Instant) -> Wait {
    Wait(until.saturating_duration_since(now).as_secs_f64().ceil().max(1.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Account {
        (TenantId::default(), name.to_owned(), None)
    }

    #[test]
    fn the_eleventh_failed_log_in_waits_until_the_first_is_forgotten() {
        let (throttles, now) = (Throttles::new(0, 0), Instant::now());
        for second in 0..10 {
            assert_eq!(throttles.begin_log_in(&account("a"), now + Duration::from_secs(second)), Ok(()));
        }
        let later = now + Duration::from_secs(60);
        assert_eq!(throttles.begin_log_in(&account("a"), later), Err(Wait(840)));
        assert_eq!(throttles.begin_log_in(&account("b"), later), Ok(()));
        let elsewhere = (TenantId::default(), "a".to_owned(), Some(IpAddr::from([10, 0, 0, 1])));
        assert_eq!(throttles.begin_log_in(&elsewhere, later), Ok(()), "S13: the victim itself is not locked out");
        assert_eq!(throttles.begin_log_in(&account("a"), now + LOG_IN_WINDOW), Ok(()));
    }

    #[test]
    fn a_log_in_that_succeeds_is_not_counted() {
        let (throttles, now) = (Throttles::new(0, 0), Instant::now());
        for _ in 0..50 {
            assert_eq!(throttles.begin_log_in(&account("a"), now), Ok(()));
            throttles.take_back_log_in(&account("a"));
        }
    }

    #[test]
    fn r_lim_1_the_request_after_the_last_waits_and_does_not_count() {
        let (throttles, now, user) = (Throttles::new(2, 0), Instant::now(), UserId(1));
        let ask = |after| throttles.request(TenantId::default(), user, now + Duration::from_secs(after));
        assert_eq!((ask(0), ask(1), ask(2), ask(3)), (Ok(()), Ok(()), Err(Wait(58)), Err(Wait(57))));
        assert_eq!(ask(60), Ok(()));
    }

    #[test]
    fn r_lim_5_failures_are_counted_by_address() {
        let (throttles, now) = (Throttles::new(0, 2), Instant::now());
        let [one, other] = [1, 2].map(|last| Some(IpAddr::from([10, 0, 0, last])));
        assert_eq!((throttles.failed(one, now), throttles.may_try(one, now)), (Ok(()), Ok(())));
        assert_eq!((throttles.failed(one, now), throttles.may_try(one, now)), (Ok(()), Err(Wait(60))));
        assert_eq!((throttles.failed(one, now), throttles.may_try(other, now)), (Err(Wait(60)), Ok(())));
        assert_eq!(throttles.may_try(one, now + MINUTE), Ok(()));
    }
}
