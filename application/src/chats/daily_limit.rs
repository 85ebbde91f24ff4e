//! Counts a customer towards what WhatsApp lets the number send on a day, before the template is queued (R-ACC-4).

use chatledger_domain::{TenantId, WaId, whatsapp_account::Tier};
use chrono::{DateTime, Utc};

use crate::{
    application::{Application, READ_YOUR_WRITES},
    error::ApplicationError,
    ports::daily_limits::Counted,
};

impl Application {
    /// Sees to it that the customer is counted. Exact however many send at once, on any number of servers: each customer
    /// takes one place of the day, for the first template to it, and there are no more places than the limit.
    ///
    /// # Errors
    /// [`ApplicationError::DailyLimitReached`].
    pub(super) async fn count_customer(
        &self,
        tenant: TenantId,
        tier: Tier,
        wa_id: &WaId,
        now: DateTime<Utc>,
    ) -> Result<(), ApplicationError> {
        let Some(limit) = tier.daily_limit() else { return Ok(()) };
        let day = now.date_naive();
        if self.template_days.template_day(tenant, day, wa_id).await?.has_customer {
            return Ok(());
        }
        let mut counted = self.daily_limits.count(tenant, day, wa_id, limit, None).await?;
        if counted == Counted::Unknown {
            // The first of the day, or the counts were lost: the ledger tells, up to now.
            let head = self.ledger.head(tenant).await?;
            self.read_models.wait_for(tenant, head, READ_YOUR_WRITES).await;
            let known = self.template_days.template_day(tenant, day, wa_id).await?;
            if known.has_customer {
                return Ok(());
            }
            counted = self.daily_limits.count(tenant, day, wa_id, limit, Some(known.customers)).await?;
        }
        if counted == Counted::Yes { Ok(()) } else { Err(ApplicationError::DailyLimitReached) }
    }
}
