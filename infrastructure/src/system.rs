//! The machine's clock and its source of chance.

use application::ports::clock::{Clock, Random};
use chatledger_application as application;
use chrono::{DateTime, Utc};
use rand::TryRngCore;
use uuid::Uuid;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The machine's source of chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        // The kernel's source fails only where there is none; a guessable secret must not be the answer to that.
        if rand::rngs::OsRng.try_fill_bytes(&mut buffer).is_err() {
            std::process::abort();
        }
        hex::encode(buffer)
    }
}
