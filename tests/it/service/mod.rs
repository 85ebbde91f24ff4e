//! The contract of the Service API, rule by rule, through the real HTTP door.

mod access;
mod accounts;
mod analytics;
mod asking;
mod consent;
mod conversations;
mod customers;
mod daily_limit;
mod examples;
mod families;
mod isolation;
mod limits;
mod matrix;
mod pages;
mod sending;
mod shape;
mod shop;
