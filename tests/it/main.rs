//! One integration test binary.

mod architecture;
mod catalog;
mod embedded;
mod event_fixtures;
mod event_schemas;
mod harness;
mod integration;
mod ledger;
mod projections;
mod reliability;
mod vault;
