//! The vault and the quarantine: secrets are found by hash and kept sealed; what could not be recorded is kept once.

use std::{sync::Arc, time::Duration};

use chatledger_application::ports::{
    quarantine::{Quarantine, Quarantined},
    vault::{Kind, PasswordError, Session, Vault},
};
use chatledger_domain::{TenantId, UserId};
use chatledger_infrastructure::{
    postgres::{PgQuarantine, PgVault},
    vault::MasterKey,
};
use chrono::{DateTime, TimeDelta, Utc};
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
    vault.put(here, Kind::ChannelSecret, "old").await.unwrap();
    vault.put(here, Kind::ChannelSecret, "secret").await.unwrap();
    assert_eq!(vault.get(here, Kind::ChannelSecret).await.unwrap().as_deref(), Some("secret"));
    assert_eq!(vault.get(here, Kind::VerifyToken).await.unwrap(), None);
    assert_eq!(vault.tenant_of(&[there, here], Kind::ChannelSecret, "secret").await.unwrap(), Some(here));
    assert_eq!(vault.tenant_of(&[there, here], Kind::VerifyToken, "secret").await.unwrap(), None);
    sqlx::query("UPDATE vault.secrets SET tenant_id = $1").bind(there.0).execute(&pool).await.unwrap();
    assert!(vault.get(there, Kind::ChannelSecret).await.is_err(), "a row that was moved does not open");
    let another = PgVault::new(pool, MasterKey::new([2; 32]));
    assert!(another.get(there, Kind::ChannelSecret).await.is_err());
}

#[tokio::test]
async fn s10_a_session_is_its_users_until_it_is_ended() {
    let TestDatabase { pool, .. } = database().await;
    let vault = PgVault::new(pool.clone(), MasterKey::new([1; 32]));
    let (here, there) = (TenantId::of_slug("here"), TenantId::of_slug("there"));
    let now = DateTime::from_timestamp(1_767_700_000, 0).unwrap();
    let session = |tenant, user| Session { tenant, user, last_seen_at: now, expires_at: now + TimeDelta::days(14) };
    let ines = session(here, UserId(7));
    for id in ["first", "second"] {
        vault.open_session(id, &ines).await.unwrap();
    }
    vault.open_session("third", &session(here, UserId(8))).await.unwrap();
    vault.open_session("fourth", &session(there, UserId(7))).await.unwrap();
    assert_eq!(vault.find_session(&[there, here], "first").await.unwrap(), Some(ines.clone()));
    assert_eq!(vault.find_session(&[there], "first").await.unwrap(), None);
    // Time does not run backwards, whichever server says so.
    let later = now + TimeDelta::hours(1);
    for seen_at in [later, now] {
        vault.touch_session(here, "first", seen_at).await.unwrap();
    }
    assert_eq!(vault.find_session(&[here], "first").await.unwrap().unwrap().last_seen_at, later);
    vault.end_session(here, "first").await.unwrap();
    assert_eq!(vault.find_session(&[here], "first").await.unwrap(), None);
    assert!(vault.find_session(&[here], "second").await.unwrap().is_some());
    vault.end_sessions(here, UserId(7)).await.unwrap();
    assert_eq!(vault.find_session(&[here], "second").await.unwrap(), None);
    for (tenant, id) in [(here, "third"), (there, "fourth")] {
        assert!(vault.find_session(&[tenant], id).await.unwrap().is_some(), "{id}");
    }
    // What has expired goes with the next log-in.
    let far = now + TimeDelta::days(20);
    vault.open_session("fifth", &Session { last_seen_at: far, expires_at: far, ..ines }).await.unwrap();
    assert_eq!(vault.find_session(&[here], "third").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_used_once_unless_it_is_kept() {
    let TestDatabase { pool, .. } = database().await;
    let vault = Arc::new(PgVault::new(pool, MasterKey::new([1; 32])));
    let (here, there) = (TenantId::of_slug("here"), TenantId::of_slug("there"));
    let now = DateTime::from_timestamp(1_767_700_000, 0).unwrap();
    let end = now + TimeDelta::minutes(5);
    vault.add_refresh_token(here, UserId(7), "secret", now, end).await.unwrap();
    let found = Some((here, UserId(7)));
    for (tenants, keep, at, expected) in
        [([there], true, now, None), ([here], true, end, None), ([here], true, now, found), ([here], true, now, found)]
    {
        assert_eq!(vault.use_refresh_token(&tenants, "secret", keep, at).await.unwrap(), expected);
    }
    let mut users = JoinSet::new();
    for _ in 0..16 {
        let vault = vault.clone();
        users.spawn(async move { vault.use_refresh_token(&[here], "secret", false, now).await.unwrap() });
    }
    assert_eq!(users.join_all().await.into_iter().flatten().count(), 1);
    assert_eq!(vault.use_refresh_token(&[here], "secret", true, now).await.unwrap(), None);
}

#[tokio::test]
async fn s9_a_long_password_is_nobodys_and_an_old_hash_is_made_anew() {
    let TestDatabase { pool, .. } = database().await;
    let vault = PgVault::new(pool.clone(), MasterKey::new([1; 32]));
    let (here, user, longest) = (TenantId::of_slug("here"), UserId(1), "é".repeat(128));
    vault.set_password(here, user, &longest).await.unwrap();
    assert!(vault.check_password(here, Some(user), &longest).await.unwrap());
    let longer = format!("{longest}!");
    assert!(matches!(vault.set_password(here, user, &longer).await, Err(PasswordError::TooLong)));
    assert!(!vault.check_password(here, Some(user), &longer).await.unwrap());
    // "secret", of a day when 64 KiB and one pass were thought enough.
    let cheap = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$FpE5gOKC/35YTfc6SaWmi1G2IiKDhsWkG6/I5egfEzU";
    sqlx::query("UPDATE vault.passwords SET hash = $1").bind(cheap).execute(&pool).await.unwrap();
    assert!(!vault.check_password(here, Some(user), "wrong").await.unwrap());
    assert!(vault.check_password(here, Some(user), "secret").await.unwrap());
    let kept: String = sqlx::query_scalar("SELECT hash FROM vault.passwords").fetch_one(&pool).await.unwrap();
    assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
    assert!(vault.check_password(here, Some(user), "secret").await.unwrap());
}

fn item(body: &[u8], days_ago: i64) -> Quarantined {
    Quarantined {
        tenant: TenantId::of_slug("here"),
        id: Uuid::now_v7(),
        received_at: Utc::now() - TimeDelta::days(days_ago),
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
