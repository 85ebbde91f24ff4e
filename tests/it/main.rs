//! One integration test binary.

mod analytics;
mod architecture;
mod audit;
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
mod proof;
mod readers;
mod recipes;
mod reliability;
mod rotation;
mod routes;
mod rule_engine;
mod rules;
mod sandbox;
#[path = "../bench/seed.rs"]
mod seed;
mod service;
mod signatures;
mod tenant_life;
mod upgrade;
mod vault;
mod websocket;
