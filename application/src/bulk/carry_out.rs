//! Sends a bulk message, recipient by recipient, as its creator would.
//!
//! Each recipient's message has an id that follows from the bulk message and the recipient, so sending it again after
//! a crash, or on two servers at once, sends nothing twice and finds the outcome of the first time.

use std::collections::BTreeMap;

use chatledger_domain::{
    Actor, TenantId, WaId,
    bulk_message::{BulkMessage, BulkMessageCommand, BulkMessageCreated, ElementOutcome, fill},
    chat::content,
};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::{
    application::{Application, Context},
    chats::{SendMessage, SendingOutcome},
    error::ApplicationError,
    streams::StreamOf,
};

/// Recipients that are sent to at once, and settled together.
const AT_ONCE: usize = 16;

impl Application {
    /// Carries out what is left of a bulk message. May be cut short and repeated at any point.
    ///
    /// # Errors
    /// A fault of the outside; what was settled until then stays settled.
    pub async fn carry_out_bulk_message(&self, tenant: TenantId, task: Uuid) -> Result<(), ApplicationError> {
        let bulk: BulkMessage = self.streams.state(tenant, &task.to_string()).await?;
        let Some(created) = bulk.created else { return Err(ApplicationError::UnknownBulkMessage) };
        let open: Vec<&WaId> = created.recipients.iter().filter(|id| bulk.open.contains(id)).collect();
        for some in open.chunks(AT_ONCE) {
            // Its permissions may change while we are at it.
            let actor = self.recipients.actor(tenant, created.sender).await?;
            let sent = some.iter().map(|wa_id| self.send_element(tenant, actor.as_ref(), &created, wa_id));
            let mut settled = Vec::new();
            let mut fault = None;
            for (wa_id, outcome) in some.iter().zip(join_all(sent).await) {
                match outcome {
                    Ok(outcome) => settled.push(((*wa_id).clone(), outcome)),
                    Err(error) => fault = Some(error),
                }
            }
            self.settle_elements(tenant, task, settled).await?;
            if let Some(error) = fault {
                return Err(error);
            }
        }
        Ok(())
    }

    async fn send_element(
        &self,
        tenant: TenantId,
        actor: Option<&Actor>,
        created: &BulkMessageCreated,
        wa_id: &WaId,
    ) -> Result<ElementOutcome, ApplicationError> {
        let Some(actor) = actor else { return Ok(ElementOutcome::NotAllowed) };
        let values = created.fills.get(wa_id.as_str());
        let content = fill(&created.content, values.unwrap_or(&BTreeMap::new()));
        if let Some((path, _)) = content::problems(&created.kind, &content.tree()).first() {
            return Ok(ElementOutcome::Invalid { reason: format!("{path} does not fit with the recipient's values.") });
        }
        let context = Context {
            tenant,
            actor: actor.clone(),
            family: "integration",
            correlation_id: format!("bulk-{}", created.id),
        };
        let send = SendMessage {
            conversation: None,
            wa_id: wa_id.clone(),
            kind: content::sent_type(&created.kind).to_owned(),
            message: content::message(wa_id, &created.kind, &content),
            context: None,
            // Longer than any id that a client may give, so that no client can be in the way.
            pending: Some(format!("bulk message {} for the recipient {wa_id}", created.id)),
        };
        match self.send_message(&context, send).await {
            Ok(sending) => Ok(match sending.outcome {
                SendingOutcome::Accepted { waba_id, .. } => {
                    ElementOutcome::Accepted { message_id: sending.message_id, waba_id }
                }
                SendingOutcome::Queued => ElementOutcome::Queued { message_id: sending.message_id },
                SendingOutcome::Rejected { errors } => {
                    ElementOutcome::Rejected { message_id: sending.message_id, errors }
                }
            }),
            Err(ApplicationError::WindowClosed) => Ok(ElementOutcome::WindowClosed),
            Err(ApplicationError::NotWritable) => Ok(ElementOutcome::NotAllowed),
            Err(error @ (ApplicationError::Unavailable(_) | ApplicationError::Conflict)) => Err(error),
            // Would be the same each time: the others must not wait for it.
            Err(error) => Ok(ElementOutcome::Invalid { reason: format!("Not sent: {error}.") }),
        }
    }

    async fn settle_elements(
        &self,
        tenant: TenantId,
        task: Uuid,
        settled: Vec<(WaId, ElementOutcome)>,
    ) -> Result<(), ApplicationError> {
        let (stream, now) = (task.to_string(), self.clock.now());
        let streams = [StreamOf::new::<BulkMessage>(&stream)];
        self.streams
            .transact(tenant, &streams, &self.system("bulk messages", None), now, |decisions| {
                for (wa_id, outcome) in &settled {
                    let (wa_id, outcome) = (wa_id.clone(), outcome.clone());
                    let command = BulkMessageCommand::Settle { wa_id, outcome, now: now.timestamp() };
                    decisions.decide::<BulkMessage>(&stream, command)?;
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        Ok(())
    }
}
