//! Proof that the ledger is as it was written: what verification finds, what only checkpoints find, what a proof of one
//! event shows, and that none of it needs this program.

mod commands;
mod forger;
mod tampering;

use std::sync::Arc;

use chatledger_application::ports::ledger::{Cause, Ledger, Metadata, NewEvent, StreamId, Unit};
use chatledger_domain::{
    AnyEvent, TenantId, UserId,
    contact::{ContactErased, ContactEvent},
    decider::Event,
    tag::{TagCreated, TagEvent},
};
use chatledger_infrastructure::{
    postgres::{PgLedger, Verified, verify},
    proof::{Checkpoint, CheckpointKey},
};
use chrono::{DateTime, SubsecRound, Utc};
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
    append(pool, tenant, StreamId { aggregate_type: "Tag", aggregate_id: id }, event, Utc::now()).await
}

async fn append<E: Event>(
    pool: &PgPool,
    tenant: TenantId,
    stream: StreamId,
    event: E,
    occurred_at: DateTime<Utc>,
) -> i64
where
    AnyEvent: From<E>,
{
    let new = NewEvent {
        stream,
        sequence: 1,
        payload: event.payload().unwrap(),
        key: None,
        claims: event.claims(),
        occurred_at,
        event: event.into(),
    };
    let (actor, family) = (Cause::User { id: 1 }, "integration".to_owned());
    let metadata = Arc::new(Metadata { actor, family, correlation_id: "grow".into(), causation: None });
    let unit = Unit { tenant, events: vec![new], relies_on: Vec::new(), metadata };
    PgLedger::new(pool.clone()).append(unit).await.expect("the ledger takes it")[0].position.0
}

/// Blanks the events at these positions as the erasure of a contact does, and records that so many were.
async fn erase(pool: &PgPool, tenant: TenantId, positions: &[i64], recorded: u64) {
    let at = Utc::now().trunc_subsecs(6);
    let event = ContactEvent::from(ContactErased { done_by: None, timestamp: at.timestamp(), events: recorded });
    let aggregate_id = format!("49{}", at.timestamp_micros());
    append(pool, tenant, StreamId { aggregate_type: "Contact", aggregate_id }, event, at).await;
    let positions: Vec<String> = positions.iter().map(i64::to_string).collect();
    let sql = format!(
        "SET LOCAL chatledger.erasure = 'on'; UPDATE ledger.events SET payload = '{{}}', erased_at = '{}' \
         WHERE tenant_id = '{tenant}' AND position IN ({})",
        at.to_rfc3339(),
        positions.join(", ")
    );
    forger::forge(pool, &sql).await;
}

async fn in_order(pool: &PgPool, tenant: TenantId) -> Verified {
    verify(pool, tenant, |_, _| {}).await.expect("the ledger is in order")
}

/// A checkpoint of the ledger as it is.
async fn checkpoint(pool: &PgPool, tenant: TenantId, key: &CheckpointKey) -> Checkpoint {
    Checkpoint::sign(key, (tenant, "seed"), &in_order(pool, tenant).await.mark(), Utc::now())
}
