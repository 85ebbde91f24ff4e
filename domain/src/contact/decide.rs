//! The rules of contacts.

use super::{
    Consent, Contact, ContactCommand, ContactErased, ContactEvent, ContactProfileSeen, ContactRefusal, ContactUpserted,
    OptInChanged,
};
use crate::{decider::Decider, ids::Position};

impl Decider for Contact {
    const TYPE: &'static str = "Contact";
    type Command = ContactCommand;
    type Event = ContactEvent;
    type Refusal = ContactRefusal;

    fn decide(&self, command: ContactCommand) -> Result<Vec<ContactEvent>, ContactRefusal> {
        match command {
            ContactCommand::SeeProfile { name, profile } => {
                let name = name.filter(|name| !name.trim().is_empty());
                let news = !self.exists || (name.is_some() && name != self.name);
                Ok(if news { vec![ContactProfileSeen { name, profile }.into()] } else { Vec::new() })
            }
            ContactCommand::Upsert { name, phone_numbers, email_addresses, done_by } => {
                let before = self.saved.clone().unwrap_or_default();
                let given = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
                let name = given.or_else(|| before.name.clone()).or_else(|| self.name.clone());
                let phone_numbers = phone_numbers.unwrap_or_else(|| before.phone_numbers.clone());
                let email_addresses = email_addresses.unwrap_or_else(|| before.email_addresses.clone());
                let upserted = ContactUpserted { name, phone_numbers, email_addresses, done_by };
                let news = self.saved.as_ref() != Some(&upserted.saved());
                Ok(if news { vec![upserted.into()] } else { Vec::new() })
            }
            ContactCommand::SetOptIn { status, source, done_by, keyword, timestamp } => {
                // WhatsApp may bring a word late: one that the customer has taken back since says nothing.
                let is_late = keyword.is_some() && self.last_keyword.is_some_and(|last| timestamp < last);
                let same = |consent: &Consent| (consent.status, &*consent.source) == (status, &*source);
                let is_news = !is_late && !self.consent.as_ref().is_some_and(same);
                let changed = OptInChanged { status, source, done_by, timestamp, keyword };
                Ok(if is_news { vec![changed.into()] } else { Vec::new() })
            }
            ContactCommand::Erase { events, is_news, done_by, now } => {
                let erased = ContactErased { done_by, timestamp: now, events };
                Ok(if self.erased && !is_news { Vec::new() } else { vec![erased.into()] })
            }
        }
    }

    fn evolve(&mut self, event: &ContactEvent, _: Position) {
        self.after(event);
    }
}
