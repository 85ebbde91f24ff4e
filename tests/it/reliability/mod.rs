//! The reliability scorecard: what must hold when processes die, calls repeat and bodies are bad.
//!
//! The short form runs with every `cargo test`; the long one with `RELIABILITY=long cargo test --test it reliability`.

mod arrivals;
mod backup;
mod completeness;
mod first_messages;
mod headline;
mod kill_deliveries;
mod kill_postgres;
mod kill_server;
pub mod load;
mod malformed;
mod parked;
mod rebuild_live;
mod receiver_down;
mod repeats;
mod sick_receivers;
mod statuses;
mod stop_server;
mod two_servers;

/// So many in the short form, so many in the long one.
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("RELIABILITY").is_some_and(|form| form == "long") { long } else { short }
}
