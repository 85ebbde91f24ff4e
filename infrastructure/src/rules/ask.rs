//! Asks a tenant's own program (R-RUL-6): a call as webhooks are called, with a short time and few tries.

use std::{sync::Arc, time::Duration};

use chatledger_application::{
    endpoints::CallTarget,
    ports::bodies::{BodyOrder, Parts as BodyParts},
    rule_engine::{Kind, Trigger},
};
use chatledger_domain::TenantId;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::{Parts, work::until_done};
use crate::deliveries::caller::{Limits, Outcome};

/// How long one call may take in all.
const LIMIT: Duration = Duration::from_secs(5);
/// Before each try.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10)];
/// Of the answer, so much is read: assignments for a thousand messages.
const LIMITS: Limits = Limits { head: LIMIT, rest: LIMIT, answer: 64 * 1024 };

/// What the program answered with 200; `None` where it cannot be asked or says nothing of use.
pub(super) async fn ask(parts: &Parts, tenant: TenantId, trigger: &Trigger, calls: &Semaphore) -> Option<String> {
    let target = until_done(tenant, || parts.application.rule_engine_target(tenant, trigger)).await.flatten()?;
    let body = body(parts, tenant, trigger).await?;
    let id = Uuid::new_v5(&tenant.0, format!("rules:{}", trigger.position).as_bytes());
    let mut last = Outcome::default();
    for (attempt, pause) in (1..).zip(PAUSES) {
        sleep(pause).await;
        last = call(parts, &target, id, attempt, body.clone(), calls).await;
        metrics::histogram!("chatledger_rule_engine_call_seconds").record(last.took.as_secs_f64());
        match last.status {
            // Half an answer may read like a whole one.
            Some(200) if last.is_whole => return Some(last.answer),
            Some(500..) | None => count("failed"),
            Some(_) => break,
        }
    }
    count("dropped");
    let (status, error) = (last.status, last.error);
    tracing::warn!(%tenant, trigger = trigger.position.0, status, error, "the tenant's rule engine gave no answer");
    None
}

/// One call, when it is one of few that are under way to this tenant; waiting for the next try needs no place.
async fn call(
    parts: &Parts,
    target: &CallTarget,
    id: Uuid,
    attempt: u32,
    body: Arc<str>,
    calls: &Semaphore,
) -> Outcome {
    let Ok(_place) = calls.acquire().await else { return Outcome::default() };
    let call = parts.caller.call_within(target, id, attempt, body, LIMITS);
    timeout(LIMIT, call).await.unwrap_or_else(|_| Outcome {
        took: LIMIT,
        error: Some("no answer in time".to_owned()),
        ..Outcome::default()
    })
}

/// Everything of the trigger in one body, both generations of keys (R-RUL-8).
async fn body(parts: &Parts, tenant: TenantId, trigger: &Trigger) -> Option<Arc<str>> {
    let told = match trigger.kind {
        Kind::Incoming => BodyParts { incoming: true, ..BodyParts::default() },
        Kind::Outgoing | Kind::Tagged(_) | Kind::Untagged => {
            BodyParts { own: true, legacy: true, ..BodyParts::default() }
        }
    };
    let order = [BodyOrder { pushes: trigger.pushes.iter().collect(), reader: None, parts: told }];
    let made = until_done(tenant, || async { Ok(parts.bodies.make(&order).await?) }).await?;
    made.into_iter().next().flatten().map(|body| body.text.into())
}

/// Calls and answers, by what came of them.
pub(super) fn count(outcome: &'static str) {
    metrics::counter!("chatledger_rule_engine_calls_total", "outcome" => outcome).increment(1);
}
