//! Looks at what WhatsApp holds: when somebody asks for it, when nobody ever has, and when the last look is old.

use std::{sync::Arc, time::Duration};

use chatledger_domain::TenantId;
use uuid::Uuid;

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{
        refreshes::{Freshness, Subject},
        whatsapp_account::AccountFault,
    },
};

/// How long a refresh may take.
const AT_MOST: Duration = Duration::from_secs(50);
/// How long one is believed to be under way when its server has died.
const LEASE: Duration = Duration::from_secs(60);
/// How long the first reader waits for another's refresh.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it looks whether it has ended.
const LOOK: Duration = Duration::from_millis(100);
/// What is old is not looked at again sooner than this after a try, in seconds.
const PAUSE: i64 = 60;

impl Application {
    /// Starts a refresh unless one is under way, here or on another server.
    ///
    /// # Errors
    /// The database's fault. What goes wrong with the refresh itself is only logged.
    pub async fn issue_refresh(self: &Arc<Self>, tenant: TenantId, subject: Subject) -> Result<(), ApplicationError> {
        if let Some(number) = self.number(tenant).await?
            && let Some(ticket) = self.refreshes.begin(tenant, subject, &number.phone_number_id, LEASE).await?
        {
            let application = self.clone();
            tokio::spawn(async move {
                if let Err(error) = application.refresh(tenant, subject, ticket).await {
                    tracing::warn!(?error, subject = subject.as_str(), "a refresh failed");
                }
            });
        }
        Ok(())
    }

    /// Whether a refresh is under way.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn is_refreshing(&self, tenant: TenantId, subject: Subject) -> Result<bool, ApplicationError> {
        Ok(self.freshness(tenant, subject).await?.is_refreshing)
    }

    /// Sees to it that something was looked at: waits for the first look, and has an old one repeated behind the
    /// scenes.
    ///
    /// # Errors
    /// Why WhatsApp could not be asked, when it never was.
    pub async fn look_once(self: &Arc<Self>, tenant: TenantId, subject: Subject) -> Result<(), ApplicationError> {
        let freshness = self.freshness(tenant, subject).await?;
        let Some(refreshed_at) = freshness.refreshed_at else { return self.first_look(tenant, subject).await };
        let now = self.clock.now();
        let age = now.signed_duration_since(refreshed_at).to_std().unwrap_or_default();
        let rested = freshness.begun_at.is_none_or(|begun| now.signed_duration_since(begun).num_seconds() >= PAUSE);
        if age > self.refresh_after && rested {
            self.issue_refresh(tenant, subject).await?;
        }
        Ok(())
    }

    pub(super) async fn freshness(&self, tenant: TenantId, subject: Subject) -> Result<Freshness, ApplicationError> {
        match self.number(tenant).await? {
            Some(number) => Ok(self.refreshes.freshness(tenant, subject, &number.phone_number_id).await?),
            None => Ok(Freshness::default()),
        }
    }

    async fn first_look(self: &Arc<Self>, tenant: TenantId, subject: Subject) -> Result<(), ApplicationError> {
        let number = self.number(tenant).await?.ok_or(ApplicationError::AccountNotConnected)?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(ticket) = self.refreshes.begin(tenant, subject, &number.phone_number_id, LEASE).await? {
                let application = self.clone();
                // In a task of its own: it goes on when the caller goes away.
                let task = tokio::spawn(async move { application.refresh(tenant, subject, ticket).await });
                let lost = |_| ApplicationError::Account(AccountFault::Away("the refresh broke off".into()));
                return task.await.map_err(lost)?;
            }
            tokio::time::sleep(LOOK).await;
            let freshness = self.freshness(tenant, subject).await?;
            if freshness.refreshed_at.is_some() {
                return Ok(());
            }
            if !freshness.is_refreshing || tokio::time::Instant::now() > deadline {
                return Err(ApplicationError::Account(AccountFault::Away("another's refresh failed".into())));
            }
        }
    }

    async fn refresh(&self, tenant: TenantId, subject: Subject, ticket: Uuid) -> Result<(), ApplicationError> {
        let asked_at = self.clock.now();
        let work = async {
            match subject {
                Subject::Templates => self.refresh_templates(tenant).await,
                Subject::Settings => self.refresh_settings(tenant).await,
            }
        };
        let done = match tokio::time::timeout(AT_MOST, work).await {
            Ok(done) => done,
            Err(_) => Err(ApplicationError::Account(AccountFault::Late)),
        };
        self.refreshes.end(tenant, subject, ticket, done.is_ok().then_some(asked_at)).await?;
        done
    }
}
