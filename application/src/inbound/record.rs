//! Elements of a call into the ledger: one unit for a tenant's part of the call, so that contact, chat and messages
//! appear together (R-IN-9), and what was told at once stays together for those who are told (R-IWH-1).

use std::{collections::HashMap, sync::Arc};

use chatledger_domain::{
    MessageId, RawJson, TenantId, WaId,
    chat::{Chat, ChatCommand, Echo, Incoming, StatusReport},
    contact::{Contact, ContactCommand},
    template_catalogue::{TemplateCatalogue, TemplateCatalogueCommand},
    whatsapp_account::{WhatsAppAccount, WhatsAppAccountCommand},
};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    account::TEMPLATES,
    application::Application,
    chats::ACCOUNT,
    error::ApplicationError,
    ports::{
        ledger::Metadata,
        whatsapp::{InboundMessage, Item, Routed},
    },
    streams::{Decisions, StreamOf},
};

/// An element that the ledger itself refuses, and why.
type Refused = (Routed, String);
/// A customer's elements, under the customer's id; those of the account itself under [`ACCOUNT`].
type Group = (String, Vec<Routed>);

impl Application {
    /// Records a tenant's elements; those that cannot be recorded come back.
    pub(crate) async fn record_items(
        &self,
        tenant: TenantId,
        items: Vec<Routed>,
        metadata: &Arc<Metadata>,
    ) -> Result<Vec<Refused>, ApplicationError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for routed in items {
            let key = routed.item.wa_id().map_or(ACCOUNT, WaId::as_str);
            match places.get(key) {
                Some(place) => groups[*place].1.push(routed),
                None => {
                    places.insert(key.to_owned(), groups.len());
                    groups.push((key.to_owned(), vec![routed]));
                }
            }
        }
        match self.record_unit(tenant, &groups, metadata).await {
            Ok(()) => Ok(Vec::new()),
            // Something spoils the whole, or somebody is always faster: customer by customer.
            Err(ApplicationError::Refused(_) | ApplicationError::Conflict) if groups.len() > 1 => {
                let work = groups.into_iter().map(|group| self.record_group(tenant, group, metadata));
                let mut refused = Vec::new();
                for result in join_all(work).await {
                    refused.extend(result?);
                }
                Ok(refused)
            }
            Err(ApplicationError::Refused(_)) => match groups.pop() {
                Some(group) => self.record_group(tenant, group, metadata).await,
                None => Ok(Vec::new()),
            },
            Err(error) => Err(error),
        }
    }

    async fn record_group(
        &self,
        tenant: TenantId,
        (key, group): Group,
        metadata: &Arc<Metadata>,
    ) -> Result<Vec<Refused>, ApplicationError> {
        let mut unit = [(key, group)];
        match self.record_unit(tenant, &unit, metadata).await {
            Ok(()) => return Ok(Vec::new()),
            Err(ApplicationError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        // One element spoils the unit: record them one by one, and keep only the bad one out.
        let mut refused = Vec::new();
        for routed in std::mem::take(&mut unit[0].1) {
            unit[0].1 = vec![routed.clone()];
            match self.record_unit(tenant, &unit, metadata).await {
                Ok(()) => {}
                Err(ApplicationError::Refused(error)) => refused.push((routed, error_text(&error))),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn record_unit(
        &self,
        tenant: TenantId,
        groups: &[Group],
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let now = self.clock.now();
        let elements: Vec<(&str, &Routed, MessageId)> = groups
            .iter()
            .flat_map(|(key, group)| group.iter().map(move |routed| (key.as_str(), routed)))
            .map(|(key, routed)| (key, routed, MessageId(self.random.uuid())))
            .collect();
        let streams: Vec<StreamOf> = groups.iter().flat_map(|(key, _)| streams_of(key)).collect();
        self.streams
            .transact(tenant, &streams, metadata, now, |decisions| {
                for (key, routed, id) in &elements {
                    record_item(decisions, key, &routed.item, *id, now)?;
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        Ok(())
    }
}

/// What a customer's elements change; for those of the account itself, what these change.
fn streams_of(key: &str) -> [StreamOf; 2] {
    if key == ACCOUNT {
        [StreamOf::new::<WhatsAppAccount>(ACCOUNT), StreamOf::new::<TemplateCatalogue>(TEMPLATES)]
    } else {
        [StreamOf::new::<Contact>(key), StreamOf::new::<Chat>(key)]
    }
}

fn record_item(
    decisions: &mut Decisions<'_>,
    key: &str,
    item: &Item,
    message_id: MessageId,
    now: DateTime<Utc>,
) -> Result<(), ApplicationError> {
    match item.clone() {
        Item::Message(message) => {
            let (at, contact) = (at(message.timestamp, now), profile(&message));
            let InboundMessage { waba_id, timestamp, kind, context, referral, message, .. } = message;
            let incoming = Incoming { message_id, waba_id, timestamp, kind, context, referral, message };
            let received =
                decisions.decide_at::<Chat>(key, ChatCommand::ReceiveMessage { incoming, now: now.timestamp() }, at)?;
            // A repeat says nothing new of the contact either: an old name must not come back.
            if received > 0 {
                decisions.decide_at::<Contact>(key, contact, at)?;
            }
        }
        Item::Echo(e) => {
            let at = at(e.timestamp, now);
            let echo = Echo {
                message_id,
                waba_id: e.waba_id,
                timestamp: e.timestamp,
                kind: e.kind,
                context: e.context,
                message: e.message,
            };
            decisions.decide_at::<Chat>(key, ChatCommand::EchoMessage { echo }, at)?;
        }
        Item::Status(s) => {
            let at = at(s.timestamp, now);
            let (waba_id, message_id, status) = (s.waba_id, s.message_id, s.status);
            let report = StatusReport { waba_id, message_id, status, timestamp: s.timestamp, report: s.report };
            decisions.decide_at::<Chat>(key, ChatCommand::ReportStatus { report }, at)?;
        }
        Item::TemplateStatus { name, language, status, report, fingerprint } => {
            let change = template_change(&name, &language, &status, &report);
            let command = WhatsAppAccountCommand::ReportTemplateStatus { name, language, status, report, fingerprint };
            // A repeat says nothing new of the template either.
            if decisions.decide::<WhatsAppAccount>(key, command)? > 0 {
                decisions.decide::<TemplateCatalogue>(TEMPLATES, change)?;
            }
        }
        Item::Notice { field, report, fingerprint } => {
            let command = WhatsAppAccountCommand::ReceiveNotice { field, report, fingerprint };
            decisions.decide::<WhatsAppAccount>(key, command)?;
        }
    }
    Ok(())
}

fn profile(message: &InboundMessage) -> ContactCommand {
    let profile = message.contact.clone().unwrap_or_else(|| RawJson::from(&json!({"wa_id": message.wa_id})));
    ContactCommand::SeeProfile { name: message.name.clone(), profile }
}

/// What a notice says of a template.
fn template_change(name: &str, language: &str, status: &str, report: &RawJson) -> TemplateCatalogueCommand {
    let report = report.tree();
    // WhatsApp writes it as a number, partners as text.
    let id = match &report["message_template_id"] {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    let reason = report["reason"].as_str().filter(|_| status == "rejected").unwrap_or("NONE");
    TemplateCatalogueCommand::ReportStatus {
        name: name.to_owned(),
        language: language.to_owned(),
        id,
        status: status.to_owned(),
        rejected_reason: reason.to_owned(),
    }
}

/// When it happened: WhatsApp's time, or now for a time that no calendar has.
fn at(timestamp: i64, now: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(timestamp, 0)
        .filter(|at| (1970..10_000).contains(&chrono::Datelike::year(at)))
        .unwrap_or(now)
}

fn error_text(error: &crate::ports::ledger::AppendError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

impl Item {
    fn wa_id(&self) -> Option<&WaId> {
        match self {
            Self::Message(message) => Some(&message.wa_id),
            Self::Echo(echo) => Some(&echo.wa_id),
            Self::Status(status) => Some(&status.wa_id),
            Self::TemplateStatus { .. } | Self::Notice { .. } => None,
        }
    }
}
