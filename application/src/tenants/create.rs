//! Creates a tenant with its three built-in groups.

use std::{collections::HashMap, sync::Arc};

use chatledger_domain::{
    GroupId, Role, TenantId,
    group::{Group, GroupCommand},
    tenant::{Tenant, TenantCommand},
};

use crate::{
    application::Application,
    chats::TENANT,
    error::ApplicationError,
    ports::{ledger::Metadata, vault::Kind},
    streams::StreamOf,
};

/// A tenant to be created.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Its short name in hosts and headers.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The hosts it is reached under.
    pub hosts: Vec<String>,
}

/// A tenant that was created.
#[derive(Clone, Debug)]
pub struct CreatedTenant {
    /// Its id.
    pub id: TenantId,
    /// The built-in group of each role (R-PERM-1).
    pub groups: HashMap<Role, GroupId>,
    /// The last part of its own webhook address.
    pub channel_secret: String,
    /// What it shows when WhatsApp verifies its webhook.
    pub verify_token: String,
}

impl Application {
    /// Creates a tenant, its groups and its secrets.
    ///
    /// # Errors
    /// [`ApplicationError::TenantExists`] when the slug is in use.
    pub async fn create_tenant(&self, new: NewTenant) -> Result<CreatedTenant, ApplicationError> {
        self.create_tenant_by(new, &self.system("set-up", None)).await
    }

    /// The same for somebody who is named in the ledger.
    pub(crate) async fn create_tenant_by(
        &self,
        new: NewTenant,
        metadata: &Arc<Metadata>,
    ) -> Result<CreatedTenant, ApplicationError> {
        let id = TenantId::of_slug(&new.slug);
        let group_ids = Role::ALL.map(|role| (role, self.random.uuid().to_string()));
        let mut streams = vec![StreamOf::new::<Tenant>(TENANT)];
        streams.extend(group_ids.iter().map(|(_, stream)| StreamOf::new::<Group>(stream)));
        let done = self
            .streams
            .transact(id, &streams, metadata, self.clock.now(), |d| {
                let NewTenant { slug, name, hosts } = new.clone();
                d.decide::<Tenant>(TENANT, TenantCommand::Create { slug, name, hosts })?;
                for (role, stream) in &group_ids {
                    let create = GroupCommand::Create {
                        name: role.group_name().to_owned(),
                        built_in: Some(*role),
                        permissions: role.default_permissions(),
                        done_by: None,
                    };
                    d.decide::<Group>(stream, create)?;
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        let created = done.recorded.iter().skip(1).map(|r| GroupId(r.position.0));
        let groups = Role::ALL.into_iter().zip(created).collect();
        let [channel_secret, verify_token] = self.complete_secrets(id).await?;
        self.settle(id, done.position()).await;
        Ok(CreatedTenant { id, groups, channel_secret, verify_token })
    }

    /// The last part of a tenant's own webhook address and its verify token; made where a crash came before they were.
    pub(crate) async fn complete_secrets(&self, tenant: TenantId) -> Result<[String; 2], ApplicationError> {
        let made = || [format!("{}{}", tenant.tag(), self.random.hex(16)), self.random.hex(16)];
        let mut secrets = made();
        for (kind, secret) in [Kind::ChannelSecret, Kind::VerifyToken].into_iter().zip(&mut secrets) {
            match self.vault.get(tenant, kind).await? {
                Some(kept) => *secret = kept,
                None => self.vault.put(tenant, kind, secret).await?,
            }
        }
        Ok(secrets)
    }
}
