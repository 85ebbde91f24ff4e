//! What the sender of messages tells the ledger.

use async_trait::async_trait;
use chatledger_domain::{MessageId, RawJson, TenantId, WaId};

use super::Unavailable;

/// Records what became of a queued message.
///
/// Every call may come again, and after another: what is settled stays settled, and a repeat is `Ok`. `Ok` means
/// durable.
#[async_trait]
pub trait Settle: Send + Sync {
    /// WhatsApp took it, under this id and with this answer.
    async fn accepted(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message: MessageId,
        waba_id: String,
        response: RawJson,
    ) -> Result<(), Unavailable>;

    /// WhatsApp, or the sender itself, refused it for good. The errors are a list of objects with `code`, `title` and
    /// `details`.
    async fn rejected(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        message: MessageId,
        errors: RawJson,
    ) -> Result<(), Unavailable>;

    /// WhatsApp was called and the answer got lost. `false` when the message is settled: a status told faster.
    async fn unknown(&self, tenant: TenantId, wa_id: &WaId, message: MessageId) -> Result<bool, Unavailable>;

    /// WhatsApp did not take it now; it goes out later. Only tells those who wait for the answer.
    fn postponed(&self, tenant: TenantId, message: MessageId);
}
