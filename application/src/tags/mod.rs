//! What users do with tags.

mod change;
mod clean_up;
mod create;
