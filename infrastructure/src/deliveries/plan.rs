//! What the dispatcher asks of a planner.

use std::sync::Arc;

use async_trait::async_trait;
use chatledger_application::ports::ledger::Recorded;

use super::{
    delivery::{Key, Planned, Released},
    planner::{Planner, PlannerParts},
};
use crate::leases::Held;

/// A fault of a planner; it goes on from where it is stored.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Plans the deliveries of one tenant under the fence with which it is held.
#[async_trait]
pub trait Plan: Send {
    /// Plans the next stretch of the ledger; `told` may hold what the feed told.
    async fn next(&mut self, told: Vec<Recorded>) -> Result<Planned, Fault>;

    /// The bodies, as they are now, of deliveries that waited too long for an outcome.
    async fn bodies_now(&mut self, waiting: &[Key]) -> Result<Vec<Released>, Fault>;
}

/// Makes planners.
pub trait Plans: Send + Sync {
    /// One that goes on from the cursor of a tenant.
    fn plan(&self, held: &Held) -> Box<dyn Plan>;
}

/// Makes the planners that follow the ledger.
pub struct Planners(pub Arc<PlannerParts>);

impl Plans for Planners {
    fn plan(&self, held: &Held) -> Box<dyn Plan> {
        Box::new(Planner::new(self.0.clone(), held.tenant, held.fence, held.position))
    }
}

#[async_trait]
impl Plan for Planner {
    async fn next(&mut self, told: Vec<Recorded>) -> Result<Planned, Fault> {
        Ok(Self::next(self, told).await?)
    }

    async fn bodies_now(&mut self, waiting: &[Key]) -> Result<Vec<Released>, Fault> {
        Ok(Self::bodies_now(self, waiting).await?)
    }
}
