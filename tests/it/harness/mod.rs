//! What the tests stand on.

pub mod http;
pub mod inbox;
pub mod postgres;
pub mod process;
pub mod receiver;
pub mod stub;
pub mod table;
