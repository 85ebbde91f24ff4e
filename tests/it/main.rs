//! One integration test binary.

mod analytics;
mod architecture;
mod catalog;
mod deliveries;
mod embedded;
mod event_fixtures;
mod event_schemas;
mod harness;
mod inbound;
mod integration;
mod ledger;
mod outbound;
mod projections;
mod readers;
mod recipes;
mod reliability;
mod routes;
mod rule_engine;
mod rules;
mod sandbox;
mod signatures;
mod upgrade;
mod vault;
mod websocket;
