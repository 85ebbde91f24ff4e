//! The rules of contacts.

use super::{Contact, ContactCommand, ContactEvent, ContactProfileSeen, ContactRefusal};
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
        }
    }

    fn evolve(&mut self, event: &ContactEvent, _: Position) {
        self.after(event);
    }
}
