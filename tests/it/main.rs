//! One integration test binary.

mod architecture;
mod catalog;
mod deliveries;
mod embedded;
mod event_fixtures;
mod event_schemas;
mod forgetting;
mod harness;
mod inbound;
mod integration;
mod ledger;
mod outbound;
mod projections;
mod readers;
mod reliability;
mod routes;
mod rule_engine;
mod rules;
mod sandbox;
mod signatures;
mod tenant_life;
mod vault;
mod websocket;
