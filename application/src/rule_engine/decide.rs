//! What the rules kept here decide (R-RUL-10 … R-RUL-13).

use chatledger_domain::{
    Position, TenantId,
    rule_engine::{Mode, RuleEngine},
};

use super::{Kind, RULE_ENGINE, Trigger, Triggers, assign::Wanted};
use crate::{
    application::Application, endpoints::CallTarget, error::ApplicationError, ports::ledger::StreamId,
    streams::StreamOf,
};

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
                    // Of a fresh chat its new user is to get all that is waiting, also what came meanwhile (R-IWH-7).
                    based_on: chat.message.filter(|_| !only_fresh),
                    target: rule.target,
                    only_fresh,
                };
                return Ok(trigger.chats.iter().map(want).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Where the tenant's own program is that decides on a trigger. An address is not kept once it is replaced, so for
    /// one that is gone the present one is taken; `None` where there is none any more.
    ///
    /// # Errors
    /// The ledger's or the vault's fault.
    pub async fn rule_engine_target(
        &self,
        tenant: TenantId,
        trigger: &Trigger,
    ) -> Result<Option<CallTarget>, ApplicationError> {
        let then = trigger.engine.endpoint.as_ref().map(|endpoint| endpoint.secret);
        if let Some(then) = then
            && let Some(target) = self.call_targets(tenant, &[then]).await?.remove(&then)
        {
            return Ok(Some(target));
        }
        let now: RuleEngine = self.streams.state(tenant, RULE_ENGINE).await?;
        let Some(now) = now.endpoint.filter(|_| now.mode == Mode::Custom).map(|endpoint| endpoint.secret) else {
            return Ok(None);
        };
        Ok(self.call_targets(tenant, &[now]).await?.remove(&now))
    }

    /// The engine as of a position, ready to find triggers after it; with up to where it stays as it is, the change
    /// itself included (R-RUL-9).
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
        let unchanged = events.get(until).map_or(head, |next| next.position);
        Ok((Triggers::new(engine), unchanged.max(position)))
    }
}
