//! What the rules kept here decide (R-RUL-10 … R-RUL-13).

use chatledger_domain::{Position, TenantId, rule_engine::RuleEngine};

use super::{Kind, RULE_ENGINE, Trigger, Triggers, assign::Wanted};
use crate::{application::Application, error::ApplicationError, ports::ledger::StreamId, streams::StreamOf};

impl Application {
    /// The first rule that matches, applied to each of the trigger's chats; nothing where none matches. A rule whose
    /// user or group is no more, or is not active, never fires.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn decide_by_rules(&self, tenant: TenantId, trigger: &Trigger) -> Result<Vec<Wanted>, ApplicationError> {
        let (tag, only_fresh) = match trigger.kind {
            Kind::Incoming => (None, true),
            Kind::Tagged(tag) => (Some(tag), false),
            Kind::Outgoing | Kind::Untagged => return Ok(Vec::new()),
        };
        for (_, rule) in trigger.engine.matching(tag) {
            if self.may_have_chats(tenant, rule.target).await? {
                let want = |chat: &super::TriggeredChat| Wanted {
                    wa_id: chat.wa_id.clone(),
                    based_on: chat.message,
                    target: rule.target,
                    only_fresh,
                };
                return Ok(trigger.chats.iter().map(want).collect());
            }
        }
        Ok(Vec::new())
    }

    /// The engine as of a position, ready to find triggers after it; with how far the ledger holds nothing that could
    /// change it (R-RUL-9).
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn triggers_from(
        &self,
        tenant: TenantId,
        position: Position,
    ) -> Result<(Triggers, Position), ApplicationError> {
        let head = self.ledger.head(tenant).await?;
        let id = StreamId {
            aggregate_type: <RuleEngine as chatledger_domain::Decider>::TYPE,
            aggregate_id: RULE_ENGINE.to_owned(),
        };
        let events = self.ledger.load(tenant, &[(id, 0)]).await?;
        let until = events.iter().take_while(|event| event.position <= position).count();
        let stream = StreamOf::new::<RuleEngine>(RULE_ENGINE);
        let engine = stream.evolve(&stream.fresh(), &events[..until]).state::<RuleEngine>().unwrap_or_default();
        let unchanged = events.get(until).map_or(head, |next| Position(next.position.0 - 1));
        Ok((Triggers::new(engine), unchanged.max(position)))
    }
}
