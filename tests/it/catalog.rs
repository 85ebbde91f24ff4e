//! The tenant leads every key: no table of ours can mix tenants, and each tenant can be moved alone.

use crate::harness::postgres::database;

#[tokio::test]
async fn every_primary_key_and_index_begins_with_the_tenant() {
    let database = database().await;
    let strays: Vec<String> = sqlx::query_scalar(
        "SELECT i.indexrelid::regclass::text FROM pg_index i \
         JOIN pg_class c ON c.oid = i.indrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
         AND c.relname <> '_sqlx_migrations' AND a.attname IS DISTINCT FROM 'tenant_id' ORDER BY 1",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(strays, Vec::<String>::new());
}

#[tokio::test]
async fn every_table_has_a_primary_key() {
    let database = database().await;
    let strays: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) ORDER BY 1",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(strays, Vec::<String>::new());
}

#[tokio::test]
async fn every_foreign_key_stays_within_its_tenant() {
    let database = database().await;
    let strays: Vec<String> = sqlx::query_scalar(
        "SELECT k.conname::text FROM pg_constraint k \
         LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
         LEFT JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1] \
         WHERE k.contype = 'f' AND (a.attname, f.attname) IS DISTINCT FROM ('tenant_id', 'tenant_id') ORDER BY 1",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(strays, Vec::<String>::new());
}
