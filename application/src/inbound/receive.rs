//! A webhook call from the door to the ledger: checked, read, routed, recorded; answered only when durable (R-IN-2).

use std::sync::Arc;

use chatledger_domain::TenantId;

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{
        directory::Holder,
        ledger::{Cause, Metadata},
        quarantine::Quarantined,
        vault::Kind,
        whatsapp::{Call, Envelope, NotACall, Routed},
    },
};

/// What is answered to WhatsApp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookVerdict {
    /// Everything the call reports is durable, in the ledger or in quarantine.
    Recorded,
    /// The body is not a JSON object; it is in quarantine (R-IN-3).
    NotACall,
    /// The signature is missing or wrong; nothing was stored (R-IN-1).
    InvalidSignature,
    /// No tenant has this channel secret.
    UnknownChannel,
}

/// The verdict on a call, and how many of its elements went into quarantine.
pub(crate) struct Receipt {
    pub(crate) verdict: WebhookVerdict,
    pub(crate) kept: usize,
}

/// The door of all tenants, and a tenant's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Cloud,
    Channel(TenantId),
}

impl Door {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::Channel(_) => "channel",
        }
    }
}

impl Application {
    /// A call of the Cloud API; the signature is over the raw body.
    ///
    /// # Errors
    /// Only when something could not be made durable: WhatsApp will come again.
    pub async fn receive_cloud(
        &self,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<WebhookVerdict, ApplicationError> {
        if !signature.is_some_and(|signature| self.webhooks.is_signed(signature, body)) {
            metrics::counter!("chatledger_webhooks_refused_total").increment(1);
            return Ok(WebhookVerdict::InvalidSignature);
        }
        Ok(self.receive(Door::Cloud, body).await?.verdict)
    }

    /// A call at a tenant's own door; the path is the secret.
    ///
    /// # Errors
    /// As [`Self::receive_cloud`].
    pub async fn receive_channel(&self, secret: &str, body: &[u8]) -> Result<WebhookVerdict, ApplicationError> {
        let tenants = match secret.get(..8) {
            Some(tag) => self.directory.by_tag(tag).await?,
            None => Vec::new(),
        };
        match self.vault.tenant_of(&tenants, Kind::ChannelSecret, secret).await? {
            Some(tenant) => Ok(self.receive(Door::Channel(tenant), body).await?.verdict),
            None => Ok(WebhookVerdict::UnknownChannel),
        }
    }

    /// Whether WhatsApp may verify our webhook with this token: the deployment's, or any tenant's.
    ///
    /// # Errors
    /// The directory's or the vault's fault.
    pub async fn verifies_subscription(&self, token: &str) -> Result<bool, ApplicationError> {
        if self.webhooks.is_verify_token(token) {
            return Ok(true);
        }
        let tenants: Vec<TenantId> = self.directory.all().await?.iter().map(|entry| entry.id).collect();
        Ok(self.vault.tenant_of(&tenants, Kind::VerifyToken, token).await?.is_some())
    }

    pub(crate) async fn receive(&self, door: Door, body: &[u8]) -> Result<Receipt, ApplicationError> {
        metrics::counter!("chatledger_webhooks_received_total").increment(1);
        let call = match self.webhooks.read(body) {
            Ok(call) => call,
            Err(NotACall(reason)) => {
                let tenant = door.tenant();
                self.quarantine.keep(vec![self.quarantined(tenant, door, reason, body.to_vec())]).await?;
                return Ok(Receipt { verdict: WebhookVerdict::NotACall, kept: 1 });
            }
        };
        let kept = self.record(door, call).await?;
        Ok(Receipt { verdict: WebhookVerdict::Recorded, kept })
    }

    /// Records what can be recorded and keeps the rest (R-IN-6): how many it kept.
    async fn record(&self, door: Door, call: Call) -> Result<usize, ApplicationError> {
        if let Door::Channel(tenant) = door
            && self.has_given_up(tenant).await?
        {
            return Ok(0);
        }
        let Call { items, unreadable } = call;
        let mut kept: Vec<Quarantined> = Vec::new();
        for element in unreadable {
            let tenant = match self.holder(door, element.phone_number_id.as_deref()).await? {
                Holder::Tenant(tenant) => tenant,
                Holder::GivenUp => continue,
                Holder::Nobody => TenantId::default(),
            };
            kept.push(self.quarantined(tenant, door, element.reason, element.body));
        }
        let mut by_tenant: Vec<(TenantId, Vec<Routed>)> = Vec::new();
        for routed in items {
            let Some(mut tenants) = self.tenants_of(door, &routed).await? else { continue };
            let Some(tenant) = tenants.pop() else {
                let body = self.webhooks.envelope(&routed);
                kept.push(self.quarantined(TenantId::default(), door, "nobody's number or account".into(), body));
                continue;
            };
            for other in tenants {
                add(&mut by_tenant, other, routed.clone());
            }
            add(&mut by_tenant, tenant, routed);
        }
        for (tenant, items) in by_tenant {
            let refused = self.record_items(tenant, items, &self.whatsapp()).await?;
            kept.extend(
                refused
                    .into_iter()
                    .map(|(routed, reason)| self.quarantined(tenant, door, reason, self.webhooks.envelope(&routed))),
            );
        }
        let count = kept.len();
        if count > 0 {
            metrics::counter!("chatledger_webhook_elements_quarantined_total").increment(count as u64);
            self.quarantine.keep(kept).await?;
        }
        Ok(count)
    }

    /// The tenant of the number; for a notice, which names only the business account, every tenant of that. `None` for a
    /// number that was given up.
    async fn tenants_of(&self, door: Door, routed: &Routed) -> Result<Option<Vec<TenantId>>, ApplicationError> {
        if let (Door::Cloud, None, Envelope::Cloud { entry_id, .. }) = (door, &routed.phone_number_id, &routed.envelope)
        {
            let all = self.directory.all().await?;
            let owned = all
                .iter()
                .filter(|entry| entry.number.as_ref().is_some_and(|number| number.waba_id.as_ref() == Some(entry_id)));
            return Ok(Some(owned.map(|entry| entry.id).collect()));
        }
        Ok(match self.holder(door, routed.phone_number_id.as_deref()).await? {
            Holder::Tenant(tenant) => Some(vec![tenant]),
            Holder::GivenUp => None,
            Holder::Nobody => Some(Vec::new()),
        })
    }

    /// Whose a call is. A number that nobody seems to have may have been connected just now, by another server.
    async fn holder(&self, door: Door, number: Option<&str>) -> Result<Holder, ApplicationError> {
        let number = match (door, number) {
            (Door::Channel(tenant), _) => return Ok(Holder::Tenant(tenant)),
            (Door::Cloud, None) => return Ok(Holder::Nobody),
            (Door::Cloud, Some(number)) => number,
        };
        match self.directory.by_phone_number_id(number).await? {
            Some(entry) => Ok(Holder::Tenant(entry.id)),
            None => Ok(self.directory.holder(number).await?),
        }
    }

    fn quarantined(&self, tenant: TenantId, door: Door, reason: String, body: Vec<u8>) -> Quarantined {
        let (id, received_at) = (self.random.uuid(), self.clock.now());
        Quarantined { tenant, id, received_at, door: door.name().to_owned(), reason, body }
    }

    fn whatsapp(&self) -> Arc<Metadata> {
        Arc::new(Metadata {
            actor: Cause::Whatsapp,
            family: "whatsapp".to_owned(),
            correlation_id: self.random.uuid().to_string(),
            causation: None,
        })
    }
}

impl Door {
    fn tenant(self) -> TenantId {
        match self {
            Self::Cloud => TenantId::default(),
            Self::Channel(tenant) => tenant,
        }
    }
}

fn add(by_tenant: &mut Vec<(TenantId, Vec<Routed>)>, tenant: TenantId, routed: Routed) {
    match by_tenant.iter_mut().find(|(known, _)| *known == tenant) {
        Some((_, items)) => items.push(routed),
        None => by_tenant.push((tenant, vec![routed])),
    }
}
