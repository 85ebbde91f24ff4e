//! Keeps count of the active admins, so that the last of them stays whoever else leaves at the same moment (R-USR-7).

use chatledger_domain::{
    TenantId, UserId,
    admins::{Admins, AdminsCommand, AdminsRefusal},
};

use crate::{
    application::Application,
    error::ApplicationError,
    streams::{Decisions, StreamOf},
};

/// The stream of a tenant's admins.
pub(crate) const ADMINS: &str = "admins";

/// Records that a user joins or leaves the active admins, in the same append as what makes it so.
pub(crate) fn count_admin(
    decisions: &mut Decisions<'_>,
    user: UserId,
    was: bool,
    is: bool,
) -> Result<(), AdminsRefusal> {
    match (was, is) {
        (false, true) => decisions.decide::<Admins>(ADMINS, AdminsCommand::Join { user })?,
        (true, false) => decisions.decide::<Admins>(ADMINS, AdminsCommand::Leave { user })?,
        _ => 0,
    };
    Ok(())
}

impl Application {
    /// Counts the admins of a ledger that was begun before they were counted.
    ///
    /// # Errors
    /// The ledger's or the read models' fault.
    pub(crate) async fn know_admins(&self, tenant: TenantId) -> Result<(), ApplicationError> {
        let known: Admins = self.streams.state(tenant, ADMINS).await?;
        if !known.users.is_empty() {
            return Ok(());
        }
        let admins = self.read_models.active_admins(tenant).await?;
        let streams = [StreamOf::new::<Admins>(ADMINS)];
        let metadata = self.system("admins", None);
        let work = self.streams.transact(tenant, &streams, &metadata, self.clock.now(), |d| {
            for user in &admins {
                d.decide::<Admins>(ADMINS, AdminsCommand::Join { user: *user })?;
            }
            Ok::<_, AdminsRefusal>(())
        });
        work.await?;
        Ok(())
    }
}
