//! Where a client may connect: the addresses that were vetted for the calls under way, and nothing else.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chatledger_application::ports::addresses::Vetted;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What a call under way was vetted for.
struct Entry {
    number: u64,
    addresses: Vec<SocketAddr>,
}

#[derive(Default)]
struct Entries {
    last: u64,
    names: HashMap<String, Vec<Entry>>,
}

/// The pins of one client, which asks here instead of the name service.
#[derive(Clone, Default)]
pub(super) struct Pins(Arc<Mutex<Entries>>);

/// A pin; taken away when it is dropped.
pub(super) struct Pin {
    pins: Pins,
    name: String,
    number: u64,
}

impl Pins {
    /// Lets the client connect to what was vetted, as long as the pin is held.
    pub(super) fn pin(&self, vetted: &Vetted) -> Pin {
        let name = plain(&vetted.host);
        let mut entries = self.entries();
        entries.last += 1;
        let number = entries.last;
        entries.names.entry(name.clone()).or_default().push(Entry { number, addresses: vetted.addresses.clone() });
        Pin { pins: self.clone(), name, number }
    }

    /// Where a name leads; nowhere when nothing under way was vetted for it. The client does not say for which port it
    /// asks, and what may be called at one may be forbidden at another: calls to several get what is common to all.
    pub(super) fn addresses(&self, name: &str) -> Vec<SocketAddr> {
        let entries = self.entries();
        let pinned = entries.names.get(&plain(name)).map_or(&[][..], Vec::as_slice);
        let Some(newest) = pinned.last() else { return Vec::new() };
        let port = |entry: &Entry| entry.addresses.first().map(SocketAddr::port);
        let elsewhere: Vec<&Entry> = pinned.iter().filter(|entry| port(entry) != port(newest)).collect();
        let has = |entry: &Entry, ip: IpAddr| entry.addresses.iter().any(|address| address.ip() == ip);
        let common = |address: &&SocketAddr| elsewhere.iter().all(|entry| has(entry, address.ip()));
        newest.addresses.iter().filter(common).copied().collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries().names.len()
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut entries = self.pins.entries();
        if let Some(pinned) = entries.names.get_mut(&self.name) {
            pinned.retain(|entry| entry.number != self.number);
            if pinned.is_empty() {
                entries.names.remove(&self.name);
            }
        }
    }
}

impl Resolve for Pins {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.addresses(name.as_str());
        Box::pin(async move {
            if found.is_empty() {
                return Err("this name was not vetted".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A name as it is compared: with or without the dot at its end, in whatever case.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
