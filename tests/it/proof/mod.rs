//! Proof that the ledger is as it was written: what verification finds, what only checkpoints find, what a proof of one
//! event shows, and that none of it needs this program.

mod commands;
mod forger;
mod tampering;

use chatledger_domain::TenantId;
use chatledger_infrastructure::{
    postgres::{PgLedger, Verified, verify},
    proof::{Checkpoint, CheckpointKey},
};
use chrono::Utc;
use sqlx::PgPool;

use crate::seed::seed;

/// A tenant with a ledger of its own, of a few more events than these.
async fn ledger(pool: &PgPool, name: &str, events: usize) -> (TenantId, i64) {
    let tenant = TenantId::of_slug(name);
    let head = seed(&PgLedger::new(pool.clone()), tenant, events).await;
    (tenant, head)
}

async fn in_order(pool: &PgPool, tenant: TenantId) -> Verified {
    verify(pool, tenant, |_, _| {}).await.expect("the ledger is in order")
}

/// A checkpoint of the ledger as it is.
async fn checkpoint(pool: &PgPool, tenant: TenantId, key: &CheckpointKey) -> Checkpoint {
    Checkpoint::sign(key, (tenant, "seed"), &in_order(pool, tenant).await.mark(), Utc::now())
}
