//! Says whether the rules kept here decide, or a program of the tenant's own.

use chatledger_domain::rule_engine::{Mode, RuleEngine, RuleEngineCommand};

use super::RULE_ENGINE;
use crate::{
    application::{Application, Context},
    endpoints::CallTarget,
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Sets mode, address and headers; from the next trigger on (R-RUL-9).
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `Address`.
    pub async fn configure_rule_engine(
        &self,
        context: &Context,
        mode: Mode,
        target: Option<CallTarget>,
    ) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let known: RuleEngine = self.streams.state(context.tenant, RULE_ENGINE).await?;
        let endpoint = match &target {
            Some(target) => Some(self.seal_target(context.tenant, target, known.endpoint.as_ref()).await?),
            None => None,
        };
        let done_by = context.actor.user;
        let streams = [StreamOf::new::<RuleEngine>(RULE_ENGINE)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                let before = d.state::<RuleEngine>(RULE_ENGINE).endpoint;
                let configure = RuleEngineCommand::Configure { mode, endpoint: endpoint.clone(), done_by };
                d.decide::<RuleEngine>(RULE_ENGINE, configure)?;
                Ok::<_, ApplicationError>(before)
            })
            .await;
        match done {
            Ok(done) => {
                self.settle(context.tenant, done.position()).await;
                self.forget_target(context.tenant, done.value.as_ref(), endpoint.as_ref()).await;
                Ok(())
            }
            Err(error) => {
                self.forget_target(context.tenant, endpoint.as_ref(), known.endpoint.as_ref()).await;
                Err(error)
            }
        }
    }
}
