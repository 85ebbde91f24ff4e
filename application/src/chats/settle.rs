//! Records what became of a send.

use async_trait::async_trait;
use chatledger_domain::{
    MessageId, RawJson, TenantId, WaId,
    chat::{Chat, ChatCommand},
};

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{Unavailable, outbound::Settle},
    streams::StreamOf,
};

#[async_trait]
impl Settle for Application {
    async fn accepted(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message_id: MessageId,
        waba_id: String,
        response: RawJson,
    ) -> Result<(), Unavailable> {
        let command = ChatCommand::AcceptMessage { message_id, waba_id, response };
        self.settle_with(tenant, wa_id, command).await
    }

    async fn rejected(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message_id: MessageId,
        errors: RawJson,
    ) -> Result<(), Unavailable> {
        self.settle_with(tenant, wa_id, ChatCommand::RejectMessage { message_id, errors }).await
    }

    async fn unknown(&self, tenant: TenantId, wa_id: &WaId, message_id: MessageId) -> Result<bool, Unavailable> {
        self.settle_with(tenant, wa_id, ChatCommand::LoseOutcome { message_id }).await?;
        let chat: Chat = self.streams.state(tenant, wa_id.as_str()).await.map_err(unavailable)?;
        Ok(chat.pending.contains_key(&message_id))
    }

    fn postponed(&self, tenant: TenantId, message_id: MessageId) {
        // Nobody may be waiting.
        let _ = self.postponed.send((tenant, message_id));
    }
}

impl Application {
    async fn settle_with(&self, tenant: TenantId, wa_id: &WaId, command: ChatCommand) -> Result<(), Unavailable> {
        let metadata = self.system("sender", None);
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let work = self.streams.transact(tenant, &streams, &metadata, self.clock.now(), |decisions| {
            decisions.decide::<Chat>(wa_id.as_str(), command.clone())
        });
        work.await.map_err(unavailable)?;
        Ok(())
    }
}

fn unavailable(error: ApplicationError) -> Unavailable {
    Unavailable::new("the ledger", error)
}
