//! One integration test binary.
mod harness;
mod catalog;
mod ledger;
mod embedded;
