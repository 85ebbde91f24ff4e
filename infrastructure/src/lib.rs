//! Everything that touches the outside: Postgres, WhatsApp, secrets, configuration, the clock.
//!
//! Here: implementations of the application's ports. Never here: rules, HTTP handlers of our API. To add an adapter,
//! implement its port in the folder of what it talks to, and name it in the api's `bootstrap`.

pub mod addresses;
pub mod analytics;
pub mod config;
pub mod contact_providers;
pub mod deliveries;
pub mod leases;
pub mod media;
pub mod outbound;
pub mod plugins;
pub mod postgres;
pub mod proof;
pub mod receipts;
pub mod rules;
pub mod system;
pub mod vault;
pub mod whatsapp;
