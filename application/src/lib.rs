//! What the inbox does: one use case per file, and the ports (traits) through which it reaches the outside.
//!
//! Never here: SQL, HTTP, the clock, randomness. Both of the last come in through [`ports`].

pub mod ports;
