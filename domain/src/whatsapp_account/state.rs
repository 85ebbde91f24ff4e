//! What the account's decisions need.

use serde::{Deserialize, Serialize};

use super::event::{Channel, WhatsAppAccountEvent};

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
}

impl WhatsAppAccount {
    pub(super) fn after(&mut self, event: &WhatsAppAccountEvent) {
        match event {
            WhatsAppAccountEvent::AccountConnected(e) => {
                self.number = Some(Number {
                    phone_number_id: e.phone_number_id.clone(),
                    display_phone_number: e.display_phone_number.clone(),
                    channel: e.channel,
                    waba_id: e.waba_id.clone(),
                });
            }
            WhatsAppAccountEvent::AccountDisconnected(_) => self.number = None,
            WhatsAppAccountEvent::TemplateStatusReported(_) | WhatsAppAccountEvent::AccountNoticeReceived(_) => {}
        }
    }
}
