//! Records what WhatsApp answered to a send.

use chatledger_domain::{
    MessageId, Position, RawJson, TenantId, WaId,
    chat::{Chat, ChatCommand},
};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

impl Application {
    /// WhatsApp took the message.
    ///
    /// # Errors
    /// The ledger's fault; may be repeated.
    pub async fn accept_message(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message_id: MessageId,
        waba_id: String,
        response: RawJson,
    ) -> Result<(), ApplicationError> {
        self.chat_command(tenant, wa_id, || ChatCommand::AcceptMessage {
            message_id,
            waba_id: waba_id.clone(),
            response: response.clone(),
        })
        .await
    }

    /// WhatsApp refused the message for good.
    ///
    /// # Errors
    /// The ledger's fault; may be repeated.
    pub async fn reject_message(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message_id: MessageId,
        errors: RawJson,
    ) -> Result<(), ApplicationError> {
        self.chat_command(tenant, wa_id, || ChatCommand::RejectMessage { message_id, errors: errors.clone() }).await
    }

    /// WhatsApp's answer got lost.
    ///
    /// # Errors
    /// The ledger's fault; may be repeated.
    pub async fn lose_outcome(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message_id: MessageId,
    ) -> Result<(), ApplicationError> {
        self.chat_command(tenant, wa_id, || ChatCommand::LoseOutcome { message_id }).await
    }

    async fn chat_command(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        command: impl Fn() -> ChatCommand,
    ) -> Result<(), ApplicationError> {
        let metadata = self.system("sender", None::<Position>);
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        self.streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| d.decide::<Chat>(wa_id.as_str(), command()))
            .await?;
        Ok(())
    }
}
