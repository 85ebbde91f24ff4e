//! The operator's tools that prove the ledger: verification, checkpoints, proofs of single events.

use std::path::{Path, PathBuf};

use chatledger_application::ports::clock::Clock;
use chatledger_domain::{Position, TenantId};
use chatledger_infrastructure::{
    config::Config,
    postgres::{Marks, Proved, Verified, VerifyError, ledgers, marks, prove, verify},
    proof::{Checkpoint, CheckpointKey, KeyError, Proof},
    system::{SystemClock, SystemRandom},
};

use super::{StartError, Tools};

/// The key that signs checkpoints: the configured one, else the one in the data folder.
///
/// # Errors
/// When there is none, or others may read it.
pub fn checkpoint_key(config: &Config) -> Result<CheckpointKey, KeyError> {
    match &config.checkpoint_key {
        Some(bytes) => Ok(CheckpointKey::of_bytes(bytes)),
        None => CheckpointKey::read(&key_file(config)),
    }
}

/// Makes the key in the data folder; where it is.
///
/// # Errors
/// When there is one already.
pub fn create_checkpoint_key(config: &Config) -> Result<(CheckpointKey, PathBuf), KeyError> {
    let file = key_file(config);
    Ok((CheckpointKey::create(&file, &SystemRandom)?, file))
}

fn key_file(config: &Config) -> PathBuf {
    Path::new(&config.data_dir).join("checkpoint-key.pem")
}

impl Tools {
    /// The tenants that have a ledger, with the newest position of each.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn ledgers(&self) -> Result<Vec<(TenantId, Position)>, StartError> {
        Ok(ledgers(self.pool()).await?)
    }

    /// Proves a tenant's ledger.
    ///
    /// # Errors
    /// The first place where it is not as it was written.
    pub async fn verify(
        &self,
        tenant: TenantId,
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<Verified, VerifyError> {
        verify(self.pool(), tenant, progress).await
    }

    /// Proves a tenant's ledger and signs what it comes to.
    ///
    /// # Errors
    /// The first place where it is not as it was written; nothing is signed then.
    pub async fn checkpoint(
        &self,
        key: &CheckpointKey,
        tenant: TenantId,
        slug: &str,
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<Checkpoint, VerifyError> {
        let mark = self.verify(tenant, progress).await?.mark();
        Ok(Checkpoint::sign(key, (tenant, slug), &mark, SystemClock.now()))
    }

    /// What a ledger comes to at these positions, whatever its recorded head says.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn marks(
        &self,
        tenant: TenantId,
        positions: &[Position],
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<Marks, StartError> {
        Ok(marks(self.pool(), tenant, positions, |_, _| {}, progress).await?)
    }

    /// Shows that an event is in what a checkpoint stands for.
    ///
    /// # Errors
    /// When the ledger is not in order or has no such event, or does not agree with the checkpoint.
    pub async fn prove(
        &self,
        position: Position,
        checkpoint: Checkpoint,
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<Proof, StartError> {
        let (tenant, size) = (checkpoint.tenant_id, checkpoint.position);
        let proved = prove(self.pool(), tenant, position, size, progress).await;
        let Proved { event, path, mark } = proved.map_err(|error| StartError::Other(error.to_string()))?;
        if !checkpoint.agrees_with(&mark) {
            return Err(StartError::Other(format!("the ledger was rewritten at or before position {size}")));
        }
        Ok(Proof::new(event, &path, checkpoint))
    }
}
