//! What is done now and then for the tenants that this server holds: marks into the ledger, webhooks that only fail
//! disabled, what is old forgotten, the backlog measured.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chatledger_application::ports::Unavailable;
use chatledger_domain::{TenantId, UserId, WaId, WebhookId};
use uuid::Uuid;

use super::{
    Shared,
    rows::{self, Mark},
};

/// How often marks are flushed.
const FLUSH: Duration = Duration::from_secs(1);
/// How often the backlog is measured, and failing receivers are looked for.
const MEASURE: Duration = Duration::from_secs(15);
/// How often what is old is forgotten.
const SWEEP: Duration = Duration::from_secs(600);
/// Rows forgotten at once.
const BATCH: u32 = 2_000;

/// Keeps until it is aborted.
pub(super) async fn run(shared: Arc<Shared>) {
    let (mut measured, mut swept) = (Instant::now(), Instant::now());
    loop {
        tokio::time::sleep(FLUSH).await;
        let tenants = shared.held_now();
        if let Err(error) = flush(&shared, &tenants).await {
            tracing::warn!(%error, "what was delivered is not marked as received yet");
        }
        if measured.elapsed() >= MEASURE.min(shared.config.disable_after) {
            measured = Instant::now();
            if let Err(error) = measure(&shared, &tenants).await {
                tracing::warn!(%error, "the backlog of deliveries cannot be measured");
            }
        }
        if swept.elapsed() >= SWEEP {
            swept = Instant::now();
            if let Err(error) = sweep(&shared, &tenants).await {
                tracing::warn!(%error, "old deliveries are not forgotten yet");
            }
        }
    }
}

/// Takes gathered marks to the ledger.
pub(super) async fn flush(shared: &Shared, tenants: &[Uuid]) -> Result<(), Unavailable> {
    let marks = rows::marks(&shared.parts.pool, tenants).await?;
    let mut told: BTreeMap<Uuid, Vec<Mark>> = BTreeMap::new();
    for mark in marks {
        told.entry(mark.tenant_id).or_default().push(mark);
    }
    for (tenant, marks) in told {
        let chats: Vec<_> = marks
            .iter()
            .filter_map(|mark| Some((WaId::parse(&mark.wa_id).ok()?, UserId(mark.user_id), mark.timestamp)))
            .collect();
        shared.parts.effects.delivered(TenantId(tenant), &chats).await?;
        rows::marked(&shared.parts.pool, &marks).await?;
    }
    Ok(())
}

async fn measure(shared: &Shared, tenants: &[Uuid]) -> Result<(), Unavailable> {
    let (pool, effects) = (&shared.parts.pool, &shared.parts.effects);
    for (tenant, receiver, since) in rows::failing(pool, tenants, shared.config.disable_after).await? {
        effects.only_failed(TenantId(tenant), WebhookId(receiver), since).await?;
    }
    let (pending, oldest) = rows::backlog(pool, tenants).await?;
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("chatledger_deliveries_pending").set(pending as f64);
    metrics::gauge!("chatledger_deliveries_oldest_pending_seconds").set(oldest);
    Ok(())
}

async fn sweep(shared: &Shared, tenants: &[Uuid]) -> Result<(), Unavailable> {
    let pool = &shared.parts.pool;
    for tenant in tenants {
        while rows::sweep(pool, *tenant, shared.config.keep_delivered, i64::from(BATCH)).await? >= u64::from(BATCH) {}
        while rows::sweep_bodies(pool, *tenant, i64::from(BATCH)).await? >= u64::from(BATCH) {}
    }
    Ok(())
}
