//! Contract §1: outgoing calls, what became of them, and how people act on them.

mod attempts;
mod log;
mod log_cli;
mod log_disabled;
mod told;
mod log_real;

pub use log_real::told;
