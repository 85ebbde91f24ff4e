//! The master keys: which there are, whether they are this database's, and how secrets come under the newest.

use chatledger_infrastructure::{
    config::Config,
    postgres::{PgVault, RotateError, Rotated, rotate},
    vault::{Keyring, MasterKey},
};

use super::{StartError, Tools};

/// The keys that the configuration names.
pub(super) fn keyring(config: &Config) -> Result<Keyring, StartError> {
    let newest = config.master_key.ok_or_else(|| {
        StartError::Other(
            "secrets.master_key is not set: make one with `openssl rand -hex 32` and set it in the configuration \
             or as CHATLEDGER_SECRETS__MASTER_KEY"
                .into(),
        )
    })?;
    Ok(Keyring::new(MasterKey::new(newest), config.old_master_keys.iter().copied().map(MasterKey::new).collect()))
}

/// A key that opens nothing of what is kept is another's: better said at the start than at the first message.
pub(super) async fn check_keys(vault: &PgVault) -> Result<(), StartError> {
    if vault.opens_any().await.map_err(|error| StartError::Database(error.into()))? == Some(false) {
        let what = "secrets.master_key is not the key of this database: it opens none of the secrets that are kept. If it \
                    is a new one, name the one before in secrets.old_master_keys and run `chatledger secrets rotate`";
        return Err(StartError::Other(what.into()));
    }
    Ok(())
}

impl Tools {
    /// Seals all secrets under `secrets.master_key`; `progress` hears how far it is.
    ///
    /// # Errors
    /// Secrets that open under none of the keys, or the database's fault.
    pub async fn rotate_secrets(&self, progress: impl FnMut(Rotated) + Send) -> Result<Rotated, RotateError> {
        rotate(&self.database.pool, self.core.vault.keys(), progress).await
    }
}
