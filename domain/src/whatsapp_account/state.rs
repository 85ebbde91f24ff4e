//! What the account's decisions need.

use serde::{Deserialize, Serialize};

use super::{
    event::{Channel, WhatsAppAccountEvent},
    tier::Tier,
};
use crate::ids::Position;

/// The connected number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// WhatsApp's id of it.
    pub phone_number_id: String,
    /// The number as people read it.
    pub display_phone_number: String,
    /// How WhatsApp is reached.
    pub channel: Channel,
    /// The WhatsApp business account that owns it.
    #[serde(default)]
    pub waba_id: Option<String>,
}

/// A tenant's WhatsApp account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhatsAppAccount {
    /// The number, while one is connected.
    pub number: Option<Number>,
    /// Where the last number was connected; stays when it is disconnected.
    pub connected_at: Option<Position>,
    /// What WhatsApp lets it send on a day.
    pub tier: Tier,
}

impl WhatsAppAccount {
    pub(super) fn after(&mut self, event: &WhatsAppAccountEvent, position: Position) {
        match event {
            WhatsAppAccountEvent::AccountConnected(e) => {
                self.number = Some(Number {
                    phone_number_id: e.phone_number_id.clone(),
                    display_phone_number: e.display_phone_number.clone(),
                    channel: e.channel,
                    waba_id: e.waba_id.clone(),
                });
                self.connected_at = Some(position);
                self.tier = Tier::default();
            }
            WhatsAppAccountEvent::AccountDisconnected(_) => self.number = None,
            WhatsAppAccountEvent::AccountNoticeReceived(e) => {
                let told = self.number.as_ref().and_then(|number| Tier::told_by(e, &number.display_phone_number));
                self.tier = told.unwrap_or(self.tier);
            }
            WhatsAppAccountEvent::TemplateStatusReported(_) => {}
        }
    }

    /// Whether a number was connected once and none is now: what comes for it is nobody's concern any more.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.number.is_none() && self.connected_at.is_some()
    }
}
