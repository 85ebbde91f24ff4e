//! Proof that leaves the house: checkpoints that are signed and kept elsewhere, and that an event is in one.

mod checkpoint;
mod digest;
mod inclusion;
mod key;
pub(crate) mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use digest::Digest;
pub use inclusion::{Proof, ProofError, ProvedEvent};
pub use key::{CheckpointKey, KeyError, PublicKey};
