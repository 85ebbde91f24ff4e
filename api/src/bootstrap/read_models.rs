//! What the operator's commands do with read models.

use std::collections::HashMap;

use chatledger_application::ports::Unavailable;
use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::Pool;
use chatledger_projections::{
    Lag, ParkedStream, Progress, RebuildError, RebuildOptions, Report, Retried, Which, discard_rebuild, drop_retired,
    lag, names, outdated, park_stream, parked_streams, rebuild, retry_parked, unfinished_rebuild,
};

use super::{StartError, Tools};

fn database(error: Unavailable) -> StartError {
    StartError::Database(error.into())
}

impl Tools {
    /// The names of all read models.
    #[must_use]
    pub fn projections() -> Vec<&'static str> {
        names()
    }

    /// The short name of each tenant.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn slugs(&self) -> Result<HashMap<TenantId, String>, StartError> {
        Ok(self.tenants().await?.into_iter().map(|entry| (entry.id, entry.slug)).collect())
    }

    /// How far every read model is.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn lag(&self) -> Result<Vec<Lag>, StartError> {
        lag(&self.database.pool, &self.core.ledger).await.map_err(database)
    }

    /// Builds read models anew.
    ///
    /// # Errors
    /// The event that cannot be folded, a difference that was not wanted, or the database's fault.
    pub async fn rebuild(
        &self,
        names: &[String],
        options: RebuildOptions,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<Report, RebuildError> {
        rebuild(&self.database.pool, &self.core.ledger, names, options, progress).await
    }

    /// The tables of a rebuild that was begun and not ended.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn unfinished_rebuild(&self) -> Result<Vec<String>, StartError> {
        unfinished_rebuild(&self.database.pool).await.map_err(database)
    }

    /// Drops what an unfinished rebuild has built: its tables.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn discard_rebuild(&self) -> Result<Vec<String>, StartError> {
        let tables = self.unfinished_rebuild().await?;
        discard_rebuild(&self.database.pool).await.map_err(database)?;
        Ok(tables)
    }

    /// Drops tables that have not answered for so many seconds: how many.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn drop_retired(&self, seconds: i64) -> Result<usize, StartError> {
        drop_retired(&self.database.pool, seconds).await.map_err(database)
    }

    /// The streams that read models leave out.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn parked(&self, which: &Which) -> Result<Vec<ParkedStream>, StartError> {
        parked_streams(&self.database.pool, which).await.map_err(database)
    }

    /// Leaves what comes in a stream out of a read model. `false` where it is left out already.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn park(
        &self,
        tenant: TenantId,
        projection: &str,
        stream: (&str, &str),
        why: &str,
    ) -> Result<bool, StartError> {
        park_stream(&self.database.pool, tenant, projection, stream, why).await.map_err(database)
    }

    /// Folds what was left out; `told` hears of each stream.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn retry_parked(&self, which: &Which, told: impl FnMut(Retried) + Send) -> Result<(), StartError> {
        retry_parked(&self.database.pool, &self.core.ledger, which, told).await.map_err(database)
    }
}

/// Says which read models wait for a rebuild: they answer, but as other code has folded them.
pub(super) async fn say_outdated(pool: &Pool) -> Result<(), StartError> {
    let outdated = outdated(pool).await.map_err(database)?;
    if !outdated.is_empty() {
        let names = outdated.join(" ");
        tracing::warn!("read models were built by other code; run: chatledger projections rebuild {names}");
    }
    Ok(())
}
