//! The contract of the Service API, rule by rule, through the real HTTP door.

mod analytics;
mod consent;
mod customers;
mod shop;
