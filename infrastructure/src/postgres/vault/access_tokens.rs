//! The vault's part for access tokens: one row for each number, sealed.
//!
//! Tokens that were kept before there was one for each number stand in a row without a number, which counts where the
//! number has none of its own.

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    access_tokens::{AccessTokens, TokenMark},
};
use chatledger_domain::TenantId;
use subtle::ConstantTimeEq;

use super::{PgVault, look_up_hash, unavailable};
use crate::vault::Place;

const WITHOUT_NUMBER: &str = "access_token";

fn kind(phone_number_id: &str) -> String {
    format!("{WITHOUT_NUMBER}:{phone_number_id}")
}

impl PgVault {
    async fn access_token(
        &self,
        tenant: TenantId,
        phone_number_id: &str,
    ) -> Result<Option<(String, Vec<u8>)>, Unavailable> {
        sqlx::query_as(
            "SELECT kind, sealed FROM vault.secrets WHERE tenant_id = $1 AND kind IN ($2, $3) \
             ORDER BY kind = $2 DESC LIMIT 1",
        )
        .bind(tenant.0)
        .bind(kind(phone_number_id))
        .bind(WITHOUT_NUMBER)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)
    }
}

#[async_trait]
impl AccessTokens for PgVault {
    async fn put(&self, tenant: TenantId, phone_number_id: &str, token: &str) -> Result<(), Unavailable> {
        self.put_secret(tenant, &kind(phone_number_id), look_up_hash(token), token).await
    }

    async fn get(&self, tenant: TenantId, phone_number_id: &str) -> Result<Option<String>, Unavailable> {
        let Some((kind, sealed)) = self.access_token(tenant, phone_number_id).await? else { return Ok(None) };
        let place = Place { tenant, table: "vault.secrets", row: &kind };
        self.keys.open(place, &sealed).map(Some).map_err(unavailable)
    }

    async fn is(&self, tenant: TenantId, phone_number_id: &str, token: &str) -> Result<bool, Unavailable> {
        let kept = AccessTokens::get(self, tenant, phone_number_id).await?;
        Ok(kept.is_some_and(|kept| kept.as_bytes().ct_eq(token.as_bytes()).into()))
    }

    async fn mark(&self, tenant: TenantId, phone_number_id: &str) -> Result<Option<TokenMark>, Unavailable> {
        // Sealed anew, it is another text each time.
        Ok(self.access_token(tenant, phone_number_id).await?.map(|(_, sealed)| TokenMark(sealed)))
    }

    async fn forget(&self, tenant: TenantId, phone_number_id: &str, mark: &TokenMark) -> Result<(), Unavailable> {
        sqlx::query("DELETE FROM vault.secrets WHERE tenant_id = $1 AND kind IN ($2, $3) AND sealed = $4")
            .bind(tenant.0)
            .bind(kind(phone_number_id))
            .bind(WITHOUT_NUMBER)
            .bind(&mark.0)
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
