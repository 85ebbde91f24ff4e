//! Who is told which body: one for all who are told the same of a push.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use bytestring::ByteString;
use chatledger_application::{
    ports::{
        Unavailable,
        bodies::{Bodies, Body, BodyOrder, Parts},
    },
    pushes::Push,
};
use chatledger_domain::{Actor, Position, UserId};

use super::{
    audience::{Told, narrowed, told},
    frames::{Dialect, frames},
    outgoing::Due,
};

/// Longer bodies are split between messages, in bytes: a quarter of what may wait on a connection.
const AT_MOST: usize = 256 << 10;

/// A body to be made, and who is told it.
pub(super) struct Telling {
    /// How far the ledger is told with it.
    pub upto: Position,
    /// Who is told it.
    pub users: Vec<UserId>,
    push: Arc<Push>,
    parts: Parts,
    reader: Option<UserId>,
}

impl Telling {
    fn order(&self) -> BodyOrder<'_> {
        BodyOrder { pushes: vec![&*self.push], reader: self.reader, parts: self.parts.clone() }
    }
}

/// What is told of a push to these users. `sender` is whose bulk message it is about.
pub(super) fn tellings<'a>(
    (upto, push): Due,
    actors: impl Iterator<Item = &'a Actor>,
    sender: Option<UserId>,
) -> Vec<Telling> {
    let mut found: HashMap<Told, Vec<UserId>> = HashMap::new();
    for actor in actors {
        if let Some(told) = told(&push, actor, sender) {
            found.entry(told).or_default().push(actor.user);
        }
    }
    let push = Arc::new(push);
    let mut parts_of: HashMap<Vec<usize>, Arc<Push>> = HashMap::new();
    let mut push_of = |chats: Vec<usize>| {
        if chats.len() == push.chats.len() {
            return push.clone();
        }
        match parts_of.entry(chats) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let part = Arc::new(narrowed(&push, new.key()));
                new.insert(part).clone()
            }
        }
    };
    found
        .into_iter()
        .map(|(told, users)| {
            let Told { chats, parts, reader } = told;
            Telling { upto, users, push: push_of(chats), parts, reader }
        })
        .collect()
}

/// The bodies of some tellings, in order.
pub(super) async fn made(bodies: &dyn Bodies, tellings: &[Telling]) -> Result<Vec<Vec<Body>>, Unavailable> {
    let orders: Vec<BodyOrder<'_>> = tellings.iter().map(Telling::order).collect();
    bodies.pieces(&orders, AT_MOST).await
}

/// Frames, made once for all connections that are sent the same.
#[derive(Default)]
pub(super) struct Printer {
    printed: HashMap<(String, Dialect), Arc<[ByteString]>>,
}

impl Printer {
    /// The frames of a body in a dialect.
    pub fn print(&mut self, body: &Body, dialect: Dialect) -> Arc<[ByteString]> {
        let key = (body.text.clone(), dialect);
        self.printed.entry(key).or_insert_with(|| frames(body, dialect).into()).clone()
    }
}
