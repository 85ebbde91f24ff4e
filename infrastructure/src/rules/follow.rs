//! Follows one tenant's ledger: reads on while triggers are decided on, and stores how far everything is finished.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chatledger_application::{
    ApplicationError,
    ports::ledger::{Appended, Recorded},
    pushes::{PushFault, PushReader},
    rule_engine::Trigger,
};
use chatledger_domain::{Position, TenantId};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Parts, advance, lanes::Lanes, work};

/// Triggers that are under way or wait, of one tenant; the ledger is not read on beyond.
const WINDOW: usize = 512;
/// Calls of one tenant's own program at once.
const CALLS: usize = 16;
/// How often the cursor is stored.
const STORE: Duration = Duration::from_millis(200);
/// After a fault.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at a ledger where nothing can call the engine.
const IDLE: Duration = Duration::from_millis(100);

/// What is read of the ledger.
struct Page {
    triggers: Vec<Trigger>,
    upto: Position,
}

/// One tenant, followed.
pub(super) struct Following {
    pub(super) parts: Parts,
    pub(super) tenant: TenantId,
    pub(super) fence: i64,
    pub(super) from: Position,
    pub(super) lease: watch::Receiver<Instant>,
    pub(super) finished: Arc<AtomicI64>,
    pub(super) stop: CancellationToken,
}

/// Why the ledger could not be read on.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Application(#[from] ApplicationError),
    #[error(transparent)]
    Pushes(#[from] PushFault),
}

impl Following {
    /// Until it is stopped or the lease is lost.
    pub(super) async fn run(self, told: mpsc::Receiver<Appended>) {
        let (pages, read) = mpsc::channel(1);
        tokio::select! {
            () = self.read(told, pages) => {}
            () = self.work(read) => {}
        }
        // What is finished need not be repeated; the rest is.
        let finished = Position(self.finished.load(Ordering::Relaxed));
        if let Err(error) = advance(&self.parts.pool, self.tenant, self.fence, finished).await {
            tracing::debug!(tenant = %self.tenant, %error, "some triggers are repeated");
        }
    }

    async fn read(&self, mut told: mpsc::Receiver<Appended>, pages: mpsc::Sender<Page>) {
        let mut at = self.from;
        loop {
            if let Err(error) = self.read_on(&mut at, &mut told, &pages).await {
                tracing::warn!(tenant = %self.tenant, %error, "the rule engine waits");
                sleep(PAUSE).await;
            }
        }
    }

    /// Reads until nothing can call the engine any more.
    async fn read_on(
        &self,
        at: &mut Position,
        told: &mut mpsc::Receiver<Appended>,
        pages: &mpsc::Sender<Page>,
    ) -> Result<(), Fault> {
        let (mut triggers, idle_until) = self.parts.application.triggers_from(self.tenant, *at).await?;
        if triggers.is_idle() {
            let is_new = idle_until > *at;
            *at = idle_until;
            send(pages, Vec::new(), *at).await;
            if !is_new {
                wait(told, *at).await;
                sleep(IDLE).await;
            }
            return Ok(());
        }
        let Parts { ledger, read_models, .. } = &self.parts;
        let mut reader = PushReader::new(self.tenant, *at, ledger.clone(), read_models.clone());
        let mut known = Vec::new();
        loop {
            let page = reader.next(known).await?;
            let (upto, is_last) = (page.upto, page.is_last);
            let found = triggers.of(page);
            *at = upto;
            send(pages, found, upto).await;
            if is_last && triggers.is_idle() {
                return Ok(());
            }
            known = if is_last { wait(told, upto).await } else { Vec::new() };
        }
    }

    async fn work(&self, mut pages: mpsc::Receiver<Page>) {
        let (mut lanes, mut running) = (Lanes::new(self.from), JoinSet::new());
        let calls = Arc::new(Semaphore::new(CALLS));
        let mut stored = self.from;
        let mut store = interval(STORE);
        store.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Another server may follow by now.
            if Instant::now() >= *self.lease.borrow() {
                tracing::warn!(tenant = %self.tenant, "the lease is over; another server decides");
                return;
            }
            while let Some((number, trigger)) = lanes.next() {
                let (parts, tenant, calls) = (self.parts.clone(), self.tenant, calls.clone());
                running.spawn(async move {
                    work::decide(&parts, tenant, &trigger, &calls).await;
                    number
                });
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                Some(done) = running.join_next(), if !running.is_empty() => match done {
                    Ok(number) => lanes.done(number),
                    // A panic: begin again at the cursor.
                    Err(_) => return,
                },
                page = pages.recv(), if lanes.len() < WINDOW => match page {
                    Some(page) => lanes.add(page.triggers, page.upto),
                    None => return,
                },
                _ = store.tick() => {
                    if lanes.finished() > stored {
                        match advance(&self.parts.pool, self.tenant, self.fence, lanes.finished()).await {
                            Ok(true) => stored = lanes.finished(),
                            Ok(false) => return,
                            Err(error) => tracing::warn!(tenant = %self.tenant, %error, "the cursor waits"),
                        }
                    }
                }
            }
            self.finished.store(lanes.finished().0, Ordering::Relaxed);
        }
    }
}

async fn send(pages: &mpsc::Sender<Page>, triggers: Vec<Trigger>, upto: Position) {
    // Nobody works any more: this task ends as well.
    let _ = pages.send(Page { triggers, upto }).await;
}

/// Waits until the ledger goes on after a position; what is known of it already.
async fn wait(told: &mut mpsc::Receiver<Appended>, at: Position) -> Vec<Recorded> {
    let mut known = Vec::new();
    loop {
        let Some(appended) = told.recv().await else { return std::future::pending().await };
        let mut head = appended.head;
        known.extend_from_slice(&appended.events);
        while let Ok(more) = told.try_recv() {
            head = head.max(more.head);
            known.extend_from_slice(&more.events);
        }
        if head > at {
            return known;
        }
        known.clear();
    }
}
