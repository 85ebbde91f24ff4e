//! All connections of this server: who is there, how many may be, and which tenants' ledgers are followed for them.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatledger_application::{
    Application,
    ports::{bodies::Bodies, ledger::Ledger, read_models::ReadModels},
};
use chatledger_domain::{TenantId, UserId};
use chatledger_projections::Inbox;
use futures_util::FutureExt;
use tokio::{runtime::Handle, sync::broadcast::error::RecvError, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    frames::Dialect,
    mailbox::{End, Mailbox},
    room::{Room, check_tokens, follow},
};

/// How long clients may take to hear that the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// Connections of this server; 0 for no limit.
    pub most: usize,
    /// Connections of one tenant; 0 for no limit.
    pub most_per_tenant: usize,
    /// Connections of one user; 0 for no limit.
    pub most_per_user: usize,
    /// How often clients are asked whether they are still there (R-WS-8).
    pub ping: Duration,
}

/// What the hub works with.
pub struct HubParts {
    /// What happens.
    pub ledger: Arc<dyn Ledger>,
    /// What bodies are made of, and how far that is.
    pub read_models: Arc<dyn ReadModels>,
    /// Makes bodies.
    pub bodies: Arc<dyn Bodies>,
    /// Who may read what.
    pub inbox: Inbox,
    /// Whose tokens they are.
    pub application: Arc<Application>,
    /// The operator's settings.
    pub settings: HubSettings,
}

/// The connections of one server.
pub struct Hub {
    pub(super) parts: HubParts,
    /// Where rooms live: the server's own runtime, not a worker's.
    runtime: Handle,
    rooms: Mutex<HashMap<TenantId, Arc<Room>>>,
    open: AtomicUsize,
    stopping: CancellationToken,
}

/// One connection as its room sees it.
pub(super) struct Connection {
    pub dialect: Dialect,
    pub mailbox: Mailbox,
}

/// There are as many as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Hub {
    /// Starts it on the runtime of the caller.
    #[must_use]
    pub fn start(parts: HubParts) -> Arc<Self> {
        let hub = Arc::new(Self {
            parts,
            runtime: Handle::current(),
            rooms: Mutex::default(),
            open: AtomicUsize::new(0),
            stopping: CancellationToken::new(),
        });
        hub.runtime.spawn(pass_on(hub.clone()));
        hub
    }

    /// Says good-bye to all clients (R-WS-8) and takes no others.
    pub async fn stop(&self) {
        self.stopping.cancel();
        let until = Instant::now() + FAREWELL;
        while self.open.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for room in std::mem::take(&mut *self.rooms()).into_values() {
            room.leave_off();
        }
    }

    /// Becomes ready when the server stops.
    pub(super) fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// A place for one more connection, unless the server is full or stops.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Entry> {
        let most = self.parts.settings.most;
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        // Counted first, so that many at once do not pass together; dropping it counts it out.
        let entry = Entry { hub: self.clone() };
        metrics::gauge!("chatledger_websockets").set(open as f64);
        ((most == 0 || open <= most) && !self.stopping.is_cancelled()).then_some(entry)
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room_of(self: &Arc<Self>, rooms: &mut HashMap<TenantId, Arc<Room>>, tenant: TenantId) -> Arc<Room> {
        let room = rooms.entry(tenant).or_insert_with(|| {
            let room = Arc::new(Room::new(tenant));
            self.runtime.spawn(keep(self.clone(), room.clone()));
            room
        });
        room.clone()
    }
}

/// A connection that is counted, whoever is behind it.
pub(super) struct Entry {
    hub: Arc<Hub>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let before = self.hub.open.fetch_sub(1, Ordering::SeqCst);
        metrics::gauge!("chatledger_websockets").set(before.saturating_sub(1) as f64);
    }
}

impl Entry {
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Sits down in a tenant's room: from now on the mailbox fills, once the user's permissions are known to the room.
    pub fn join(&self, tenant: TenantId, user: UserId, token: &str, dialect: Dialect) -> Result<Seat, Full> {
        let settings = &self.hub.parts.settings;
        let connection = Arc::new(Connection { dialect, mailbox: Mailbox::default() });
        let mut rooms = self.hub.rooms();
        let room = self.hub.room_of(&mut rooms, tenant);
        let joined = room.add(user, token, &connection, settings.most_per_tenant, settings.most_per_user);
        drop(rooms);
        let seat = Seat { hub: self.hub.clone(), room, user, connection };
        joined.map(|()| seat)
    }
}

/// A connection's seat in its room; it leaves with it.
pub(super) struct Seat {
    hub: Arc<Hub>,
    pub room: Arc<Room>,
    pub user: UserId,
    pub connection: Arc<Connection>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.hub.rooms();
        let is_empty = self.room.remove(self.user, &self.connection);
        let is_current = rooms.get(&self.room.tenant).is_some_and(|room| Arc::ptr_eq(room, &self.room));
        if is_empty && is_current {
            rooms.remove(&self.room.tenant);
            self.room.leave_off();
        }
    }
}

/// Passes on to the rooms what is appended, as long as the server runs.
async fn pass_on(hub: Arc<Hub>) {
    let mut feed = hub.parts.ledger.feed();
    loop {
        let news = tokio::select! {
            () = hub.stopping.cancelled() => return,
            news = feed.recv() => news,
        };
        match news {
            Ok(appended) => {
                let room = hub.rooms().get(&appended.tenant).cloned();
                if let Some(room) = room {
                    room.hear(appended.events);
                }
            }
            // They read for themselves.
            Err(RecvError::Lagged(_)) => hub.rooms().values().for_each(|room| room.hear(Arc::new([]))),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Follows the ledger for a room until it is left. A room that fails sends its clients away, to come again.
async fn keep(hub: Arc<Hub>, room: Arc<Room>) {
    let work = AssertUnwindSafe(follow(&hub.parts, &room)).catch_unwind();
    let failed = tokio::select! {
        () = room.left() => false,
        () = check_tokens(&hub.parts, &room) => true,
        _ = work => true,
    };
    if failed {
        tracing::error!(tenant = %room.tenant, "websockets cannot be served: their clients are sent away");
        let mut rooms = hub.rooms();
        if rooms.get(&room.tenant).is_some_and(|current| Arc::ptr_eq(current, &room)) {
            rooms.remove(&room.tenant);
        }
        drop(rooms);
        room.end_all(End::Failed);
    }
}
