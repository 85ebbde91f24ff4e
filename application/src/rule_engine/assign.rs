//! Carries out what a rule engine decided (R-RUL-1 … R-RUL-3, R-ASG-12).

use chatledger_domain::{
    GroupId, MessageId, Position, TenantId, UserId,
    chat::{AssignmentChange, ByRule, Chat, ChatCommand},
    group::{Group, GroupCommand},
    rule_engine::{AssignMethod, Target},
    user::User,
};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

/// An assignment that a rule engine wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The chat.
    pub wa_id: String,
    /// The message that it is based on, by our id.
    pub based_on: Option<MessageId>,
    /// Who gets it.
    pub target: Target,
    /// Whether it is for chats only that nobody has (R-RUL-10).
    pub only_fresh: bool,
}

impl Application {
    /// Assigns a chat as a rule engine wants, whoever has it now (R-ASG-12): whether that changed anything. For one
    /// trigger a chat is assigned once, for ever; a repeat changes nothing and takes nobody's turn.
    ///
    /// # Errors
    /// `UnknownUser`, `UnknownGroup`, `UnknownChat`; [`ApplicationError::Conflict`] or `Unavailable` for what may work
    /// later.
    pub async fn assign_by_rule(
        &self,
        tenant: TenantId,
        trigger: Position,
        wanted: &Wanted,
    ) -> Result<bool, ApplicationError> {
        match wanted.target {
            Target::User(user) if self.is_active(tenant, user).await? => {
                let change = AssignmentChange { user: Some(Some(user)), group: None };
                self.by_rule(tenant, trigger, wanted, None, |_| (change, None)).await
            }
            Target::User(user) => Err(ApplicationError::UnknownUser(user)),
            Target::Group { id, method } => {
                let stream = self.stream_at::<Group>(tenant, id.0).await?.ok_or(ApplicationError::UnknownGroup(id))?;
                let members = match method {
                    AssignMethod::RoundRobin => self.read_models.members_taking_chats(tenant, id).await?,
                    AssignMethod::LetGroupDecide => Vec::new(),
                };
                let to_group = |group: &Group| {
                    let turn = group.next_of(&members);
                    (AssignmentChange { user: Some(turn), group: Some(Some(id)) }, turn)
                };
                self.by_rule(tenant, trigger, wanted, Some((id, &stream)), to_group).await
            }
        }
    }

    /// Whether a rule's target can have chats: an active user, or a group that is there.
    pub(super) async fn may_have_chats(&self, tenant: TenantId, target: Target) -> Result<bool, ApplicationError> {
        match target {
            Target::User(user) => self.is_active(tenant, user).await,
            Target::Group { id, .. } => Ok(self.group(tenant, id).await?.is_some_and(|group| group.exists)),
        }
    }

    /// The assignment and the turn that it takes are recorded together, so that nobody's turn is taken twice or
    /// skipped, whatever ends in between (R-RUL-3).
    async fn by_rule(
        &self,
        tenant: TenantId,
        trigger: Position,
        wanted: &Wanted,
        group: Option<(GroupId, &str)>,
        change: impl Fn(&Group) -> (AssignmentChange, Option<UserId>),
    ) -> Result<bool, ApplicationError> {
        let (wa_id, now) = (wanted.wa_id.as_str(), self.clock.now());
        let rule = ByRule { based_on: wanted.based_on, trigger, only_fresh: wanted.only_fresh };
        let mut streams = vec![StreamOf::new::<Chat>(wa_id)];
        streams.extend(group.map(|(_, stream)| StreamOf::new::<Group>(stream)));
        let metadata = self.system("rule engine", Some(trigger));
        let work = self.streams.transact(tenant, &streams, &metadata, now, |d| {
            let known: Group = group.map(|(_, stream)| d.state(stream)).unwrap_or_default();
            if let Some((id, _)) = group.filter(|(id, _)| !known.exists || known.id != *id) {
                return Err(ApplicationError::UnknownGroup(id));
            }
            let (change, turn) = change(&known);
            let command = ChatCommand::AssignByRule { change, rule, now: now.timestamp() };
            let assigned = d.decide::<Chat>(wa_id, command)? > 0;
            if let (true, Some((_, stream)), Some(user)) = (assigned, group, turn) {
                d.decide::<Group>(stream, GroupCommand::Pick { user, trigger })?;
            }
            Ok(assigned)
        });
        Ok(work.await?.value)
    }

    async fn is_active(&self, tenant: TenantId, id: UserId) -> Result<bool, ApplicationError> {
        let Some(stream) = self.stream_at::<User>(tenant, id.0).await? else { return Ok(false) };
        let user: User = self.streams.state(tenant, &stream).await?;
        Ok(user.id == id && user.is_active())
    }
}
