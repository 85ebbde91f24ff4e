//! The contract of the Service API, rule by rule, through the real HTTP door.

mod analytics;
mod consent;
mod conversations;
mod customers;
mod sending;
mod shop;
