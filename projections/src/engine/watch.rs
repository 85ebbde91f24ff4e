//! Tells those who wait how far this process has applied.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use chatledger_domain::TenantId;
use tokio::sync::watch;

/// How far this process has applied. Cheap to clone; the default one is told nothing, and those who wait on it look
/// at the database instead.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    told: AtomicBool,
    tenants_version: AtomicU64,
    tenants: Mutex<HashMap<TenantId, watch::Sender<i64>>>,
}

impl Watch {
    /// The position that every read model of the tenant which keeps up has passed, as it changes.
    pub(crate) fn of(&self, tenant: TenantId) -> watch::Receiver<i64> {
        let mut tenants = self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(tenant).or_default().subscribe()
    }

    /// Every read model of the tenant which keeps up has passed this position.
    pub(crate) fn tell(&self, tenant: TenantId, position: i64) {
        let mut tenants = self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(tenant).or_default().send_if_modified(|told| {
            let news = position > *told;
            *told = position.max(*told);
            news
        });
    }

    /// The tenant is no more; whoever waits for it waits in vain.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
        self.tenant_changed();
    }

    /// An engine tells from now on.
    pub(crate) fn begin(&self) {
        self.0.told.store(true, Ordering::Release);
    }

    /// Whether an engine tells.
    pub(crate) fn is_told(&self) -> bool {
        self.0.told.load(Ordering::Acquire)
    }

    /// Something about a tenant itself has changed.
    pub(crate) fn tenant_changed(&self) {
        self.0.tenants_version.fetch_add(1, Ordering::AcqRel);
    }

    /// Grows whenever something about a tenant itself has changed.
    pub(crate) fn tenants_version(&self) -> u64 {
        self.0.tenants_version.load(Ordering::Acquire)
    }
}
