//! The rules of tenants.

use super::{SettingsChanged, Tenant, TenantCommand, TenantCreated, TenantEvent, TenantRefusal};
use crate::{decider::Decider, ids::Position};

impl Decider for Tenant {
    const TYPE: &'static str = "Tenant";
    type Command = TenantCommand;
    type Event = TenantEvent;
    type Refusal = TenantRefusal;

    fn decide(&self, command: TenantCommand) -> Result<Vec<TenantEvent>, TenantRefusal> {
        match command {
            TenantCommand::Create { .. } if self.exists => Err(TenantRefusal::Exists),
            TenantCommand::Create { slug, name, hosts } => Ok(vec![TenantCreated { slug, name, hosts }.into()]),
            TenantCommand::ChangeSettings { .. } if !self.exists => Err(TenantRefusal::Unknown),
            TenantCommand::ChangeSettings { settings, .. } if settings == self.settings => Ok(Vec::new()),
            TenantCommand::ChangeSettings { settings, done_by } => {
                Ok(vec![SettingsChanged { settings, done_by }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &TenantEvent, _: Position) {
        self.after(event);
    }
}
