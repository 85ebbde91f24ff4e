//! Moves the marks of users whose programs took messages.

use std::collections::BTreeMap;

use chatledger_domain::{
    TenantId, UserId, WaId,
    chat::{Chat, ChatCommand},
};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

/// Chats whose marks are moved in one unit.
const AT_ONCE: usize = 50;

impl Application {
    /// Marks messages as received by the users whose webhooks took them (R-IWH-10): of each chat and user the newest
    /// time, POSIX seconds. One event for all users of a chat that took the same; a smaller mark changes nothing.
    ///
    /// # Errors
    /// The ledger's fault. Then some chats may be marked and others not; giving all of them again is harmless.
    pub async fn mark_delivered(
        &self,
        tenant: TenantId,
        marks: &[(WaId, UserId, i64)],
    ) -> Result<(), ApplicationError> {
        // The latest last, so that every user's mark grows.
        let mut chats: BTreeMap<&WaId, BTreeMap<i64, Vec<UserId>>> = BTreeMap::new();
        for (wa_id, user, timestamp) in marks {
            chats.entry(wa_id).or_default().entry(*timestamp).or_default().push(*user);
        }
        let metadata = self.system("deliveries", None);
        for chunk in chats.into_iter().collect::<Vec<_>>().chunks(AT_ONCE) {
            let streams: Vec<StreamOf> = chunk.iter().map(|(wa_id, _)| StreamOf::new::<Chat>(wa_id.as_str())).collect();
            self.streams
                .transact(tenant, &streams, &metadata, self.clock.now(), |decisions| {
                    for (wa_id, marks) in chunk {
                        for (timestamp, to) in marks {
                            let command = ChatCommand::MarkAsDelivered { to: to.clone(), timestamp: *timestamp };
                            decisions.decide::<Chat>(wa_id.as_str(), command)?;
                        }
                    }
                    Ok::<_, ApplicationError>(())
                })
                .await?;
        }
        Ok(())
    }
}
