//! Sets what the members of groups may do (R-PERM-4, R-PERM-12).

use chatledger_domain::{
    GroupId, PermissionsWish,
    group::{Group, GroupCommand},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Sets the permissions of several groups at once, or of none when one is refused.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownGroup`, `AdminsUnrestricted`.
    pub async fn set_group_permissions(
        &self,
        context: &Context,
        wishes: &[(GroupId, PermissionsWish)],
    ) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let mut known = Vec::with_capacity(wishes.len());
        for (id, wish) in wishes {
            let stream = self.stream_at::<Group>(context.tenant, id.0).await?;
            known.push((*id, stream.ok_or(ApplicationError::UnknownGroup(*id))?, *wish));
        }
        let mut streams: Vec<StreamOf> = Vec::with_capacity(known.len());
        for (_, stream, _) in &known {
            let stream = StreamOf::new::<Group>(stream);
            if streams.iter().all(|other| other.id != stream.id) {
                streams.push(stream);
            }
        }
        let done_by = Some(context.actor.user);
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                for (id, stream, wish) in &known {
                    let group: Group = d.state(stream);
                    if !group.exists || group.id != *id {
                        return Err(ApplicationError::UnknownGroup(*id));
                    }
                    let permissions = wish.of(group.permissions);
                    d.decide::<Group>(stream, GroupCommand::ChangePermissions { permissions, done_by })?;
                }
                Ok(())
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
