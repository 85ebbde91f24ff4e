//! Queues a message for WhatsApp and waits a little for what becomes of it.

use std::time::Duration;

use chatledger_domain::{
    MessageId, RawJson, TenantId, WaId,
    chat::{Chat, ChatCommand, ChatRefusal, Outgoing, queued_key},
    contact::Contact,
    tenant::Tenant,
    whatsapp_account::{Tier, WhatsAppAccount},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    account::SentTemplate,
    application::{Application, Context},
    error::ApplicationError,
    ports::{ledger::Appended, read_models::Sent},
    streams::StreamOf,
};

/// How long the caller waits for WhatsApp's answer (contract, integration §G).
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the outcome is looked up when another server may have made the call.
const LOOK: Duration = Duration::from_millis(250);

/// A message to be sent, its content checked already.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// To whom.
    pub wa_id: WaId,
    /// The type, as it is sent.
    pub kind: String,
    /// `recipient_type`, `to`, `type` and the object of the type.
    pub message: RawJson,
    /// The id of the quoted message, ours or WhatsApp's.
    pub context: Option<String>,
    /// The client's own id of the message; the same again sends nothing (R-MSG-6).
    pub pending: Option<String>,
    /// The conversation it is meant for, by the message that opened it: nothing is sent into a closed one (R-CNV-8).
    pub conversation: Option<MessageId>,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Our id.
    pub message_id: MessageId,
    /// How far it is.
    pub outcome: SendingOutcome,
}

/// How far a message is.
#[derive(Clone, Debug)]
pub enum SendingOutcome {
    /// WhatsApp took it.
    Accepted {
        /// WhatsApp's id.
        waba_id: String,
        /// WhatsApp's answer; `None` when a status told us instead.
        response: Option<RawJson>,
    },
    /// It is recorded and will be sent, or waits for WhatsApp's word.
    Queued,
    /// WhatsApp refused it; the message stays recorded as failed.
    Rejected {
        /// WhatsApp's errors, a list.
        errors: RawJson,
    },
}

/// A message to be queued, with what decides over it.
struct Queueing<'a> {
    wa_id: &'a WaId,
    outgoing: Outgoing,
    conversation: Option<MessageId>,
    template_refusal: Option<String>,
    tier: Tier,
}

impl Application {
    /// Records a message and has it sent; answers once WhatsApp did, or after ten seconds. When WhatsApp cannot take it
    /// now, nobody waits: it is queued.
    ///
    /// # Errors
    /// The rule that was broken: nothing is recorded then.
    pub async fn send_message(&self, context: &Context, send: SendMessage) -> Result<Sending, ApplicationError> {
        let SendMessage { wa_id, kind, message, context: quoted, pending, conversation } = send;
        let message_id = match &pending {
            Some(pending) => MessageId::of_pending(context.tenant, context.actor.user, wa_id.as_str(), pending),
            None => MessageId(self.random.uuid()),
        };
        // Before the message is queued: WhatsApp may answer before we have begun to wait.
        let (feed, postponed) = (self.ledger.feed(), self.postponed.subscribe());
        let repeat = pending.is_some() && self.ledger.by_key(context.tenant, &queued_key(message_id)).await?.is_some();
        if !repeat {
            let template = match kind.as_str() {
                "template" => self.sent_template(context.tenant, &message).await?,
                _ => SentTemplate::default(),
            };
            let rendered = template.rendered;
            let outgoing = Outgoing { message_id, kind, context: quoted, message, rendered };
            self.queue(context, &wa_id, outgoing, conversation, template.refusal).await?;
        }
        let outcome = self.outcome(context.tenant, message_id, feed, postponed).await?;
        Ok(Sending { message_id, outcome })
    }

    async fn queue(
        &self,
        context: &Context,
        wa_id: &WaId,
        outgoing: Outgoing,
        conversation: Option<MessageId>,
        template_refusal: Option<String>,
    ) -> Result<(), ApplicationError> {
        let account: WhatsAppAccount = self.streams.state(context.tenant, ACCOUNT).await?;
        if account.number.is_none() {
            return Err(ApplicationError::AccountNotConnected);
        }
        let tier = account.tier;
        let queueing = Queueing { wa_id, outgoing, conversation, template_refusal, tier };
        match self.queue_once(context, &queueing, false).await {
            // Only now is it known that a place of the day is needed.
            Err(ApplicationError::DailyLimitReached) => self.queue_once(context, &queueing, true).await,
            queued => queued,
        }
    }

    /// Queues a message. Whoever writes outside the window is counted first, if told.
    async fn queue_once(
        &self,
        context: &Context,
        queueing: &Queueing<'_>,
        count: bool,
    ) -> Result<(), ApplicationError> {
        let Queueing { wa_id, outgoing, conversation, template_refusal, tier } = queueing;
        let tenant: Tenant = self.streams.state(context.tenant, TENANT).await?;
        let now = self.clock.now();
        if count {
            self.count_customer(context.tenant, *tier, wa_id, now).await?;
        }
        let is_template = outgoing.kind == "template";
        let mut streams = vec![StreamOf::new::<Chat>(wa_id.as_str())];
        streams.extend(is_template.then(|| StreamOf::new::<Contact>(wa_id.as_str())));
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |decisions| {
                // Before the message, which may open another.
                if let Some(opened_by) = *conversation {
                    let now = now.timestamp();
                    let require = ChatCommand::RequireConversation { opened_by, may_be_over: true, now };
                    decisions.decide::<Chat>(wa_id.as_str(), require)?;
                }
                let command = ChatCommand::SendMessage {
                    actor: context.actor.clone(),
                    outgoing: outgoing.clone(),
                    free_entry: tenant.settings.free_entry_window,
                    counted: count || tier.daily_limit().is_none(),
                    now: now.timestamp(),
                };
                let decided = decisions.decide::<Chat>(wa_id.as_str(), command);
                if !matches!(decided, Ok(_) | Err(ChatRefusal::NotCounted)) {
                    return decided.map(|_| ()).map_err(ApplicationError::from);
                }
                // After the permissions, which say nothing of customers and templates to those who may not write (R-TPL-2).
                // The ledger takes the message only if the customer's word is still this one (R-CUS-5).
                if is_template && decisions.relied_state::<Contact>(wa_id.as_str()).has_opted_out() {
                    return Err(ApplicationError::OptedOut);
                }
                if let Some(reason) = template_refusal {
                    return Err(ApplicationError::TemplateRefused(reason.clone()));
                }
                decided.map(|_| ()).map_err(ApplicationError::from)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }

    async fn outcome(
        &self,
        tenant: TenantId,
        message: MessageId,
        mut feed: Receiver<Appended>,
        mut postponed: Receiver<(TenantId, MessageId)>,
    ) -> Result<SendingOutcome, ApplicationError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(outcome) = self.read_models.sent(tenant, message).await?.and_then(settled) {
                return Ok(outcome);
            }
            let woken = async {
                loop {
                    match feed.recv().await {
                        Ok(appended) if appended.tenant == tenant && settles(&appended.events, message) => {
                            return Some(appended.head);
                        }
                        Ok(_) => {}
                        // Missed some, or nobody appends here: fall back to looking.
                        Err(_) => return std::future::pending().await,
                    }
                }
            };
            let head = tokio::select! {
                head = woken => head,
                () = tokio::time::sleep(LOOK) => None,
                () = told(&mut postponed, (tenant, message)) => return Ok(SendingOutcome::Queued),
                () = tokio::time::sleep_until(deadline) => return Ok(SendingOutcome::Queued),
            };
            self.settle(tenant, head).await;
        }
    }
}

/// The id of the one stream of a tenant's settings.
pub(crate) const TENANT: &str = "tenant";
/// The id of the one stream of a tenant's WhatsApp account.
pub(crate) const ACCOUNT: &str = "account";

/// Comes back once the message is among those told; of what was missed, the time decides.
async fn told(postponed: &mut Receiver<(TenantId, MessageId)>, message: (TenantId, MessageId)) {
    loop {
        match postponed.recv().await {
            Ok(told) if told == message => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

fn settled(sent: Sent) -> Option<SendingOutcome> {
    match sent {
        Sent::Waiting => None,
        Sent::Accepted(waba_id, response) => {
            let response = response.and_then(|text| RawJson::parse(text).ok());
            Some(SendingOutcome::Accepted { waba_id, response })
        }
        Sent::Rejected(errors) => Some(SendingOutcome::Rejected { errors: RawJson::parse(errors).ok()? }),
    }
}

fn settles(events: &[crate::ports::ledger::Recorded], message: MessageId) -> bool {
    use chatledger_domain::{AnyEvent, chat::ChatEvent};
    events.iter().any(|recorded| match &recorded.event {
        AnyEvent::Chat(ChatEvent::MessageAccepted(e)) => e.message_id == message,
        AnyEvent::Chat(ChatEvent::MessageRejected(e)) => e.message_id == message,
        _ => false,
    })
}
