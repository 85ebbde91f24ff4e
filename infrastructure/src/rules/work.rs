//! One trigger: who decides on it, and the assignments that follow.

use std::time::Duration;

use chatledger_application::{
    ApplicationError,
    rule_engine::{Trigger, Wanted},
};
use chatledger_domain::{TenantId, rule_engine::Mode};
use futures_util::{StreamExt, stream};
use tokio::{sync::Semaphore, time::sleep};

use super::{Parts, ask};

/// Chats of one trigger at once.
const AT_ONCE: usize = 16;
/// After what may work later.
const PAUSE: Duration = Duration::from_millis(500);

/// Has a trigger decided on, until it is finished: what may work later is tried again for as long as it takes.
pub(super) async fn decide(parts: &Parts, tenant: TenantId, trigger: &Trigger, calls: &Semaphore) {
    match trigger.engine.mode {
        Mode::Default => {
            let wanted = until_done(tenant, || parts.application.decide_by_rules(tenant, trigger)).await;
            let assign = wanted.unwrap_or_default();
            stream::iter(&assign)
                .for_each_concurrent(AT_ONCE, |wanted| assign_one(parts, tenant, trigger, wanted))
                .await;
        }
        Mode::Custom => {
            let Some(answer) = ask::ask(parts, tenant, trigger, calls).await else { return };
            let carry_out = || parts.application.assign_by_answer(tenant, trigger.position, &answer);
            let assigned = until_done(tenant, carry_out).await.flatten();
            let outcome = if assigned.is_some() { "answered" } else { "no answer" };
            ask::count(outcome);
        }
    }
}

async fn assign_one(parts: &Parts, tenant: TenantId, trigger: &Trigger, wanted: &Wanted) {
    until_done(tenant, || parts.application.assign_by_rule(tenant, trigger.position, wanted)).await;
}

/// What it came to; `None` for what would be the same each time.
pub(super) async fn until_done<T, F>(tenant: TenantId, mut work: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, ApplicationError>>,
{
    loop {
        match work().await {
            Ok(value) => return Some(value),
            Err(error @ (ApplicationError::Unavailable(_) | ApplicationError::Conflict)) => {
                tracing::warn!(%tenant, %error, "a decision of the rule engine waits");
                sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::warn!(%tenant, %error, "a decision of the rule engine cannot be carried out");
                return None;
            }
        }
    }
}
