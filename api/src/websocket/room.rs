//! One tenant's listeners, and the task that follows the tenant's ledger for them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chatledger_application::{
    ports::{Unavailable, bodies::Body, ledger::Recorded},
    pushes::{News, Push, PushFault, PushReader},
};
use chatledger_domain::{
    Actor, AnyEvent, Position, TenantId, UserId, bulk_message::BulkMessageEvent, group::GroupEvent, user::UserEvent,
};
use chatledger_projections::views::{BulkFilter, PageRequest};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    hub::{Connection, Full, HubParts},
    mailbox::End,
    outgoing::{Due, Outgoing},
    telling::{Printer, Telling, made, tellings},
};

/// Another server's appends are found after so long, should its word get lost.
const POLL: Duration = Duration::from_secs(1);
/// After a fault.
const RETRY: Duration = Duration::from_millis(200);
/// Faults in a row after which clients are sent away: they catch up when they come again.
const MOST_FAULTS: u32 = 50;
/// How long the read models may need to know of a changed permission, before it is tried again.
const READ_MODELS: Duration = Duration::from_secs(1);
/// How often every user's token is looked up again, whatever the ledger says.
const RECHECK: Duration = Duration::from_secs(300);
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(5);
/// Bodies made at once.
const AT_ONCE: usize = 500;
/// How long a client whose mailbox fills up is given to take some of it, before others are told more.
const BREATH: Duration = Duration::from_millis(25);
/// Appends that are held in memory; a room that is further behind reads them.
const MOST_NEWS: usize = 64;

/// Does something until it succeeds; `None` when it never did. No function, whose borrows would not be general enough
/// for a task that moves between threads.
macro_rules! again {
    ($work:expr) => {{
        let mut faults = 0;
        loop {
            match $work.await {
                Ok(done) => break Some(done),
                Err(_) if faults < MOST_FAULTS => faults += 1,
                Err(_) => break None,
            }
            sleep(RETRY).await;
        }
    }};
}

/// One tenant's listeners.
pub(super) struct Room {
    pub tenant: TenantId,
    members: Mutex<Members>,
    news: Mutex<Vec<Arc<[Recorded]>>>,
    wake: Notify,
    ready: watch::Sender<bool>,
    left: CancellationToken,
}

#[derive(Default)]
struct Members {
    by_user: HashMap<UserId, Member>,
    connections: usize,
}

/// A user with at least one connection.
struct Member {
    /// What it may do now; `None` while that is not known.
    actor: Option<Actor>,
    token: Box<str>,
    connections: Vec<Arc<Connection>>,
}

impl Member {
    fn end(&self, end: End) {
        self.connections.iter().for_each(|connection| connection.mailbox.end(end));
    }

    fn revoke(&mut self) {
        self.actor = None;
        self.end(End::Revoked);
    }
}

impl Room {
    pub fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            members: Mutex::default(),
            news: Mutex::default(),
            wake: Notify::new(),
            ready: watch::Sender::new(false),
            left: CancellationToken::new(),
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection; 0 for no limit.
    pub fn add(
        &self,
        user: UserId,
        token: &str,
        connection: &Arc<Connection>,
        most: usize,
        most_of_user: usize,
    ) -> Result<(), Full> {
        let mut members = self.members();
        let of_user = members.by_user.get(&user).map_or(0, |member| member.connections.len());
        if (most > 0 && members.connections >= most) || (most_of_user > 0 && of_user >= most_of_user) {
            return Err(Full);
        }
        members.connections += 1;
        let new = || Member { actor: None, token: token.into(), connections: Vec::new() };
        members.by_user.entry(user).or_insert_with(new).connections.push(connection.clone());
        Ok(())
    }

    /// Takes a connection out; whether the room is empty now.
    pub fn remove(&self, user: UserId, connection: &Arc<Connection>) -> bool {
        let mut members = self.members();
        if let Some(member) = members.by_user.get_mut(&user) {
            let before = member.connections.len();
            member.connections.retain(|known| !Arc::ptr_eq(known, connection));
            let gone = before - member.connections.len();
            if member.connections.is_empty() {
                members.by_user.remove(&user);
            }
            members.connections -= gone;
        }
        members.by_user.is_empty()
    }

    /// Notes what a user may do.
    pub fn allow(&self, actor: Actor) {
        if let Some(member) = self.members().by_user.get_mut(&actor.user) {
            member.actor = Some(actor);
        }
    }

    /// Waits until whatever is recorded from now on is told.
    pub async fn ready(&self) {
        let _ = self.ready.subscribe().wait_for(|is_ready| *is_ready).await;
    }

    /// Takes in what was appended; nothing where that is to be read.
    pub fn hear(&self, events: Arc<[Recorded]>) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if news.len() >= MOST_NEWS {
            news.clear();
        }
        if !events.is_empty() {
            news.push(events);
        }
        drop(news);
        self.wake.notify_one();
    }

    fn heard(&self) -> Vec<Recorded> {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        news.iter().flat_map(|events| events.iter().cloned()).collect()
    }

    /// Nobody is here any more.
    pub fn leave_off(&self) {
        self.left.cancel();
    }

    /// Becomes ready when nobody is here any more.
    pub async fn left(&self) {
        self.left.cancelled().await;
    }

    /// Ends all connections.
    pub fn end_all(&self, end: End) {
        self.members().by_user.values().for_each(|member| member.end(end));
    }

    /// What is to be told of some pushes to those who are here.
    fn tellings(&self, due: Vec<(Due, Option<UserId>)>) -> Vec<Telling> {
        let members = self.members();
        let actors = || members.by_user.values().filter_map(|member| member.actor.as_ref());
        due.into_iter().flat_map(|(due, sender)| tellings(due, actors(), sender)).collect()
    }

    /// Puts what was made into the mailboxes, not faster than clients can take it that take it at all.
    async fn deliver(&self, tellings: &[Telling], bodies: &[Vec<Body>]) {
        let mut printer = Printer::default();
        for (telling, bodies) in tellings.iter().zip(bodies) {
            for body in bodies {
                let filled = self.post(telling, body, &mut printer);
                let until = Instant::now() + BREATH;
                while filled.iter().any(|connection| !connection.mailbox.is_calm()) && Instant::now() < until {
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }

    /// Puts a body into the mailboxes of those who are told it; those that fill up.
    fn post(&self, telling: &Telling, body: &Body, printer: &mut Printer) -> Vec<Arc<Connection>> {
        let members = self.members();
        let told = telling.users.iter().filter_map(|user| members.by_user.get(user));
        let mut filled = Vec::new();
        for connection in told.flat_map(|member| &member.connections) {
            let frames = printer.print(body, connection.dialect);
            let fills = frames.iter().filter(|frame| connection.mailbox.put(telling.upto, (*frame).clone())).count();
            if fills > 0 {
                filled.push(connection.clone());
            }
        }
        filled
    }
}

/// Follows the ledger from where it is now; ends only when it cannot go on.
pub(super) async fn follow(parts: &HubParts, room: &Room) {
    let mut faults = 0;
    let Some(head) = again!(parts.ledger.head(room.tenant)) else { return };
    let mut reader = PushReader::new(room.tenant, head, parts.ledger.clone(), parts.read_models.clone());
    room.ready.send_replace(true);
    let (mut outgoing, mut senders) = (Outgoing::default(), HashMap::new());
    loop {
        let page = match reader.next(room.heard()).await {
            Ok(page) => page,
            Err(fault) => {
                tracing::debug!(%fault, "websockets wait for the ledger");
                faults += 1;
                if faults > MOST_FAULTS {
                    return;
                }
                sleep(RETRY).await;
                continue;
            }
        };
        faults = 0;
        let is_last = page.is_last;
        if page.events.iter().any(changes_access) && again!(refresh(parts, room, page.upto)).is_none() {
            return;
        }
        let due = outgoing.sift(page, Instant::now());
        if !due.is_empty() && !tell(parts, room, due, &mut senders).await {
            return;
        }
        if is_last {
            let deadline = outgoing.next_deadline().unwrap_or_else(|| Instant::now() + POLL);
            tokio::select! {
                () = room.wake.notified() => {}
                () = sleep_until(deadline.min(Instant::now() + POLL)) => {}
            }
        }
    }
}

/// Tells those who are here; whether it went well.
async fn tell(parts: &HubParts, room: &Room, due: Vec<Due>, senders: &mut HashMap<String, UserId>) -> bool {
    let mut addressed = Vec::with_capacity(due.len());
    for due in due {
        let Some(sender) = again!(sender(parts, &due.1, senders)) else { return false };
        addressed.push((due, sender));
    }
    for some in room.tellings(addressed).chunks(AT_ONCE) {
        let Some(bodies) = again!(made(&*parts.bodies, some)) else { return false };
        room.deliver(some, &bodies).await;
    }
    true
}

/// Whose bulk message a push is about.
async fn sender(
    parts: &HubParts,
    push: &Push,
    known: &mut HashMap<String, UserId>,
) -> Result<Option<UserId>, Unavailable> {
    let (News::Bulk, Some(event)) = (push.news, push.events.first()) else { return Ok(None) };
    if let AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(created)) = &event.event {
        return Ok(Some(created.sender));
    }
    let bulk = &event.stream.aggregate_id;
    if let Some(sender) = known.get(bulk) {
        return Ok(Some(*sender));
    }
    let (filter, part) = (BulkFilter { sender: None, task: bulk.parse().ok() }, PageRequest { limit: 1, offset: 0 });
    let page = parts.inbox.bulk_messages(push.tenant, filter, part).await?;
    let sender = page.rows.first().and_then(|found| found.sender.as_ref()).map(|sender| sender.id);
    if let Some(sender) = sender {
        known.insert(bulk.clone(), sender);
    }
    Ok(sender)
}

/// Whether somebody may do more or less from here on.
fn changes_access(recorded: &Recorded) -> bool {
    match &recorded.event {
        AnyEvent::User(event) => matches!(
            event,
            UserEvent::UserActivated(_)
                | UserEvent::UserPermissionsChanged(_)
                | UserEvent::UserGroupsChanged(_)
                | UserEvent::UserDeactivated(_)
        ),
        AnyEvent::Group(event) => matches!(event, GroupEvent::GroupPermissionsChanged(_) | GroupEvent::GroupDeleted(_)),
        _ => false,
    }
}

/// Looks up what everybody may do after a position, and ends the connections of those who may nothing any more.
async fn refresh(parts: &HubParts, room: &Room, position: Position) -> Result<(), Unavailable> {
    // A page without a push has not waited for the read models.
    if !parts.read_models.wait_for(room.tenant, position, READ_MODELS).await {
        return Err(Unavailable::new("the read models", PushFault::Behind(position)));
    }
    let users: Vec<UserId> = room.members().by_user.keys().copied().collect();
    let mut callers = parts.inbox.callers(room.tenant, &users).await?;
    let mut members = room.members();
    for user in users {
        let Some(member) = members.by_user.get_mut(&user) else { continue };
        match callers.remove(&user).filter(|caller| caller.user.is_active) {
            Some(caller) => member.actor = Some(caller.actor),
            None => member.revoke(),
        }
    }
    Ok(())
}

/// Looks every user's token up again now and then, for ever.
pub(super) async fn check_tokens(parts: &HubParts, room: &Room) {
    loop {
        sleep(RECHECK).await;
        let tokens: Vec<(UserId, Box<str>)> =
            room.members().by_user.iter().map(|(user, member)| (*user, member.token.clone())).collect();
        for (user, token) in tokens {
            let found = parts.application.authenticate(&token).await;
            if found.is_ok_and(|found| found != Some((room.tenant, user)))
                && let Some(member) = room.members().by_user.get_mut(&user)
            {
                member.revoke();
            }
            sleep(PAUSE).await;
        }
    }
}
