//! Adds, sets and deletes rules, for admins.

use chatledger_domain::{
    RuleId, TagId,
    rule_engine::{Rule, RuleEngine, RuleEngineCommand, Target},
    tag::Tag,
};

use super::RULE_ENGINE;
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

/// A rule to be.
#[derive(Clone, Copy, Debug)]
pub struct NewRule {
    /// The tag that fires it; `None` for a fresh message.
    pub tagged_with: Option<TagId>,
    /// Who gets the chat.
    pub target: Target,
    /// Its place; `None` for the last, or as it was.
    pub place: Option<i64>,
}

impl Application {
    /// The rule as it is now.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownRule`].
    pub async fn rule(&self, context: &Context, id: RuleId) -> Result<Rule, ApplicationError> {
        let engine: RuleEngine = self.streams.state(context.tenant, RULE_ENGINE).await?;
        engine.rules.get(&id).copied().ok_or(ApplicationError::UnknownRule)
    }

    /// Adds a rule; its id.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins; `UnknownTag`, `UnknownUser`, `UnknownGroup`.
    pub async fn add_rule(&self, context: &Context, new: NewRule) -> Result<RuleId, ApplicationError> {
        self.check_rule(context, &new, None).await?;
        let NewRule { tagged_with, target, place } = new;
        let done_by = context.actor.user;
        let command = RuleEngineCommand::AddRule { tagged_with, target, place, done_by };
        let position = self.rule_command(context, command).await?;
        position.map(RuleId).ok_or(ApplicationError::Conflict)
    }

    /// Sets a rule.
    ///
    /// # Errors
    /// As [`Self::add_rule`], and [`ApplicationError::UnknownRule`].
    pub async fn change_rule(&self, context: &Context, rule: RuleId, new: NewRule) -> Result<(), ApplicationError> {
        let before = self.rule(context, rule).await?;
        self.check_rule(context, &new, Some(before)).await?;
        let NewRule { tagged_with, target, place } = new;
        let done_by = context.actor.user;
        let command = RuleEngineCommand::ChangeRule { rule, tagged_with, target, place, done_by };
        self.rule_command(context, command).await.map(drop)
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownRule`.
    pub async fn delete_rule(&self, context: &Context, rule: RuleId) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let command = RuleEngineCommand::DeleteRule { rule, done_by: context.actor.user };
        self.rule_command(context, command).await.map(drop)
    }

    async fn rule_command(
        &self,
        context: &Context,
        command: RuleEngineCommand,
    ) -> Result<Option<i64>, ApplicationError> {
        let streams = [StreamOf::new::<RuleEngine>(RULE_ENGINE)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                d.decide::<RuleEngine>(RULE_ENGINE, command.clone())
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(done.position().map(|position| position.0))
    }

    /// What a rule newly names must be there. What it named before may be gone: the rest can still be changed.
    async fn check_rule(&self, context: &Context, new: &NewRule, before: Option<Rule>) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        if let Some(tag) = new.tagged_with.filter(|_| before.is_none_or(|rule| rule.tagged_with != new.tagged_with))
            && !self.tag_exists(context, tag).await?
        {
            return Err(ApplicationError::UnknownTag(tag));
        }
        match new.target {
            _ if before.is_some_and(|rule| rule.target == new.target) => Ok(()),
            Target::User(id) => {
                let user = self.user(context, id).await?;
                user.filter(|user| user.is_active()).map(drop).ok_or(ApplicationError::UnknownUser(id))
            }
            Target::Group { id, .. } => {
                let group = self.group(context.tenant, id).await?;
                group.filter(|group| group.exists).map(drop).ok_or(ApplicationError::UnknownGroup(id))
            }
        }
    }

    async fn tag_exists(&self, context: &Context, id: TagId) -> Result<bool, ApplicationError> {
        let Some(stream) = self.stream_at::<Tag>(context.tenant, id.0).await? else { return Ok(false) };
        let tag: Tag = self.streams.state(context.tenant, &stream).await?;
        Ok(tag.exists && tag.id == id)
    }
}
