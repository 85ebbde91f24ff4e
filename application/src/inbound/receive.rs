//! A webhook call from the door to the ledger: checked, read, routed, recorded; answered only when durable (R-IN-2).

use std::sync::Arc;

use chatledger_domain::TenantId;

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{
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
            let tenant = match &element.phone_number_id {
                Some(id) => self.tenant_of_number(door, Some(id)).await?,
                None => door.known_tenant(),
            };
            if tenant.is_none() && self.is_given_up(element.phone_number_id.as_deref()).await? {
                continue;
            }
            kept.push(self.quarantined(tenant.unwrap_or_default(), door, element.reason, element.body));
        }
        let mut by_tenant: Vec<(TenantId, Vec<Routed>)> = Vec::new();
        for routed in items {
            let mut tenants = self.tenants_of(door, &routed).await?;
            let Some(tenant) = tenants.pop() else {
                if self.is_given_up(routed.phone_number_id.as_deref()).await? {
                    continue;
                }
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

    /// The tenant of the number; for a notice, which names only the business account, every tenant of that.
    async fn tenants_of(&self, door: Door, routed: &Routed) -> Result<Vec<TenantId>, ApplicationError> {
        if let (Door::Cloud, None, Envelope::Cloud { entry_id, .. }) = (door, &routed.phone_number_id, &routed.envelope)
        {
            let all = self.directory.all().await?;
            let owned = all
                .iter()
                .filter(|entry| entry.number.as_ref().is_some_and(|number| number.waba_id.as_ref() == Some(entry_id)));
            return Ok(owned.map(|entry| entry.id).collect());
        }
        Ok(self.tenant_of_number(door, routed.phone_number_id.as_deref()).await?.into_iter().collect())
    }

    async fn tenant_of_number(&self, door: Door, number: Option<&str>) -> Result<Option<TenantId>, ApplicationError> {
        match (door, number) {
            (Door::Channel(tenant), _) => Ok(Some(tenant)),
            (Door::Cloud, None) => Ok(None),
            (Door::Cloud, Some(id)) => Ok(self.directory.by_phone_number_id(id).await?.map(|entry| entry.id)),
        }
    }

    /// Whether the number was somebody's and is nobody's now: what comes for it is acknowledged and left (R-ACC-2).
    async fn is_given_up(&self, phone_number_id: Option<&str>) -> Result<bool, ApplicationError> {
        match phone_number_id {
            Some(id) => Ok(self.directory.was_given_up(id).await?),
            None => Ok(false),
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
    fn known_tenant(self) -> Option<TenantId> {
        match self {
            Self::Cloud => None,
            Self::Channel(tenant) => Some(tenant),
        }
    }

    fn tenant(self) -> TenantId {
        self.known_tenant().unwrap_or_default()
    }
}

fn add(by_tenant: &mut Vec<(TenantId, Vec<Routed>)>, tenant: TenantId, routed: Routed) {
    match by_tenant.iter_mut().find(|(known, _)| *known == tenant) {
        Some((_, items)) => items.push(routed),
        None => by_tenant.push((tenant, vec![routed])),
    }
}
