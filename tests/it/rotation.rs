//! The master key is changed: everything is encrypted anew under the new one, beside whoever works, and nothing of the
//! old one is needed any more.

use chatledger_application::ports::{
    access_tokens::AccessTokens,
    secrets::Secrets,
    vault::{Kind, Vault},
};
use chatledger_domain::{SecretId, TenantId, UserId};
use chatledger_infrastructure::{
    postgres::{PgVault, RotateError, Rotated, SEALED, rotate},
    vault::{Keyring, MasterKey},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::harness::{
    inbox::Inbox,
    postgres::{TestDatabase, database},
    process::binary,
};

fn key(byte: u8) -> MasterKey {
    MasterKey::new([byte; 32])
}

async fn fill(pool: &PgPool, keys: impl Into<Keyring>, tenant: TenantId) {
    let vault = PgVault::new(pool.clone(), keys);
    vault.token(tenant, UserId(1), "token".into()).await.unwrap();
    Vault::put(&vault, tenant, Kind::ChannelSecret, "channel").await.unwrap();
    AccessTokens::put(&vault, tenant, "106", "access").await.unwrap();
    for n in 0..700 {
        vault.seal(tenant, SecretId(Uuid::from_u128(n)), &format!("secret {n}")).await.unwrap();
    }
}

async fn read(pool: &PgPool, keys: impl Into<Keyring>, tenant: TenantId) {
    let vault = PgVault::new(pool.clone(), keys);
    assert_eq!(vault.token(tenant, UserId(1), "another".into()).await.unwrap(), ("token".into(), false));
    assert_eq!(vault.tenant_of(&[tenant], Kind::ChannelSecret, "channel").await.unwrap(), Some(tenant));
    assert_eq!(AccessTokens::get(&vault, tenant, "106").await.unwrap().as_deref(), Some("access"));
    assert!(vault.is(tenant, "106", "access").await.unwrap() && !vault.is(tenant, "106", "other").await.unwrap());
    let ids: Vec<SecretId> = (0..700).map(|n| SecretId(Uuid::from_u128(n))).collect();
    let all = vault.unseal(tenant, &ids).await.unwrap();
    assert!(ids.iter().enumerate().all(|(n, id)| all[id] == format!("secret {n}")));
}

#[tokio::test]
async fn after_a_rotation_the_new_key_alone_opens_everything() {
    let TestDatabase { pool, .. } = database().await;
    let tenant = TenantId::of_slug("here");
    fill(&pool, key(1), tenant).await;
    let both = Keyring::new(key(2), vec![key(1)]);
    read(&pool, both.clone(), tenant).await;
    let mut told = Vec::new();
    let rotated = rotate(&pool, &both, |so_far| told.push(so_far.done)).await.unwrap();
    assert_eq!(rotated, Rotated { total: 703, done: 703, resealed: 703 });
    assert!(told.len() > 3 && told.is_sorted(), "{told:?}");
    read(&pool, key(2), tenant).await;
    let old = PgVault::new(pool.clone(), key(1));
    assert!(AccessTokens::get(&old, tenant, "106").await.is_err(), "the old key opens nothing any more");
    assert_eq!(old.opens_any().await.unwrap(), Some(false));
    let again = rotate(&pool, &both, |_| {}).await.unwrap();
    assert_eq!(again.resealed, 0, "what is under the newest key stays as it is");
}

#[tokio::test]
async fn a_key_that_is_missing_is_said_and_the_rest_is_rotated() {
    let TestDatabase { pool, .. } = database().await;
    let [here, there] = ["here", "there"].map(TenantId::of_slug);
    fill(&pool, key(1), here).await;
    AccessTokens::put(&PgVault::new(pool.clone(), key(9)), there, "1", "lost").await.unwrap();
    let keys = Keyring::new(key(2), vec![key(1)]);
    let error = rotate(&pool, &keys, |_| {}).await.unwrap_err();
    assert!(matches!(error, RotateError::DoNotOpen { count: 1, total: 704, tenant, .. } if tenant == there), "{error}");
    assert!(error.to_string().contains("secrets.old_master_keys"), "{error}");
    read(&pool, key(2), here).await;
}

#[tokio::test]
async fn every_table_with_sealed_secrets_is_rotated() {
    let TestDatabase { pool, .. } = database().await;
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relkind = 'r' AND a.attname = 'sealed' AND NOT a.attisdropped ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut known = SEALED.map(|(table, _)| table.to_owned()).to_vec();
    known.sort();
    assert_eq!(found, known);
}

#[tokio::test]
async fn the_command_rotates_beside_a_running_server_and_a_wrong_key_is_a_clear_error() {
    let inbox = Inbox::start().await;
    let old = inbox.sandbox_state()["master_key"].as_str().unwrap().to_owned();
    let new = "ab".repeat(32);
    let run = async |master: &str, older: &[&str], arguments: &[&str]| {
        let mut command = std::process::Command::new(binary());
        command.args(arguments).env("DATABASE_URL", &inbox.database_url).env("CHATLEDGER_LOGS__FILTER", "error");
        command.env("CHATLEDGER_SECRETS__MASTER_KEY", master);
        command.env("CHATLEDGER_SECRETS__OLD_MASTER_KEYS", serde_json::json!(older).to_string());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (done, said) = run(&new, &[], &["secrets", "rotate"]).await;
    assert!(!done && said.contains("open under none of the configured master keys"), "{said}");
    let (done, said) = run(&new, &[], &["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(!done && said.contains("secrets.master_key is not the key of this database"), "{said}");
    let (done, said) = run(&new, &[&old], &["secrets", "rotate"]).await;
    assert!(done && said.contains("encrypted anew"), "{said}");
    let (done, said) = run(&new, &[], &["secrets", "rotate"]).await;
    assert!(done && said.starts_with("0 of"), "{said}");
    for wrong in ["abc", &"zz".repeat(32)] {
        let (done, said) = run(&new, &[wrong], &["config", "check"]).await;
        assert!(!done && said.contains("secrets.old_master_keys"), "{said}");
    }
}
