//! Folds a tenant's own events and those of its WhatsApp account into its one row.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent,
    tenant::{Settings, TenantEvent},
    whatsapp_account::{Number, WhatsAppAccountEvent},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table},
    text::clean,
};

/// The read model `tenants`.
pub(crate) struct Tenants;

#[derive(Default)]
struct Change {
    created: Option<(String, String, Vec<String>)>,
    settings: Option<Settings>,
    number: Option<Option<Number>>,
}

impl Change {
    fn fold(batch: &Batch<'_>) -> Self {
        let mut change = Self::default();
        for recorded in &batch.events {
            match &recorded.event {
                AnyEvent::Tenant(TenantEvent::TenantCreated(e)) => {
                    let hosts = e.hosts.iter().map(|host| clean(host).into_owned()).collect();
                    change.created = Some((clean(&e.slug).into_owned(), clean(&e.name).into_owned(), hosts));
                }
                AnyEvent::Tenant(TenantEvent::SettingsChanged(e)) => change.settings = Some(e.settings.clone()),
                AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountConnected(e)) => {
                    change.number = Some(Some(Number {
                        phone_number_id: e.phone_number_id.clone(),
                        display_phone_number: e.display_phone_number.clone(),
                        waba_id: e.waba_id.clone(),
                        channel: e.channel,
                    }));
                }
                AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountDisconnected(_)) => change.number = Some(None),
                _ => {}
            }
        }
        change
    }
}

#[async_trait]
impl Projection for Tenants {
    fn name(&self) -> &'static str {
        "tenants"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("tenants")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let change = Change::fold(batch);
        if let Some((slug, name, hosts)) = change.created {
            sqlx::query(
                "INSERT INTO tenants (tenant_id, slug, name, hosts, settings, free_entry_window)
                 VALUES ($1, $2, $3, $4, $5::json, false)
                 ON CONFLICT (tenant_id) DO UPDATE SET slug = $2, name = $3, hosts = $4",
            )
            .bind(batch.tenant.0)
            .bind(slug)
            .bind(name)
            .bind(hosts)
            .bind(json(&Settings::default())?)
            .execute(&mut *db)
            .await?;
        }
        if let Some(settings) = change.settings {
            sqlx::query("UPDATE tenants SET settings = $2::json, free_entry_window = $3 WHERE tenant_id = $1")
                .bind(batch.tenant.0)
                .bind(json(&settings)?)
                .bind(settings.free_entry_window)
                .execute(&mut *db)
                .await?;
        }
        if let Some(number) = change.number {
            sqlx::query("UPDATE tenants SET number = $2::json WHERE tenant_id = $1")
                .bind(batch.tenant.0)
                .bind(number.map(|number| json(&number)).transpose()?)
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, ProjectionError> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()).into())
}
