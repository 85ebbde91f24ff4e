//! The vault and the quarantine: secrets are found by hash and kept sealed; what could not be recorded is kept once.

use std::{sync::Arc, time::Duration};

use chatledger_application::ports::{
    quarantine::{Quarantine, Quarantined},
    vault::{Kind, Vault},
};
use chatledger_domain::{TenantId, UserId};
use chatledger_infrastructure::{
    postgres::{PgQuarantine, PgVault},
    vault::MasterKey,
};
use chrono::Utc;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::postgres::{TestDatabase, database};

#[tokio::test]
async fn a_password_is_checked_for_its_own_user_only() {
    let TestDatabase { pool, .. } = database().await;
    let vault = PgVault::new(pool, MasterKey::new([1; 32]));
    let (here, there) = (TenantId::of_slug("here"), TenantId::of_slug("there"));
    vault.set_password(here, UserId(1), "first").await.unwrap();
    vault.set_password(here, UserId(1), "second").await.unwrap();
    assert!(vault.check_password(here, Some(UserId(1)), "second").await.unwrap());
    for (tenant, user, password) in [
        (here, Some(UserId(1)), "first"),
        (here, Some(UserId(2)), "second"),
        (there, Some(UserId(1)), "second"),
        (here, None, "second"),
    ] {
        assert!(!vault.check_password(tenant, user, password).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_tokens_of_a_user_one_stays() {
    let TestDatabase { pool, .. } = database().await;
    let vault = Arc::new(PgVault::new(pool.clone(), MasterKey::new([1; 32])));
    let tenant = TenantId::of_slug("here");
    let mut callers = JoinSet::new();
    for caller in 0..16 {
        let vault = vault.clone();
        callers.spawn(async move { vault.token(tenant, UserId(1), format!("token-{caller}")).await.unwrap() });
    }
    let given = callers.join_all().await;
    assert_eq!(given.iter().filter(|(_, new)| *new).count(), 1);
    let token = &given[0].0;
    assert!(given.iter().all(|(same, _)| same == token));
    let elsewhere = TenantId::of_slug("there");
    assert_eq!(vault.user_of_token(&[elsewhere, tenant], token).await.unwrap(), Some((tenant, UserId(1))));
    assert_eq!(vault.user_of_token(&[elsewhere], token).await.unwrap(), None);
    let plain: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.tokens WHERE position($1::bytea IN sealed) > 0")
        .bind(token.as_bytes())
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(plain, 0, "the token must not stand in the table as it is");
}

#[tokio::test]
async fn a_secret_comes_back_from_its_own_row_only() {
    let TestDatabase { pool, .. } = database().await;
    let vault = PgVault::new(pool.clone(), MasterKey::new([1; 32]));
    let (here, there) = (TenantId::of_slug("here"), TenantId::of_slug("there"));
    vault.put(here, Kind::AccessToken, "old").await.unwrap();
    vault.put(here, Kind::AccessToken, "secret").await.unwrap();
    assert_eq!(vault.get(here, Kind::AccessToken).await.unwrap().as_deref(), Some("secret"));
    assert_eq!(vault.get(here, Kind::VerifyToken).await.unwrap(), None);
    assert_eq!(vault.tenant_of(&[there, here], Kind::AccessToken, "secret").await.unwrap(), Some(here));
    assert_eq!(vault.tenant_of(&[there, here], Kind::ChannelSecret, "secret").await.unwrap(), None);
    sqlx::query("UPDATE vault.secrets SET tenant_id = $1").bind(there.0).execute(&pool).await.unwrap();
    assert!(vault.get(there, Kind::AccessToken).await.is_err(), "a row that was moved does not open");
    let another = PgVault::new(pool, MasterKey::new([2; 32]));
    assert!(another.get(there, Kind::AccessToken).await.is_err());
}

fn item(body: &[u8], days_ago: i64) -> Quarantined {
    Quarantined {
        tenant: TenantId::of_slug("here"),
        id: Uuid::now_v7(),
        received_at: Utc::now() - chrono::Duration::days(days_ago),
        door: "cloud".to_owned(),
        reason: "not JSON \0".to_owned(),
        body: body.to_vec(),
    }
}

#[tokio::test]
async fn the_same_thing_is_kept_once_and_byte_for_byte() {
    let TestDatabase { pool, .. } = database().await;
    let quarantine = PgQuarantine::new(pool, Duration::from_secs(86_400), 1_000);
    let first = item(b"\0\xff{", 0);
    quarantine.keep(vec![first.clone(), item(b"\0\xff{", 0)]).await.unwrap();
    quarantine.keep(vec![item(b"\0\xff{", 0), item(b"other", 0)]).await.unwrap();
    assert_eq!(quarantine.list(None, 10).await.unwrap().len(), 2);
    assert_eq!(quarantine.get(first.id).await.unwrap().unwrap().body, b"\0\xff{");
    quarantine.release(first.tenant, first.id).await.unwrap();
    assert_eq!(quarantine.list(Some(first.tenant), 10).await.unwrap().len(), 1);
    assert!(quarantine.list(Some(TenantId::of_slug("there")), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_quarantine_drops_what_is_too_old_and_the_oldest_of_what_is_too_much() {
    let TestDatabase { pool, .. } = database().await;
    let quarantine = PgQuarantine::new(pool, Duration::from_secs(86_400), 250);
    for (number, days_ago) in [(0, 2), (1, 0), (2, 0), (3, 0)] {
        quarantine.keep(vec![item(&[number; 100], days_ago)]).await.unwrap();
    }
    quarantine.prune().await.unwrap();
    let kept: Vec<u8> = quarantine.list(None, 10).await.unwrap().iter().map(|item| item.body[0]).collect();
    assert_eq!(kept, [3, 2]);
}
