//! The vault on Postgres: passwords as Argon2id, sessions as hashes, tokens and channel secrets sealed and found by
//! hash.

mod access_tokens;
mod activation_codes;
mod hashing;
mod rotate;
mod secrets;
mod sessions;

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    vault::{Kind, MAX_PASSWORD, PasswordError, Session, Vault},
};
use chatledger_domain::{TenantId, UserId};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use self::hashing::{Hashing, Verdict};
pub use self::rotate::{RotateError, Rotated, SEALED, rotate};
use crate::vault::{Keyring, Place};

/// The vault on Postgres.
pub struct PgVault {
    pool: PgPool,
    keys: Keyring,
    hashing: Hashing,
}

impl PgVault {
    /// A vault on this pool, sealed with these keys.
    #[must_use]
    pub fn new(pool: PgPool, keys: impl Into<Keyring>) -> Self {
        Self { pool, keys: keys.into(), hashing: Hashing::new() }
    }

    /// The keys that seal and open.
    #[must_use]
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Whether the keys open anything of what is kept; `None` where nothing is.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn opens_any(&self) -> Result<Option<bool>, Unavailable> {
        rotate::opens_any(&self.pool, &self.keys).await.map_err(unavailable)
    }

    async fn put_secret(&self, tenant: TenantId, kind: &str, hash: Vec<u8>, secret: &str) -> Result<(), Unavailable> {
        let place = Place { tenant, table: "vault.secrets", row: kind };
        sqlx::query(
            "INSERT INTO vault.secrets (tenant_id, kind, secret_hash, sealed) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant_id, kind) DO UPDATE \
             SET secret_hash = excluded.secret_hash, sealed = excluded.sealed",
        )
        .bind(tenant.0)
        .bind(kind)
        .bind(hash)
        .bind(self.keys.seal(place, secret).map_err(unavailable)?)
        .execute(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(())
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
    async fn set_password(&self, tenant: TenantId, user: UserId, password: &str) -> Result<(), PasswordError> {
        if password.chars().count() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        let hash = self.hashing.hash(password).await?;
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
    ) -> Result<bool, PasswordError> {
        if password.chars().count() > MAX_PASSWORD {
            return Ok(false);
        }
        // No user has this id: the same query, so the same time.
        let user = user.map_or(-1, |user| user.0);
        let kept: Option<String> =
            sqlx::query_scalar("SELECT hash FROM vault.passwords WHERE tenant_id = $1 AND user_id = $2")
                .bind(tenant.0)
                .bind(user)
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
        let verdict = self.hashing.check(kept.clone(), password).await?;
        if let Verdict::Outdated(hash) = &verdict {
            // Unless the password was changed meanwhile.
            sqlx::query("UPDATE vault.passwords SET hash = $3 WHERE tenant_id = $1 AND user_id = $2 AND hash = $4")
                .bind(tenant.0)
                .bind(user)
                .bind(hash)
                .bind(kept)
                .execute(&self.pool)
                .await
                .map_err(unavailable)?;
        }
        Ok(verdict != Verdict::Wrong)
    }

    async fn token(&self, tenant: TenantId, user: UserId, new: String) -> Result<(String, bool), Unavailable> {
        let row = user.to_string();
        let place = token_place(tenant, &row);
        let sealed = self.keys.seal(place, &new).map_err(unavailable)?;
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
        Ok((self.keys.open(place, &sealed).map_err(unavailable)?, false))
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

    async fn open_session(&self, id: &str, session: &Session) -> Result<(), Unavailable> {
        sessions::open(&self.pool, id, session).await.map_err(unavailable)
    }

    async fn find_session(&self, tenants: &[TenantId], id: &str) -> Result<Option<Session>, Unavailable> {
        sessions::find(&self.pool, tenants, id).await.map_err(unavailable)
    }

    async fn touch_session(&self, tenant: TenantId, id: &str, seen_at: DateTime<Utc>) -> Result<(), Unavailable> {
        sessions::touch(&self.pool, tenant, id, seen_at).await.map_err(unavailable)
    }

    async fn end_session(&self, tenant: TenantId, id: &str) -> Result<(), Unavailable> {
        sessions::end(&self.pool, tenant, id).await.map_err(unavailable)
    }

    async fn end_sessions(&self, tenant: TenantId, user: UserId) -> Result<(), Unavailable> {
        sessions::end_all(&self.pool, tenant, user).await.map_err(unavailable)
    }

    async fn add_refresh_token(
        &self,
        tenant: TenantId,
        user: UserId,
        token: &str,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), Unavailable> {
        sessions::add_refresh_token(&self.pool, (tenant, user), token, now, expires_at).await.map_err(unavailable)
    }

    async fn use_refresh_token(
        &self,
        tenants: &[TenantId],
        token: &str,
        keep: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<(TenantId, UserId)>, Unavailable> {
        sessions::use_refresh_token(&self.pool, tenants, token, keep, now).await.map_err(unavailable)
    }

    async fn put_activation_code(
        &self,
        tenant: TenantId,
        user: UserId,
        code: &str,
        until: DateTime<Utc>,
    ) -> Result<(), Unavailable> {
        activation_codes::put(&self.pool, tenant, user, code, until).await.map_err(unavailable)
    }

    async fn user_of_activation_code(
        &self,
        tenants: &[TenantId],
        code: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(TenantId, UserId)>, Unavailable> {
        activation_codes::user_of(&self.pool, tenants, code, now).await.map_err(unavailable)
    }

    async fn drop_activation_code(&self, tenant: TenantId, user: UserId) -> Result<(), Unavailable> {
        activation_codes::forget(&self.pool, tenant, user).await.map_err(unavailable)
    }

    async fn put(&self, tenant: TenantId, kind: Kind, secret: &str) -> Result<(), Unavailable> {
        self.put_secret(tenant, kind.as_str(), look_up_hash(secret), secret).await
    }

    async fn get(&self, tenant: TenantId, kind: Kind) -> Result<Option<String>, Unavailable> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT sealed FROM vault.secrets WHERE tenant_id = $1 AND kind = $2")
                .bind(tenant.0)
                .bind(kind.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
        sealed.map(|sealed| self.keys.open(secret_place(tenant, kind), &sealed).map_err(unavailable)).transpose()
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
            let kept = self.keys.open(secret_place(tenant, kind), &sealed).map_err(unavailable)?;
            if kept.as_bytes().ct_eq(secret.as_bytes()).into() {
                return Ok(Some(tenant));
            }
        }
        Ok(None)
    }
}
