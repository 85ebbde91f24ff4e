//! The WhatsApp sender: a reactor that turns `MessageQueued` into calls and their outcomes into events.
//!
//! `enqueue` follows the ledger and makes rows of work (those of `media::fetch` too, so that the ledger is followed
//! once); `attach` gives WhatsApp the files that a message names; `worker` claims the oldest row of each chat, calls WhatsApp and
//! settles; `rows` holds the statements of both. What holds, with any number of servers on one database:
//!
//! - a message is handed to WhatsApp at most once, unless WhatsApp certainly did not take it;
//! - messages of one chat go out in the order of the ledger;
//! - work of a dead server is taken over within 30 s, as an unknown outcome where a call may have been made;
//! - no more calls per number and second than configured, from each server.
//!
//! Never here: what a message looks like on the wire, and what an outcome means for a chat.

mod attach;
mod bucket;
mod call;
mod enqueue;
mod rows;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use rows::forget;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatledger_application::ports::{
    access_tokens::AccessTokens,
    clock::Clock,
    directory::Directory,
    ledger::Ledger,
    media::{MediaStore, WhatsAppMedia},
    outbound::Settle,
    read_models::ReadModels,
    whatsapp::WhatsApp,
};
use chatledger_domain::TenantId;
use sqlx::PgPool;
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// What the sender works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// Where queued messages come from.
    pub ledger: Arc<dyn Ledger>,
    /// WhatsApp's ids of quoted messages, and the files that messages name.
    pub read_models: Arc<dyn ReadModels>,
    /// The number of a tenant.
    pub directory: Arc<dyn Directory>,
    /// The access token of a tenant.
    pub tokens: Arc<dyn AccessTokens>,
    /// The way out.
    pub whatsapp: Arc<dyn WhatsApp>,
    /// The way out for files.
    pub media: Arc<dyn WhatsAppMedia>,
    /// Where files are kept.
    pub store: Arc<dyn MediaStore>,
    /// Where outcomes go.
    pub settle: Arc<dyn Settle>,
    /// The time, to give up on old messages.
    pub clock: Arc<dyn Clock>,
}

/// How the sender works.
#[derive(Clone, Copy, Debug)]
pub struct SenderConfig {
    /// Calls at once, over all tenants.
    pub parallel: usize,
    /// Calls per number and second.
    pub rate: u32,
    /// How long a claimed row is ours without a sign of life.
    pub lease: Duration,
    /// How long an unknown outcome holds back its chat, so that the status can tell first.
    pub unknown_block: Duration,
    /// After this long a message that WhatsApp will not take is given up.
    pub expires: Duration,
    /// How often the ledger and the rows are looked at without being told.
    pub poll: Duration,
    /// How long a stop waits for calls under way.
    pub grace: Duration,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self {
            parallel: 32,
            rate: 80,
            // With the poll below 30 s, the limit for taking over.
            lease: Duration::from_secs(25),
            unknown_block: Duration::from_secs(30),
            expires: Duration::from_secs(24 * 3600),
            poll: Duration::from_millis(500),
            grace: Duration::from_secs(15),
        }
    }
}

/// What the tasks of one sender share.
struct Shared {
    parts: Parts,
    config: SenderConfig,
    stop: CancellationToken,
    /// Tenants with a row that may be claimable.
    hints: Mutex<HashSet<TenantId>>,
    wake: Notify,
}

impl Shared {
    /// Says that a tenant may have work.
    fn hint(&self, tenant: TenantId) {
        self.lock_hints().insert(tenant);
        self.wake.notify_one();
    }

    fn take_hints(&self) -> Vec<TenantId> {
        self.lock_hints().drain().collect()
    }

    fn lock_hints(&self) -> std::sync::MutexGuard<'_, HashSet<TenantId>> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running sender.
pub struct Sender {
    stop: CancellationToken,
    grace: Duration,
    tasks: [JoinHandle<()>; 2],
}

impl Sender {
    /// Starts to follow and to send. Must be called within a Tokio runtime.
    #[must_use]
    pub fn start(parts: Parts, config: SenderConfig) -> Self {
        let stop = CancellationToken::new();
        let shared =
            Arc::new(Shared { parts, config, stop: stop.clone(), hints: Mutex::default(), wake: Notify::new() });
        let tasks = [tokio::spawn(enqueue::run(shared.clone())), tokio::spawn(worker::run(shared))];
        Self { stop, grace: config.grace, tasks }
    }

    /// Stops: no new calls; those under way are finished and settled, within the grace.
    pub async fn stop(self) {
        self.stop.cancel();
        for mut task in self.tasks {
            // The worker has the same grace of its own; the second more is for its last statements.
            if timeout(self.grace + Duration::from_secs(1), &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}
