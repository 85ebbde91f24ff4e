//! Contract §1: outgoing calls, what became of them, and how people act on them.

mod attempts;
mod log;
mod log_cli;
mod log_disabled;
mod log_real;
mod told;

pub use log_real::told;
