//! Takes what is left of a deleted group: its members and its chats, each with an event of its own.

use std::sync::Arc;

use chatledger_domain::{
    GroupId, Position, TenantId, UserId,
    group::Group,
    user::{User, UserCommand},
};

use crate::{
    application::Application, chats::Holder, error::ApplicationError, ports::ledger::Metadata, streams::StreamOf,
};

impl Application {
    /// Goes on with deletions that were cut short: by a crash, or because a chat was assigned at the same moment.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn finish_group_deletions(&self, tenant: TenantId) -> Result<(), ApplicationError> {
        for id in self.read_models.deleted_groups_in_use(tenant).await? {
            let Some(stream) = self.stream_at::<Group>(tenant, id.0).await? else { continue };
            let group: Group = self.streams.state(tenant, &stream).await?;
            if !group.exists {
                self.empty_group(tenant, id, group.deleted_by, &self.system("group clean-up", None)).await?;
            }
        }
        Ok(())
    }

    /// Takes all members and chats from a group. May be repeated: what is taken already is left out.
    ///
    /// # Errors
    /// The ledger's or the read models' fault; what was taken until then stays taken.
    pub(super) async fn empty_group(
        &self,
        tenant: TenantId,
        id: GroupId,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let mut last = None;
        for user in self.read_models.users_of_group(tenant, id).await? {
            last = last.max(self.leave_group(tenant, user, id, done_by, metadata).await?);
        }
        self.settle(tenant, last).await;
        self.take_chats_from(tenant, Holder::Group(id), done_by, metadata).await
    }

    async fn leave_group(
        &self,
        tenant: TenantId,
        user: UserId,
        group: GroupId,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<Option<Position>, ApplicationError> {
        let Some(stream) = self.stream_at::<User>(tenant, user.0).await? else { return Ok(None) };
        let streams = [StreamOf::new::<User>(&stream)];
        let work = self.streams.transact(tenant, &streams, metadata, self.clock.now(), |d| {
            let User { role, mut groups, ended, .. } = d.state::<User>(&stream);
            match role {
                Some(role) if ended.is_none() && groups.remove(&group) => {
                    d.decide::<User>(&stream, UserCommand::ChangeGroups { role, groups, done_by })
                }
                _ => Ok(0),
            }
        });
        Ok(work.await?.position())
    }
}
