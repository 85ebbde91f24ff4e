//! The vault on Postgres: passwords as Argon2id, tokens and channel secrets sealed and found by hash.

use std::sync::Arc;

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{self, SaltString},
};
use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    vault::{Kind, Vault},
};
use chatledger_domain::{TenantId, UserId};
use rand::Rng;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::vault::{MasterKey, Place};

/// Passwords that are hashed at once: each takes 19 MiB and a core.
const HASHING: usize = 2;

/// The hash of no password, with the costs of a real one, checked where there is no user.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The vault on Postgres.
pub struct PgVault {
    pool: PgPool,
    key: MasterKey,
    hashing: Arc<Semaphore>,
}

impl PgVault {
    /// A vault on this pool, sealed with this key.
    #[must_use]
    pub fn new(pool: PgPool, key: MasterKey) -> Self {
        Self { pool, key, hashing: Arc::new(Semaphore::new(HASHING)) }
    }

    /// Works with a password where it holds up nobody, and not on more cores than agreed.
    async fn with_password<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let permit = self.hashing.clone().acquire_owned().await.map_err(unavailable)?;
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(unavailable)?.map_err(|error| unavailable(error.to_string()))
    }
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unavailable {
    Unavailable::new("the vault", error)
}

/// Enough for look-ups: what is hashed here has at least 128 random bits.
fn look_up_hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn token_place(tenant: TenantId, user: &str) -> Place<'_> {
    Place { tenant, table: "vault.tokens", row: user }
}

fn secret_place(tenant: TenantId, kind: Kind) -> Place<'static> {
    Place { tenant, table: "vault.secrets", row: kind.as_str() }
}

#[async_trait]
impl Vault for PgVault {
    async fn set_password(&self, tenant: TenantId, user: UserId, password: &str) -> Result<(), Unavailable> {
        let password = password.to_owned();
        let hash = self
            .with_password(move || {
                let salt = SaltString::encode_b64(&rand::rng().random::<[u8; 16]>())?;
                Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
            })
            .await?;
        sqlx::query(
            "INSERT INTO vault.passwords (tenant_id, user_id, hash) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant_id, user_id) DO UPDATE SET hash = excluded.hash",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(hash)
        .execute(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(())
    }

    async fn check_password(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        password: &str,
    ) -> Result<bool, Unavailable> {
        let hash: Option<String> =
            sqlx::query_scalar("SELECT hash FROM vault.passwords WHERE tenant_id = $1 AND user_id = $2")
                .bind(tenant.0)
                // No user has this id: the same query, so the same time.
                .bind(user.map_or(-1, |user| user.0))
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let password = password.to_owned();
        self.with_password(move || {
            let hash = PasswordHash::new(&hash)?;
            match Argon2::default().verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(password_hash::Error::Password) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn token(&self, tenant: TenantId, user: UserId, new: String) -> Result<(String, bool), Unavailable> {
        let row = user.to_string();
        let place = token_place(tenant, &row);
        let sealed = self.key.seal(place, &new).map_err(unavailable)?;
        let added = sqlx::query(
            "INSERT INTO vault.tokens (tenant_id, user_id, token_hash, sealed) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant_id, user_id) DO NOTHING",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(look_up_hash(&new))
        .bind(sealed)
        .execute(&self.pool)
        .await
        .map_err(unavailable)?;
        if added.rows_affected() == 1 {
            return Ok((new, true));
        }
        let sealed: Vec<u8> =
            sqlx::query_scalar("SELECT sealed FROM vault.tokens WHERE tenant_id = $1 AND user_id = $2")
                .bind(tenant.0)
                .bind(user.0)
                .fetch_one(&self.pool)
                .await
                .map_err(unavailable)?;
        Ok((self.key.open(place, &sealed).map_err(unavailable)?, false))
    }

    async fn user_of_token(
        &self,
        tenants: &[TenantId],
        token: &str,
    ) -> Result<Option<(TenantId, UserId)>, Unavailable> {
        let tenants: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
        let found: Option<(Uuid, i64)> = sqlx::query_as(
            "SELECT tenant_id, user_id FROM vault.tokens WHERE tenant_id = ANY ($1) AND token_hash = $2 LIMIT 1",
        )
        .bind(tenants)
        .bind(look_up_hash(token))
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(found.map(|(tenant, user)| (TenantId(tenant), UserId(user))))
    }

    async fn put(&self, tenant: TenantId, kind: Kind, secret: &str) -> Result<(), Unavailable> {
        let sealed = self.key.seal(secret_place(tenant, kind), secret).map_err(unavailable)?;
        sqlx::query(
            "INSERT INTO vault.secrets (tenant_id, kind, secret_hash, sealed) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant_id, kind) DO UPDATE \
             SET secret_hash = excluded.secret_hash, sealed = excluded.sealed",
        )
        .bind(tenant.0)
        .bind(kind.as_str())
        .bind(look_up_hash(secret))
        .bind(sealed)
        .execute(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(())
    }

    async fn get(&self, tenant: TenantId, kind: Kind) -> Result<Option<String>, Unavailable> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT sealed FROM vault.secrets WHERE tenant_id = $1 AND kind = $2")
                .bind(tenant.0)
                .bind(kind.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
        sealed.map(|sealed| self.key.open(secret_place(tenant, kind), &sealed).map_err(unavailable)).transpose()
    }

    async fn tenant_of(&self, tenants: &[TenantId], kind: Kind, secret: &str) -> Result<Option<TenantId>, Unavailable> {
        let tenants: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
        let found: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
            "SELECT tenant_id, sealed FROM vault.secrets WHERE tenant_id = ANY ($1) AND kind = $2 AND secret_hash = $3",
        )
        .bind(tenants)
        .bind(kind.as_str())
        .bind(look_up_hash(secret))
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        for (tenant, sealed) in found {
            let tenant = TenantId(tenant);
            let kept = self.key.open(secret_place(tenant, kind), &sealed).map_err(unavailable)?;
            if kept.as_bytes().ct_eq(secret.as_bytes()).into() {
                return Ok(Some(tenant));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let hash = PasswordHash::new(NOBODY).expect("a hash");
        let costs = argon2::Params::try_from(&hash).expect("costs");
        assert_eq!(
            (costs.m_cost(), costs.t_cost(), costs.p_cost()),
            (argon2::Params::DEFAULT_M_COST, argon2::Params::DEFAULT_T_COST, argon2::Params::DEFAULT_P_COST)
        );
        let verdict = Argon2::default().verify_password(b"anything", &hash);
        assert!(matches!(verdict, Err(password_hash::Error::Password)));
    }
}
