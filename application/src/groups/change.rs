//! Creates, changes and deletes groups.

use chatledger_domain::{
    GroupId, Permissions, PermissionsWish,
    group::{Group, GroupCommand},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::{Decisions, StreamOf},
};

impl Application {
    /// Creates a group; its id.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `NameTaken` without regard to case.
    pub async fn create_group(
        &self,
        context: &Context,
        name: &str,
        permissions: Permissions,
    ) -> Result<GroupId, ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let (id, done_by) = (self.random.uuid().to_string(), Some(context.actor.user));
        let (streams, metadata) = ([StreamOf::new::<Group>(&id)], context.metadata());
        let work = self.streams.transact(context.tenant, &streams, &metadata, self.clock.now(), |d| {
            let name = name.to_owned();
            d.decide::<Group>(&id, GroupCommand::Create { name, built_in: None, permissions, done_by })
        });
        let done = work.await?;
        self.settle(context.tenant, done.position()).await;
        done.position().map(|position| GroupId(position.0)).ok_or(ApplicationError::Conflict)
    }

    /// Changes a group's name, what its members may do, or both; not of the built-in ones.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownGroup`, `NameTaken`, `BuiltInGroup`.
    pub async fn change_group(
        &self,
        context: &Context,
        id: GroupId,
        name: Option<&str>,
        permissions: PermissionsWish,
    ) -> Result<(), ApplicationError> {
        let done_by = Some(context.actor.user);
        self.group_work(context, id, |d, stream, group| {
            if group.built_in.is_some() {
                return Err(ApplicationError::BuiltInGroup);
            }
            let name = name.unwrap_or(&group.name).to_owned();
            d.decide::<Group>(stream, GroupCommand::Rename { name, done_by })?;
            let permissions = permissions.of(group.permissions);
            d.decide::<Group>(stream, GroupCommand::ChangePermissions { permissions, done_by })?;
            Ok(())
        })
        .await
    }

    /// Deletes a group: its members and chats are in it no more, each with an event of its own.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownGroup`, `BuiltInGroup`.
    pub async fn delete_group(&self, context: &Context, id: GroupId) -> Result<(), ApplicationError> {
        let done_by = Some(context.actor.user);
        self.group_work(context, id, |d, stream, _| {
            d.decide::<Group>(stream, GroupCommand::Delete { done_by })?;
            Ok(())
        })
        .await?;
        // The reactor would do it as well, and does after a crash; done here, the answer already shows it.
        self.empty_group(context.tenant, id, done_by, &context.metadata()).await
    }

    async fn group_work(
        &self,
        context: &Context,
        id: GroupId,
        work: impl Fn(&mut Decisions<'_>, &str, &Group) -> Result<(), ApplicationError>,
    ) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let stream = self.stream_at::<Group>(context.tenant, id.0).await?.ok_or(ApplicationError::UnknownGroup(id))?;
        let (streams, metadata) = ([StreamOf::new::<Group>(&stream)], context.metadata());
        let work = self.streams.transact(context.tenant, &streams, &metadata, self.clock.now(), |d| {
            let group: Group = d.state(&stream);
            if !group.exists || group.id != id {
                return Err(ApplicationError::UnknownGroup(id));
            }
            work(d, &stream, &group)
        });
        let done = work.await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
