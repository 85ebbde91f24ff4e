//! The rules of contacts.

use super::{
    Contact, ContactCommand, ContactErased, ContactEvent, ContactProfileSeen, ContactRefusal, ContactUpserted,
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
