//! Changes a user: names and address by itself or an admin, role, groups and permissions by an admin (R-USR-1,
//! R-PERM-1, R-PERM-12).

use std::collections::{BTreeSet, HashMap};

use chatledger_domain::{
    Actor, GroupId, Permissions, PermissionsWish, Role, TenantId, UserId,
    admins::Admins,
    group::Group,
    permission::Overrides,
    user::{Details, Membership, User, UserCommand},
};

use super::admins::{ADMINS, count_admin};
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::{Decisions, StreamOf},
};

/// What is to change of a user; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Its name for logging in.
    pub username: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Address.
    pub email: Option<String>,
    /// Its role.
    pub role: Option<Role>,
    /// All its groups.
    pub groups: Option<BTreeSet<GroupId>>,
    /// Its permissions.
    pub permissions: PermissionsWish,
}

impl UserChange {
    fn details(&self, now: &Details) -> Details {
        let or = |wish: &Option<String>, now: &String| wish.as_ref().unwrap_or(now).clone();
        Details {
            username: or(&self.username, &now.username),
            first_name: or(&self.first_name, &now.first_name),
            last_name: or(&self.last_name, &now.last_name),
            email: or(&self.email, &now.email),
        }
    }
}

/// What groups say about users, as a change needs it.
struct Groups {
    built_in: HashMap<Role, GroupId>,
    permissions: HashMap<GroupId, Permissions>,
}

impl Groups {
    fn in_effect(&self, role: Role, own: Overrides, groups: &BTreeSet<GroupId>) -> Permissions {
        let allowed = groups.iter().filter_map(|group| self.permissions.get(group).copied());
        Permissions::effective(role, own, allowed)
    }
}

impl Application {
    /// Changes a user. One part that is not allowed refuses the whole.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`], `UnknownUser`, `UnknownGroup`, `NameTaken`, `LastAdmin`, `AdminsUnrestricted`.
    pub async fn update_user(
        &self,
        context: &Context,
        id: UserId,
        change: &UserChange,
    ) -> Result<(), ApplicationError> {
        let (tenant, actor) = (context.tenant, &context.actor);
        if !actor.is_admin() && actor.user != id {
            return Err(ApplicationError::NotAllowed);
        }
        let unknown = || ApplicationError::UnknownUser(id);
        let stream = self.stream_at::<User>(tenant, id.0).await?.ok_or_else(unknown)?;
        let user: User = self.streams.state(tenant, &stream).await?;
        for group in change.groups.iter().flatten() {
            // A group that the user is in already may be going away at this moment.
            if !user.groups.contains(group) && !self.group(tenant, *group).await?.is_some_and(|group| group.exists) {
                return Err(ApplicationError::UnknownGroup(*group));
            }
        }
        let mut groups =
            Groups { built_in: self.read_models.built_in_groups(tenant).await?, permissions: HashMap::new() };
        for id in &user.groups {
            let known = self.group(tenant, *id).await?.filter(|group| group.exists);
            groups.permissions.extend(known.map(|group| (*id, group.permissions)));
        }
        self.know_admins(tenant).await?;
        let streams = [StreamOf::new::<User>(&stream), StreamOf::new::<Admins>(ADMINS)];
        let done = self
            .streams
            .transact(tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                let user: User = d.state(&stream);
                if user.id != id || user.is_deactivated() {
                    return Err(unknown());
                }
                apply(d, &stream, actor, &user, change, &groups)
            })
            .await?;
        self.settle(tenant, done.position()).await;
        Ok(())
    }

    /// Says whether a user takes chats.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins and itself, `UnknownUser`.
    pub async fn change_availability(
        &self,
        context: &Context,
        id: UserId,
        is_available: bool,
    ) -> Result<(), ApplicationError> {
        let actor = &context.actor;
        if !actor.is_admin() && actor.user != id {
            return Err(ApplicationError::NotAllowed);
        }
        let unknown = || ApplicationError::UnknownUser(id);
        let stream = self.stream_at::<User>(context.tenant, id.0).await?.ok_or_else(unknown)?;
        let (streams, metadata) = ([StreamOf::new::<User>(&stream)], context.metadata());
        let work = self.streams.transact(context.tenant, &streams, &metadata, self.clock.now(), |d| {
            if d.state::<User>(&stream).id != id {
                return Err(unknown());
            }
            let command = UserCommand::ChangeAvailability { is_available, done_by: Some(actor.user) };
            d.decide::<User>(&stream, command).map_err(|_| unknown())
        });
        let done = work.await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }

    /// A group, deleted ones too.
    pub(crate) async fn group(&self, tenant: TenantId, id: GroupId) -> Result<Option<Group>, ApplicationError> {
        let Some(stream) = self.stream_at::<Group>(tenant, id.0).await? else { return Ok(None) };
        let group: Group = self.streams.state(tenant, &stream).await?;
        Ok((group.id == id).then_some(group))
    }
}

fn apply(
    d: &mut Decisions<'_>,
    stream: &str,
    actor: &Actor,
    user: &User,
    change: &UserChange,
    groups: &Groups,
) -> Result<(), ApplicationError> {
    let present = Membership { role: user.role.unwrap_or(Role::User), groups: user.groups.clone() };
    let Membership { role, groups: members } = present.set(change.role, change.groups.as_ref(), &groups.built_in);
    let in_effect = groups.in_effect(present.role, user.overrides, &present.groups);
    let overrides = user.overrides.set(change.permissions, role, in_effect);
    let stays = role == present.role && members == present.groups && overrides == Ok(user.overrides);
    if !actor.is_admin() && !stays {
        return Err(ApplicationError::NotAllowed);
    }
    let (overrides, done_by) = (overrides?, Some(actor.user));
    let Details { username, first_name, last_name, email } = change.details(&user.details);
    d.decide::<User>(stream, UserCommand::ChangeDetails { username, first_name, last_name, email, done_by })?;
    d.decide::<User>(stream, UserCommand::ChangeGroups { role, groups: members, done_by })?;
    d.decide::<User>(stream, UserCommand::ChangePermissions { overrides, done_by })?;
    let after: User = d.state(stream);
    count_admin(d, user.id, user.is_active_admin(), after.is_active_admin())?;
    Ok(())
}
