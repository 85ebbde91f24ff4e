//! Passwords as Argon2id: few at once, few in the queue, and none held to yesterday's costs.

use std::sync::Arc;

use argon2::{
    Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{self, SaltString},
};
use chatledger_application::ports::{Unavailable, vault::PasswordError};
use rand::Rng;
use tokio::sync::Semaphore;

use super::unavailable;

/// Passwords that are hashed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Passwords that may wait for it: about a second's work. A flood of log-ins must not hold up the rest.
const QUEUE: usize = 20;

/// The hash of no password, with the costs of a real one, checked where there is no user.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What came of checking a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another password, or nobody's.
    Wrong,
    /// The right one.
    Right,
    /// The right one, kept under lower costs than today's: this hash is to replace the kept one.
    Outdated(String),
}

/// Hashes and checks passwords where it holds up nobody.
pub(super) struct Hashing {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

impl Hashing {
    pub fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE + QUEUE)), cores: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The hash of a password, in the PHC string format.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = password.to_owned();
        self.work(move || hash(&password)).await
    }

    /// Checks a password against a kept hash; against nobody's where there is none.
    pub async fn check(&self, kept: Option<String>, password: &str) -> Result<Verdict, PasswordError> {
        let password = password.to_owned();
        self.work(move || check(kept.as_deref(), &password)).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(unavailable)?;
        let work = move || {
            // Held until the work is done, also when whoever asked has gone.
            let _held = (place, core);
            work()
        };
        let done = tokio::task::spawn_blocking(work).await.map_err(unavailable)?;
        done.map_err(|error| PasswordError::from(unavailable_hash(&error)))
    }
}

fn unavailable_hash(error: &password_hash::Error) -> Unavailable {
    unavailable(error.to_string())
}

fn hash(password: &str) -> Result<String, password_hash::Error> {
    let salt = SaltString::encode_b64(&rand::rng().random::<[u8; 16]>())?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
}

fn check(kept: Option<&str>, password: &str) -> Result<Verdict, password_hash::Error> {
    let hashed = PasswordHash::new(kept.unwrap_or(NOBODY))?;
    match Argon2::default().verify_password(password.as_bytes(), &hashed) {
        Ok(()) if kept.is_none() => Ok(Verdict::Wrong),
        Ok(()) if is_outdated(&hashed) => Ok(Verdict::Outdated(hash(password)?)),
        Ok(()) => Ok(Verdict::Right),
        Err(password_hash::Error::Password) => Ok(Verdict::Wrong),
        Err(error) => Err(error),
    }
}

/// Whether a hash was made with lower costs, or another way, than one made today.
fn is_outdated(hash: &PasswordHash<'_>) -> bool {
    let today = Params::default();
    let lower = |costs: Params| costs.m_cost() < today.m_cost() || costs.t_cost() < today.t_cost();
    hash.algorithm != argon2::ARGON2ID_IDENT || Params::try_from(hash).is_ok_and(lower)
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Version};

    use super::*;

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let hash = PasswordHash::new(NOBODY).expect("a hash");
        let costs = Params::try_from(&hash).expect("costs");
        assert_eq!(
            (costs.m_cost(), costs.t_cost(), costs.p_cost()),
            (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST)
        );
        assert_eq!(check(None, "anything"), Ok(Verdict::Wrong));
    }

    #[test]
    fn s9_a_hash_of_lower_costs_is_made_anew() {
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).expect("costs"));
        let salt = SaltString::encode_b64(&[7; 16]).expect("a salt");
        let kept = cheap.hash_password(b"secret", &salt).expect("a hash").to_string();
        assert_eq!(check(Some(&kept), "wrong"), Ok(Verdict::Wrong));
        let Ok(Verdict::Outdated(new)) = check(Some(&kept), "secret") else { panic!("not noticed") };
        assert_eq!(check(Some(&new), "secret"), Ok(Verdict::Right));
    }

    #[tokio::test]
    async fn s9_a_flood_waits_for_few_and_the_rest_is_told_to_come_again() {
        let hashing = Hashing::new();
        let floods = futures_util::future::join_all((0..60).map(|_| hashing.check(None, "x"))).await;
        let busy = floods.iter().filter(|verdict| matches!(verdict, Err(PasswordError::Busy))).count();
        assert_eq!((busy, floods.iter().filter(|verdict| verdict.is_ok()).count()), (38, 22));
        assert!(hashing.check(None, "x").await.is_ok());
    }
}
