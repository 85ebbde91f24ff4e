//! Proof that the ledger is as it was written: what verification finds, what only checkpoints find, what a proof of one
//! event shows, and that none of it needs this program.

mod commands;
mod forger;
mod tampering;

use std::sync::Arc;

use chatledger_application::ports::ledger::{Cause, Ledger, Metadata, NewEvent, StreamId, Unit};
use chatledger_domain::{
    TenantId, UserId,
    decider::Event,
    tag::{TagCreated, TagEvent},
};
use chatledger_infrastructure::{
    postgres::{PgLedger, Verified, verify},
    proof::{Checkpoint, CheckpointKey},
};
use chrono::Utc;
use sqlx::PgPool;
use uuid::Uuid;

use crate::seed::seed;

/// A tenant with a ledger of its own, of a few more events than these.
async fn ledger(pool: &PgPool, name: &str, events: usize) -> (TenantId, i64) {
    let tenant = TenantId::of_slug(name);
    let head = seed(&PgLedger::new(pool.clone()), tenant, events).await;
    (tenant, head)
}

/// Lets a ledger grow by one event; its newest position.
async fn grow(pool: &PgPool, tenant: TenantId) -> i64 {
    let id = Uuid::new_v4().to_string();
    let event = TagEvent::from(TagCreated { name: id.clone(), web_inbox_color: None, done_by: UserId(1) });
    let new = NewEvent {
        stream: StreamId { aggregate_type: "Tag", aggregate_id: id.clone() },
        sequence: 1,
        payload: event.payload().unwrap(),
        key: None,
        claims: event.claims(),
        occurred_at: Utc::now(),
        event: event.into(),
    };
    let (actor, family) = (Cause::User { id: 1 }, "integration".to_owned());
    let metadata = Arc::new(Metadata { actor, family, correlation_id: id, causation: None });
    let unit = Unit { tenant, events: vec![new], metadata };
    PgLedger::new(pool.clone()).append(unit).await.expect("the ledger takes it")[0].position.0
}

async fn in_order(pool: &PgPool, tenant: TenantId) -> Verified {
    verify(pool, tenant, |_, _| {}).await.expect("the ledger is in order")
}

/// A checkpoint of the ledger as it is.
async fn checkpoint(pool: &PgPool, tenant: TenantId, key: &CheckpointKey) -> Checkpoint {
    Checkpoint::sign(key, (tenant, "seed"), &in_order(pool, tenant).await.mark(), Utc::now())
}
