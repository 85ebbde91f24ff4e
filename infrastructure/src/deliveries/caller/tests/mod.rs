//! Calls to real listeners: good ones, hostile ones, and ones that must never hear of us.

mod addresses;
mod headers;
mod hostile;
mod names;
mod world;
