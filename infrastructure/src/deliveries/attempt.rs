//! One attempt of one delivery.

use std::sync::Arc;

use chatledger_application::{endpoints::CallTarget, ports::clock::Random};
use chatledger_domain::{TenantId, UserId};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{
    Shared,
    completions::{Completion, Done},
    delivery::Delivery,
    schedule::Verdict,
};

/// What is needed for an attempt.
pub(super) struct Job {
    pub(super) tenant: TenantId,
    pub(super) fence: i64,
    pub(super) user: UserId,
    pub(super) target: Arc<CallTarget>,
    pub(super) delivery: Delivery,
    pub(super) body: Arc<str>,
    pub(super) places: Vec<OwnedSemaphorePermit>,
    pub(super) done: mpsc::UnboundedSender<Done>,
}

/// Calls the receiver and hands on what came of it.
pub(super) async fn make(shared: Arc<Shared>, job: Job) {
    let Job { tenant, fence, user, target, delivery, body, places, done } = job;
    let (at, attempts) = (shared.parts.clock.now(), delivery.attempts + 1);
    let outcome = shared.parts.caller.call(&target, delivery.id, attempts, body).await;
    let verdict = if outcome.is_success() {
        Verdict::Delivered
    } else if outcome.is_gone() {
        Verdict::Dead
    } else {
        let chance = chance(shared.parts.random.as_ref());
        shared.config.schedule.after(attempts, shared.parts.clock.now(), chance, outcome.retry_after)
    };
    let name = match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Again(_) => "failed",
        Verdict::Dead => "dead",
    };
    metrics::counter!("chatledger_deliveries_total", "outcome" => name).increment(1);
    metrics::histogram!("chatledger_delivery_attempt_seconds").record(outcome.took.as_secs_f64());
    let ms = i64::try_from(outcome.took.as_millis()).unwrap_or(i64::MAX);
    let answer = Some(outcome.answer).filter(|answer| !answer.is_empty());
    let mut entry =
        json!({"at": at.timestamp(), "status": outcome.status, "ms": ms, "answer": null, "error": outcome.error});
    let (key, body_id, bare) = (delivery.key, delivery.body_id, entry.to_string());
    entry["answer"] = json!(answer);
    let entry = entry.to_string();
    let completion = Completion { tenant, fence, key, user, body_id, attempts, verdict, entry, bare, places, done };
    let _ = shared.completions.send(completion);
}

/// Between 0 and 1.
fn chance(random: &dyn Random) -> f64 {
    u32::from_str_radix(&random.hex(4), 16).map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
