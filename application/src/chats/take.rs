//! Takes all chats from a user or group that is no more, each with an event of its own.

use std::sync::Arc;

use chatledger_domain::{
    GroupId, Position, TenantId, UserId, WaId,
    chat::{Chat, ChatCommand},
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{application::Application, error::ApplicationError, ports::ledger::Metadata, streams::StreamOf};

/// Chats taken between two looks.
const PAGE: i64 = 500;
/// Chats taken at once, so that their events share appends.
const AT_ONCE: usize = 32;

/// Whose chats they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    User(UserId),
    Group(GroupId),
}

impl Application {
    /// Takes all chats from their holder. May be repeated: what is taken already is left out.
    ///
    /// # Errors
    /// The ledger's or the read models' fault; what was taken until then stays taken.
    pub(crate) async fn take_chats_from(
        &self,
        tenant: TenantId,
        holder: Holder,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        loop {
            let held = match holder {
                Holder::User(user) => self.read_models.chats_of_user(tenant, user, PAGE).await?,
                Holder::Group(group) => self.read_models.chats_of_group(tenant, group, PAGE).await?,
            };
            let taken: Vec<Option<Position>> = stream::iter(held)
                .map(|wa_id| async move { self.take_chat(tenant, &wa_id, holder, done_by, metadata).await })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            let last = taken.into_iter().flatten().max();
            self.settle(tenant, last).await;
            // Nothing more to take, or only what the read models have not yet seen taken.
            if last.is_none() {
                return Ok(());
            }
        }
    }

    async fn take_chat(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        holder: Holder,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<Option<Position>, ApplicationError> {
        let (user, group) = match holder {
            Holder::User(user) => (Some(user), None),
            Holder::Group(group) => (None, Some(group)),
        };
        let now = self.clock.now();
        let streams = [StreamOf::new::<Chat>(wa_id.as_str())];
        let work = self.streams.transact(tenant, &streams, metadata, now, |d| {
            let command = ChatCommand::TakeFrom { user, group, done_by, now: now.timestamp() };
            d.decide::<Chat>(wa_id.as_str(), command)
        });
        Ok(work.await?.position())
    }
}
