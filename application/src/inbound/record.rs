//! Elements of a call into the ledger: one unit for a tenant's part of the call, so that contact, chat and messages
//! appear together (R-IN-9), and what was told at once stays together for those who are told (R-IWH-1).

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chatledger_domain::{
    MessageId, RawJson, TenantId, WaId,
    chat::{Chat, ChatCommand, Echo, Incoming, StatusReport},
    contact::{Contact, ContactCommand, OptIn, keyword_in},
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

impl Application {
    /// Records a tenant's elements; those that cannot be recorded come back.
    pub(crate) async fn record_items(
        &self,
        tenant: TenantId,
        items: Vec<Routed>,
        metadata: &Arc<Metadata>,
    ) -> Result<Vec<Refused>, ApplicationError> {
        match self.record_unit(tenant, &items, metadata).await {
            Ok(()) => return Ok(Vec::new()),
            // Something spoils the whole, or somebody is always faster: customer by customer.
            Err(ApplicationError::Refused(_) | ApplicationError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let mut customers: BTreeMap<String, Vec<Routed>> = BTreeMap::new();
        for routed in items {
            customers.entry(key_of(&routed).to_owned()).or_default().push(routed);
        }
        let work = customers.into_values().map(|items| self.record_customer(tenant, items, metadata));
        let mut refused = Vec::new();
        for result in join_all(work).await {
            refused.extend(result?);
        }
        Ok(refused)
    }

    async fn record_customer(
        &self,
        tenant: TenantId,
        items: Vec<Routed>,
        metadata: &Arc<Metadata>,
    ) -> Result<Vec<Refused>, ApplicationError> {
        match self.record_unit(tenant, &items, metadata).await {
            Ok(()) => return Ok(Vec::new()),
            Err(ApplicationError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        // One element spoils the unit: record them one by one, and keep only the bad one out.
        let mut refused = Vec::new();
        for routed in items {
            match self.record_unit(tenant, std::slice::from_ref(&routed), metadata).await {
                Ok(()) => {}
                Err(ApplicationError::Refused(error)) => refused.push((routed, error_text(&error))),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    /// Records elements in the order in which WhatsApp told them (R-IWH-2), all or none.
    async fn record_unit(
        &self,
        tenant: TenantId,
        items: &[Routed],
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let now = self.clock.now();
        let ids: Vec<MessageId> = items.iter().map(|_| MessageId(self.random.uuid())).collect();
        let words = self.words(tenant, items).await?;
        let mut known = HashSet::new();
        let keys = items.iter().map(key_of).filter(|key| known.insert(*key));
        let streams: Vec<StreamOf> = keys.flat_map(streams_of).collect();
        self.streams
            .transact(tenant, &streams, metadata, now, |decisions| {
                for ((routed, id), word) in items.iter().zip(&ids).zip(&words) {
                    record_item(decisions, key_of(routed), &routed.item, *id, word.as_ref(), now)?;
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        Ok(())
    }

    /// What each element says of being written to, by the tenant's keywords (R-CUS-6).
    async fn words(&self, tenant: TenantId, items: &[Routed]) -> Result<Vec<Option<Word>>, ApplicationError> {
        let texts: Vec<Option<String>> = items.iter().map(|routed| text_of(&routed.item)).collect();
        if texts.iter().all(Option::is_none) {
            return Ok(texts.iter().map(|_| None).collect());
        }
        let settings = self.directory.by_id(tenant).await?.map(|entry| entry.settings).unwrap_or_default();
        let word = |text: Option<String>| {
            let (status, keyword) = keyword_in(&text?, &settings.opt_out_keywords, &settings.opt_in_keywords)?;
            Some((status, keyword.to_owned()))
        };
        Ok(texts.into_iter().map(word).collect())
    }
}

/// A customer's wish, and the tenant's keyword that said it.
type Word = (OptIn, String);

/// What a customer wrote, where it is nothing but text.
fn text_of(item: &Item) -> Option<String> {
    let Item::Message(message) = item else { return None };
    if message.kind != "text" {
        return None;
    }
    message.message.tree()["text"]["body"].as_str().map(str::to_owned)
}

/// Whose element it is: a customer's, by id, or the account's own.
fn key_of(routed: &Routed) -> &str {
    routed.item.wa_id().map_or(ACCOUNT, WaId::as_str)
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
    word: Option<&Word>,
    now: DateTime<Utc>,
) -> Result<(), ApplicationError> {
    match item.clone() {
        Item::Message(message) => {
            let (at, contact) = (at(message.timestamp, now), profile(&message));
            let word = word.map(|word| opt_in(word, message.timestamp.min(now.timestamp())));
            let InboundMessage { waba_id, timestamp, kind, context, referral, message, .. } = message;
            let incoming = Incoming { message_id, waba_id, timestamp, kind, context, referral, message };
            let received =
                decisions.decide_at::<Chat>(key, ChatCommand::ReceiveMessage { incoming, now: now.timestamp() }, at)?;
            // A repeat says nothing new of the contact either: an old name must not come back.
            if received > 0 {
                decisions.decide_at::<Contact>(key, contact, at)?;
                if let Some(word) = word {
                    decisions.decide_at::<Contact>(key, word, at)?;
                }
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

/// The customer's own word.
fn opt_in((status, keyword): &Word, timestamp: i64) -> ContactCommand {
    let (source, keyword) = ("whatsapp".to_owned(), Some(keyword.clone()));
    ContactCommand::SetOptIn { status: *status, source, done_by: None, keyword, timestamp }
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
