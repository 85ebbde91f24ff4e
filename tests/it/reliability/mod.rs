//! The reliability scorecard: what must hold when processes die, calls repeat and bodies are bad.
//!
//! The short form runs with every `cargo test`; the long one with `CHATLEDGER_LONG=1 cargo test --test it reliability`.

mod completeness;
mod first_messages;
mod headline;
mod kill_postgres;
mod kill_server;
mod load;
mod malformed;
mod repeats;
mod statuses;

/// So many in the short form, so many in the long one.
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("CHATLEDGER_LONG").is_some_and(|long| long == "1") { long } else { short }
}
