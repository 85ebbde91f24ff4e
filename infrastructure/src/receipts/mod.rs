//! The reactor that shows customers that their messages were read, for tenants that want it (R-RCV-6).
//!
//! It follows each tenant's ledger behind a cursor of its own, and tells WhatsApp of the newest incoming message up to
//! each mark that grew. The cursor moves after the calls, so a crash repeats them, which WhatsApp takes as one. Best
//! effort all the same: what WhatsApp refuses three times is left.

mod rows;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chatledger_application::ports::{
    Unavailable,
    access_tokens::AccessTokens,
    directory::Directory,
    ledger::{Ledger, LedgerError, Recorded},
    read_models::ReadModels,
    receipts::ReadReceipts,
};
use chatledger_domain::{
    AnyEvent, Position, TenantId, WaId, chat::ChatEvent, tenant::TenantEvent, whatsapp_account::Number,
};
use futures_util::{StreamExt, stream};
use sqlx::PgPool;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often the ledgers are looked at.
const POLL: Duration = Duration::from_millis(500);
/// Events read at once.
const PAGE: i64 = 1_000;
/// Tenants, and chats of one tenant, at once.
const PARALLEL: usize = 8;
/// How long the read models may need to know the marked message.
const READ_MODELS: Duration = Duration::from_secs(5);
/// Before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// A cursor that stands behind for nothing is written this often.
const REST: Duration = Duration::from_secs(10);
/// How long a stop waits for calls under way.
const GRACE: Duration = Duration::from_secs(5);

/// What the reactor works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// Where marks come from.
    pub ledger: Arc<dyn Ledger>,
    /// Which message a mark stands at.
    pub read_models: Arc<dyn ReadModels>,
    /// Which tenants want it, and their numbers.
    pub directory: Arc<dyn Directory>,
    /// The access token of a tenant.
    pub tokens: Arc<dyn AccessTokens>,
    /// The way out.
    pub receipts: Arc<dyn ReadReceipts>,
}

/// The running reactor.
pub struct Receipts {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Receipts {
    /// Starts to follow. Must be called within a Tokio runtime.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(parts, stop.clone()));
        Self { stop, task }
    }

    /// Stops; what is not told yet is told after the next start.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// How far one tenant is read, when that was written, and whether the tenant wanted it at the last look.
#[derive(Clone, Copy)]
struct Follow {
    stored: i64,
    seen: i64,
    written: Instant,
    wanted: bool,
}

async fn run(parts: Parts, stop: CancellationToken) {
    let mut follows: HashMap<TenantId, Follow> = HashMap::new();
    loop {
        let round = async {
            let heads = parts.ledger.heads().await.unwrap_or_default();
            let work = heads.into_iter().map(|(tenant, head)| {
                let (parts, follow) = (&parts, follows.get(&tenant).copied());
                async move { (tenant, follow_one(parts, tenant, follow, head.0).await) }
            });
            let done: Vec<_> = stream::iter(work.collect::<Vec<_>>()).buffer_unordered(PARALLEL).collect().await;
            for (tenant, followed) in done {
                match followed {
                    Ok(follow) => drop(follows.insert(tenant, follow)),
                    Err(error) => {
                        tracing::warn!(%tenant, %error, "read receipts wait");
                        follows.remove(&tenant);
                    }
                }
            }
            sleep(POLL).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = round => {}
        }
    }
}

async fn follow_one(parts: &Parts, tenant: TenantId, follow: Option<Follow>, head: i64) -> Result<Follow, Fault> {
    let mut follow = match follow {
        Some(follow) => follow,
        None => {
            let stored = rows::cursor(&parts.pool, tenant, head).await?;
            Follow { stored, seen: stored, written: Instant::now(), wanted: true }
        }
    };
    let entry = parts.directory.by_id(tenant).await?;
    let wanted = entry.as_ref().is_some_and(|entry| entry.settings.read_receipts);
    let Some(number) = entry.and_then(|entry| entry.number).filter(|_| wanted) else {
        // Nobody is told later of what was marked while it was off.
        (follow.seen, follow.wanted) = (head, wanted);
        if follow.stored < head && follow.written.elapsed() > REST {
            follow = moved(parts, tenant, follow).await?;
        }
        return Ok(follow);
    };
    while follow.seen < head {
        let page = parts.ledger.read(tenant, Position(follow.seen), PAGE).await?;
        let Some(last) = page.last().map(|event| event.position) else { break };
        let marks = marks(&page, &mut follow.wanted);
        if !marks.is_empty() {
            parts.read_models.wait_for(tenant, last, READ_MODELS).await;
            let token = parts.tokens.get(tenant, &number.phone_number_id).await?.unwrap_or_default();
            let tell = marks.into_iter().map(|(chat, mark)| tell(parts, tenant, &number, &token, chat, mark));
            let told: Vec<_> = stream::iter(tell.collect::<Vec<_>>()).buffer_unordered(PARALLEL).collect().await;
            told.into_iter().collect::<Result<Vec<()>, Unavailable>>()?;
            follow.seen = last.0;
            follow = moved(parts, tenant, follow).await?;
        }
        follow.seen = follow.seen.max(last.0);
    }
    follow.wanted = true;
    if follow.stored < follow.seen && follow.written.elapsed() > REST {
        follow = moved(parts, tenant, follow).await?;
    }
    Ok(follow)
}

/// The newest mark of each chat: one call has all messages up to it read. What was marked while it was off is left out.
fn marks<'a>(page: &'a [Recorded], wanted: &mut bool) -> HashMap<&'a str, i64> {
    let (mut marks, mut off): (HashMap<&str, i64>, bool) = (HashMap::new(), false);
    for event in page {
        match &event.event {
            AnyEvent::Tenant(TenantEvent::SettingsChanged(e)) => {
                off = !e.settings.read_receipts;
                if off || !*wanted {
                    marks.clear();
                }
                *wanted = !off;
            }
            AnyEvent::Chat(ChatEvent::MessagesMarkedAsReceived(mark)) if !off => {
                let newest = marks.entry(&event.stream.aggregate_id).or_insert(mark.timestamp);
                *newest = mark.timestamp.max(*newest);
            }
            _ => {}
        }
    }
    marks
}

async fn tell(
    parts: &Parts,
    tenant: TenantId,
    number: &Number,
    token: &str,
    chat: &str,
    mark: i64,
) -> Result<(), Unavailable> {
    let Ok(wa_id) = WaId::parse(chat) else { return Ok(()) };
    let Some(message) = parts.read_models.newest_incoming(tenant, &wa_id, mark).await? else { return Ok(()) };
    let mut pauses = PAUSES.into_iter();
    while let Err(reason) = parts.receipts.tell_read(number, token, &message).await {
        let Some(pause) = pauses.next() else {
            metrics::counter!("chatledger_read_receipts_given_up_total").increment(1);
            tracing::warn!(%tenant, %reason, "WhatsApp was not told that a message was read");
            return Ok(());
        };
        sleep(pause).await;
    }
    Ok(())
}

async fn moved(parts: &Parts, tenant: TenantId, follow: Follow) -> Result<Follow, Fault> {
    rows::advance(&parts.pool, tenant, follow.seen).await?;
    Ok(Follow { stored: follow.seen, written: Instant::now(), ..follow })
}

/// Why a ledger could not be followed.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Outside(#[from] Unavailable),
}
