//! The rules of a WhatsApp account.

use super::{
    AccountConnected, AccountDisconnected, AccountNoticeReceived, Number, TemplateStatusReported, WhatsAppAccount,
    WhatsAppAccountCommand, WhatsAppAccountEvent, WhatsAppAccountRefusal,
};
use crate::{decider::Decider, ids::Position};

impl Decider for WhatsAppAccount {
    const TYPE: &'static str = "WhatsAppAccount";
    type Command = WhatsAppAccountCommand;
    type Event = WhatsAppAccountEvent;
    type Refusal = WhatsAppAccountRefusal;

    fn decide(&self, command: WhatsAppAccountCommand) -> Result<Vec<WhatsAppAccountEvent>, WhatsAppAccountRefusal> {
        match command {
            WhatsAppAccountCommand::Connect { number, webhook_url } => match &self.number {
                Some(same) if *same == number => Ok(Vec::new()),
                Some(_) => Err(WhatsAppAccountRefusal::AlreadyConnected),
                None => {
                    let Number { phone_number_id, display_phone_number, channel, waba_id } = number;
                    let connected =
                        AccountConnected { phone_number_id, display_phone_number, channel, waba_id, webhook_url };
                    Ok(vec![connected.into()])
                }
            },
            WhatsAppAccountCommand::Disconnect => Ok(self
                .number
                .iter()
                .map(|n| AccountDisconnected { phone_number_id: n.phone_number_id.clone() }.into())
                .collect()),
            WhatsAppAccountCommand::ReportTemplateStatus { name, language, status, report, fingerprint } => {
                Ok(vec![TemplateStatusReported { name, language, status, report, fingerprint }.into()])
            }
            WhatsAppAccountCommand::ReceiveNotice { field, report, fingerprint } => {
                Ok(vec![AccountNoticeReceived { field, report, fingerprint }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &WhatsAppAccountEvent, position: Position) {
        self.after(event, position);
    }
}
