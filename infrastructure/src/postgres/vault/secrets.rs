//! The vault's part for what events refer to: sealed by id, and hashes of API tokens.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_application::ports::{Unavailable, secrets::Secrets};
use chatledger_domain::{SecretId, TenantId};
use uuid::Uuid;

use super::{PgVault, look_up_hash, unavailable};
use crate::vault::Place;

fn place(tenant: TenantId, row: &str) -> Place<'_> {
    Place { tenant, table: "vault.sealed", row }
}

#[async_trait]
impl Secrets for PgVault {
    async fn seal(&self, tenant: TenantId, id: SecretId, secret: &str) -> Result<(), Unavailable> {
        let sealed = self.keys.seal(place(tenant, &id.to_string()), secret).map_err(unavailable)?;
        sqlx::query("INSERT INTO vault.sealed (tenant_id, id, sealed) VALUES ($1, $2, $3)")
            .bind(tenant.0)
            .bind(id.0)
            .bind(sealed)
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn unseal(&self, tenant: TenantId, ids: &[SecretId]) -> Result<HashMap<SecretId, String>, Unavailable> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows: Vec<(Uuid, Vec<u8>)> =
            sqlx::query_as("SELECT id, sealed FROM vault.sealed WHERE tenant_id = $1 AND id = ANY ($2)")
                .bind(tenant.0)
                .bind(ids)
                .fetch_all(&self.pool)
                .await
                .map_err(unavailable)?;
        rows.into_iter()
            .map(|(id, sealed)| {
                let opened = self.keys.open(place(tenant, &id.to_string()), &sealed).map_err(unavailable)?;
                Ok((SecretId(id), opened))
            })
            .collect()
    }

    async fn forget(&self, tenant: TenantId, id: SecretId) -> Result<(), Unavailable> {
        sqlx::query("DELETE FROM vault.sealed WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id.0)
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn keep_api_token(&self, tenant: TenantId, stream: Uuid, token: &str) -> Result<(), Unavailable> {
        sqlx::query("INSERT INTO vault.api_tokens (tenant_id, stream, token_hash) VALUES ($1, $2, $3)")
            .bind(tenant.0)
            .bind(stream)
            .bind(look_up_hash(token))
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn forget_api_token(&self, tenant: TenantId, stream: Uuid) -> Result<(), Unavailable> {
        sqlx::query("DELETE FROM vault.api_tokens WHERE tenant_id = $1 AND stream = $2")
            .bind(tenant.0)
            .bind(stream)
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
