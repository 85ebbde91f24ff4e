//! The application: its ports in one place, and who is calling.

use std::{sync::Arc, time::Duration};

use chatledger_domain::{Actor, MessageId, Position, TenantId};
use tokio::sync::broadcast;

use crate::{
    error::ApplicationError,
    ports::{
        access_tokens::AccessTokens,
        addresses::Addresses,
        audit::AuditTrail,
        clock::{Clock, Random},
        contacts::{ContactCheck, ContactProvider},
        daily_limits::{DailyLimits, TemplateDays},
        deliveries::DeliveryLog,
        directory::Directory,
        erasures::Erasures,
        ledger::{Cause, Ledger, Metadata},
        media::MediaStore,
        plugins::Plugins,
        provider::Provider,
        quarantine::Quarantine,
        rate_limits::RateLimits,
        read_models::ReadModels,
        recipients::Recipients,
        refreshes::Refreshes,
        secrets::Secrets,
        subscribers::Subscribers,
        vault::Vault,
        whatsapp::Webhooks,
        whatsapp_account::WhatsAppAccounts,
    },
    streams::{Aggregate, Streams},
};

/// How long a write waits for the read models (R-CST-1).
pub(crate) const READ_YOUR_WRITES: Duration = Duration::from_secs(2);
/// Postponed messages that are remembered for those who wait.
const POSTPONED: usize = 1_024;

/// All use cases. Share it behind an `Arc`.
pub struct Application {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) audit_trail: Arc<dyn AuditTrail>,
    pub(crate) streams: Streams,
    pub(crate) read_models: Arc<dyn ReadModels>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) access_tokens: Arc<dyn AccessTokens>,
    pub(crate) daily_limits: Arc<dyn DailyLimits>,
    pub(crate) template_days: Arc<dyn TemplateDays>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) quarantine: Arc<dyn Quarantine>,
    pub(crate) webhooks: Arc<dyn Webhooks>,
    pub(crate) provider: Option<Arc<dyn Provider>>,
    pub(crate) addresses: Arc<dyn Addresses>,
    pub(crate) deliveries: Arc<dyn DeliveryLog>,
    pub(crate) erasures: Arc<dyn Erasures>,
    pub(crate) media: Arc<dyn MediaStore>,
    pub(crate) whatsapp_accounts: Arc<dyn WhatsAppAccounts>,
    pub(crate) rate_limits: Arc<dyn RateLimits>,
    pub(crate) refreshes: Arc<dyn Refreshes>,
    pub(crate) plugins: Arc<dyn Plugins>,
    pub(crate) refresh_after: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) recipients: Arc<dyn Recipients>,
    pub(crate) subscribers: Arc<dyn Subscribers>,
    pub(crate) contact_providers: Vec<Arc<dyn ContactProvider>>,
    pub(crate) contact_check: Arc<dyn ContactCheck>,
    /// Messages that WhatsApp did not take now.
    pub(crate) postponed: broadcast::Sender<(TenantId, MessageId)>,
}

/// The outside, as the application is given it.
pub struct Ports {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The ledger as auditors read it.
    pub audit_trail: Arc<dyn AuditTrail>,
    /// The read models.
    pub read_models: Arc<dyn ReadModels>,
    /// The tenants.
    pub directory: Arc<dyn Directory>,
    /// The secrets.
    pub vault: Arc<dyn Vault>,
    /// With what WhatsApp is asked.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// Who counts customers before they are sent to.
    pub daily_limits: Arc<dyn DailyLimits>,
    /// Which customers were sent to.
    pub template_days: Arc<dyn TemplateDays>,
    /// Secrets that events refer to.
    pub secrets: Arc<dyn Secrets>,
    /// What could not be recorded.
    pub quarantine: Arc<dyn Quarantine>,
    /// How WhatsApp's webhooks are read.
    pub webhooks: Arc<dyn Webhooks>,
    /// Who tells whether a provider's key is valid; `None` for the tenant's own channel key.
    pub provider: Option<Arc<dyn Provider>>,
    /// Where calls on behalf of tenants may go.
    pub addresses: Arc<dyn Addresses>,
    /// What became of deliveries.
    pub deliveries: Arc<dyn DeliveryLog>,
    /// Where contacts are forgotten.
    pub erasures: Arc<dyn Erasures>,
    /// Where files are kept.
    pub media: Arc<dyn MediaStore>,
    /// The account at WhatsApp.
    pub whatsapp_accounts: Arc<dyn WhatsAppAccounts>,
    /// How often somebody may ask, over all servers.
    pub rate_limits: Arc<dyn RateLimits>,
    /// When what WhatsApp holds was last looked at.
    pub refreshes: Arc<dyn Refreshes>,
    /// After so long it is looked at again.
    pub refresh_after: Duration,
    /// The configured plugins.
    pub plugins: Arc<dyn Plugins>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Who gets bulk messages.
    pub recipients: Arc<dyn Recipients>,
    /// Who wants to be told.
    pub subscribers: Arc<dyn Subscribers>,
    /// Where contacts are looked up, in the order in which they are shown.
    pub contact_providers: Vec<Arc<dyn ContactProvider>>,
    /// Who on WhatsApp has a number.
    pub contact_check: Arc<dyn ContactCheck>,
}

/// Who asks, through which family, in which request.
#[derive(Clone, Debug)]
pub struct Context {
    /// The inbox.
    pub tenant: TenantId,
    /// The user, with what it may do now.
    pub actor: Actor,
    /// The API family, for the metadata of events.
    pub family: &'static str,
    /// The request's id, for the metadata of events.
    pub correlation_id: String,
}

impl Context {
    pub(crate) fn metadata(&self) -> Arc<Metadata> {
        Arc::new(Metadata {
            actor: Cause::User { id: self.actor.user.0 },
            family: self.family.to_owned(),
            correlation_id: self.correlation_id.clone(),
            causation: None,
        })
    }
}

impl Application {
    /// Puts the application on its ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        let streams = Streams::new(ports.ledger.clone());
        Self {
            ledger: ports.ledger,
            audit_trail: ports.audit_trail,
            streams,
            read_models: ports.read_models,
            directory: ports.directory,
            vault: ports.vault,
            access_tokens: ports.access_tokens,
            daily_limits: ports.daily_limits,
            template_days: ports.template_days,
            secrets: ports.secrets,
            quarantine: ports.quarantine,
            webhooks: ports.webhooks,
            provider: ports.provider,
            addresses: ports.addresses,
            deliveries: ports.deliveries,
            erasures: ports.erasures,
            media: ports.media,
            whatsapp_accounts: ports.whatsapp_accounts,
            rate_limits: ports.rate_limits,
            refreshes: ports.refreshes,
            plugins: ports.plugins,
            refresh_after: ports.refresh_after,
            clock: ports.clock,
            random: ports.random,
            recipients: ports.recipients,
            subscribers: ports.subscribers,
            contact_providers: ports.contact_providers,
            contact_check: ports.contact_check,
            postponed: broadcast::Sender::new(POSTPONED),
        }
    }

    /// Waits until what was written can be read. A projection that lags longer does not undo the write.
    pub(crate) async fn settle(&self, tenant: TenantId, position: Option<Position>) {
        if let Some(position) = position
            && !self.read_models.wait_for(tenant, position, READ_YOUR_WRITES).await
        {
            metrics::counter!("chatledger_read_your_writes_timeouts_total").increment(1);
        }
    }

    /// Metadata of something the system does by itself.
    pub(crate) fn system(&self, part: &str, causation: Option<Position>) -> Arc<Metadata> {
        Arc::new(Metadata {
            actor: Cause::System { part: part.to_owned() },
            family: "system".to_owned(),
            correlation_id: self.random.uuid().to_string(),
            causation: causation.map(|position| position.0),
        })
    }
}

impl Application {
    /// The stream of the aggregate whose id on the wire is this position; `None` when another type's event is there.
    pub(crate) async fn stream_at<D: Aggregate>(
        &self,
        tenant: TenantId,
        position: i64,
    ) -> Result<Option<String>, ApplicationError> {
        if position < 1 {
            return Ok(None);
        }
        let found = self.ledger.at(tenant, Position(position)).await?;
        Ok(found.filter(|r| r.stream.aggregate_type == D::TYPE).map(|r| r.stream.aggregate_id))
    }
}
