//! What the commands for analysts work with: readers of the views, and files made from them.

use chatledger_application::ports::clock::Random;
use chatledger_domain::TenantId;
use chatledger_infrastructure::{
    analytics::{self, AnalyticsError, Export, Exported, Granted, Password, Reader, Reading, View},
    system::SystemRandom,
};

use super::{StartError, Tools};

impl Tools {
    /// The views.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn views(&self) -> Result<Vec<View>, AnalyticsError> {
        analytics::views(&self.database().pool).await
    }

    /// The tenants with these short names.
    ///
    /// # Errors
    /// The first that there is not, or the database's fault.
    pub async fn tenants_named(&self, slugs: &[String]) -> Result<Vec<TenantId>, StartError> {
        let tenants = self.tenants().await?;
        let find = |slug: &String| {
            let found = tenants.iter().find(|tenant| tenant.slug == *slug).map(|tenant| tenant.id);
            found.ok_or_else(|| StartError::Other(format!("no tenant is called {slug}")))
        };
        slugs.iter().map(find).collect()
    }

    /// Lets a role read the views of tenants, or of every one; a role that is missing is made, with a password of
    /// chance where none is given. That password comes back, and is nowhere else.
    ///
    /// # Errors
    /// What stands against it, in words for the operator.
    pub async fn grant_reading(
        &self,
        role: &str,
        tenants: Option<&[TenantId]>,
        password: Option<String>,
        statement_seconds: u32,
    ) -> Result<(Granted, Option<String>), AnalyticsError> {
        let tenants = tenants.map(|all| all.iter().map(|tenant| tenant.0).collect::<Vec<_>>());
        let exists = analytics::role_exists(&self.database().pool, role).await?;
        let made = (password.is_none() && !exists).then(|| SystemRandom.hex(16));
        let password = password.or_else(|| made.clone()).map(Password::new).transpose()?;
        let reading = Reading { role, tenants: tenants.as_deref(), password: password.as_ref(), statement_seconds };
        let granted = analytics::grant(&self.database().pool, &reading).await?;
        Ok((granted, made.filter(|_| granted.created)))
    }

    /// Takes tenants away from a role, or all of them. Whether it still sees anything.
    ///
    /// # Errors
    /// What stands against it, in words for the operator.
    pub async fn revoke_reading(
        &self,
        role: &str,
        tenants: Option<&[TenantId]>,
        drop: bool,
    ) -> Result<bool, AnalyticsError> {
        let tenants = tenants.map(|all| all.iter().map(|tenant| tenant.0).collect::<Vec<_>>());
        analytics::revoke(&self.database().pool, role, tenants.as_deref(), drop).await
    }

    /// All roles that read the views, a row for each tenant that they see.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn readers(&self) -> Result<Vec<Reader>, AnalyticsError> {
        analytics::readers(&self.database().pool).await
    }

    /// Where a role connects. `None` where the database runs for this command alone.
    #[must_use]
    pub fn reading_address(&self, role: &str) -> Option<String> {
        let database = self.database();
        if database.is_only_ours() { None } else { analytics::address(&database.url, role) }
    }

    /// Writes a view to a file.
    ///
    /// # Errors
    /// What stands against it, in words for the operator.
    pub async fn export_view(
        &self,
        export: &Export<'_>,
        progress: impl FnMut(i64, i64),
    ) -> Result<Exported, AnalyticsError> {
        analytics::export(&self.database().pool, &self.database().url, export, progress).await
    }
}
