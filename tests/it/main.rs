//! One integration test binary.
mod harness;
mod catalog;
mod ledger;
mod projections;
mod embedded;
mod architecture;
mod event_fixtures;
mod event_schemas;
mod vault;
