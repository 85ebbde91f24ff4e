//! Sessions of browsers: opened with name and password, ended by log-out or time (R-AUTH-9).

use chatledger_domain::{TenantId, UserId};
use chrono::TimeDelta;

use crate::{application::Application, error::ApplicationError, ports::vault::Session};

/// A session ends this long after the log-in, used or not.
pub const SESSION_LIFE: TimeDelta = TimeDelta::seconds(1_209_600);
/// And this long after it was last used.
const IDLE: TimeDelta = TimeDelta::days(3);
/// Its use is noted at most this often.
const NOTED: TimeDelta = TimeDelta::minutes(1);

impl Application {
    /// Opens a session and gives its id: whoever has it is the user. `None` for a wrong name or password and for a user
    /// that is not active.
    ///
    /// # Errors
    /// [`ApplicationError::Busy`], or the vault's or the ledger's fault.
    pub async fn open_session(
        &self,
        tenant: TenantId,
        username: &str,
        password: &str,
    ) -> Result<Option<String>, ApplicationError> {
        let Some((user, _)) = self.user_with_password(tenant, username, password).await? else { return Ok(None) };
        let id = format!("{}{}", tenant.tag(), self.random.hex(32));
        let now = self.clock.now();
        let session = Session { tenant, user, last_seen_at: now, expires_at: now + SESSION_LIFE };
        self.vault.open_session(&id, &session).await?;
        Ok(Some(id))
    }

    /// The tenant and user of a session that has not ended.
    ///
    /// # Errors
    /// The vault's fault.
    pub async fn user_of_session(&self, id: &str) -> Result<Option<(TenantId, UserId)>, ApplicationError> {
        let tenants = self.tenants_of_secret(id).await?;
        if tenants.is_empty() {
            return Ok(None);
        }
        let Some(session) = self.vault.find_session(&tenants, id).await? else { return Ok(None) };
        let (now, tenant) = (self.clock.now(), session.tenant);
        if now >= session.expires_at || now - session.last_seen_at >= IDLE {
            self.vault.end_session(tenant, id).await?;
            return Ok(None);
        }
        if now - session.last_seen_at >= NOTED {
            self.vault.touch_session(tenant, id, now).await?;
        }
        Ok(Some((tenant, session.user)))
    }

    /// Ends a session; nothing happens for an id that is none.
    ///
    /// # Errors
    /// The vault's fault.
    pub async fn end_session(&self, id: &str) -> Result<(), ApplicationError> {
        for tenant in self.tenants_of_secret(id).await? {
            self.vault.end_session(tenant, id).await?;
        }
        Ok(())
    }
}
