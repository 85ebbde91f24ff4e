//! The clients that calls go through: one that keeps connections for the origins called most lately, one that keeps
//! none. So 10,000 receivers need few connections, and a busy one needs no new connection for each call.
//!
//! A kept connection leads to where its name led when it was made. It is used again only as long as the name still leads
//! there; once it leads elsewhere, the origin's calls get connections of their own until every kept one is closed.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatledger_application::ports::{Unavailable, addresses::Vetted};
use reqwest::{Client, redirect::Policy};

use super::pins::{Pin, Pins};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection without a call is kept: less than the 5 s after which many servers close it.
const IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept for an origin …
const IDLE_PER_ORIGIN: usize = 4;
/// … and origins for which some are kept.
const ORIGINS: usize = 256;
/// When every connection of an origin is closed for sure: no call takes longer than 15 s.
const CLOSED: Duration = Duration::from_secs(20);

/// An origin for which connections are kept.
struct Kept {
    /// Where they may lead.
    addresses: Vec<SocketAddr>,
    /// When a call last went this way.
    last: Instant,
}

/// A client and what it may connect to.
struct Way {
    client: Client,
    pins: Pins,
}

/// The clients.
pub(super) struct Connections {
    keeping: Way,
    single: Way,
    origins: Mutex<HashMap<String, Kept>>,
}

/// A client for one call, as long as this is held.
pub(super) struct Lane<'a> {
    client: &'a Client,
    _pin: Pin,
}

impl Lane<'_> {
    /// The client.
    pub(super) fn client(&self) -> &Client {
        self.client
    }
}

impl Connections {
    pub(super) fn new() -> Result<Self, Unavailable> {
        Ok(Self { keeping: Way::new(IDLE_PER_ORIGIN)?, single: Way::new(0)?, origins: Mutex::default() })
    }

    /// The way for a call to what was vetted.
    pub(super) fn lane(&self, vetted: &Vetted) -> Lane<'_> {
        let way = if self.keeps(vetted, Instant::now()) { &self.keeping } else { &self.single };
        Lane { client: &way.client, _pin: way.pins.pin(vetted) }
    }

    #[cfg(test)]
    pub(super) fn pinned(&self) -> usize {
        self.keeping.pins.len() + self.single.pins.len()
    }

    /// Whether a connection may be used again, and kept, for what was vetted.
    fn keeps(&self, vetted: &Vetted, now: Instant) -> bool {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let is_closed = |kept: &Kept| now.duration_since(kept.last) > CLOSED;
        if let Some(kept) = origins.get_mut(&vetted.origin) {
            let leads_there = kept.addresses.iter().all(|address| vetted.addresses.contains(address));
            if leads_there || is_closed(kept) {
                *kept = Kept { addresses: vetted.addresses.clone(), last: now };
                return true;
            }
            return false;
        }
        if origins.len() >= ORIGINS {
            origins.retain(|_, kept| !is_closed(kept));
        }
        if origins.len() >= ORIGINS {
            return false;
        }
        origins.insert(vetted.origin.clone(), Kept { addresses: vetted.addresses.clone(), last: now });
        true
    }
}

impl Way {
    fn new(idle_per_origin: usize) -> Result<Self, Unavailable> {
        // Fails only when a provider is set already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pins = Pins::default();
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(idle_per_origin)
            .pool_idle_timeout(IDLE)
            .dns_resolver(pins.clone())
            .build()
            .map_err(|error| Unavailable::new("TLS", error))?;
        Ok(Self { client, pins })
    }
}
