//! The views are a promise: their columns are a committed list, all of it documented in the database, and a rebuild of
//! the read models leaves them as they were.

use std::{fmt::Write, fs, path::Path};

use chatledger_projections::rebuild;
use sqlx::PgPool;

use super::{drop_role, reader, role_name, rows, scenario::filled};
use crate::harness::postgres::database;

const ADOPT: &str = "UPDATE_SNAPSHOTS=1 cargo test --test it analytics::columns";

/// Every view with its columns, to read.
async fn document(pool: &PgPool) -> String {
    let mut text =
        "# The views of schema `analytics`\n\nMade by `tests/it/analytics/columns.rs` from the comments in the \
                    database. Columns are added, never renamed or removed.\n"
            .to_owned();
    let views = "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
                  WHERE relnamespace = 'analytics'::regnamespace AND relkind = 'v' ORDER BY 1";
    for view in rows(pool, views).await {
        let _ = write!(text, "\n## {}\n\n{}\n\n| column | type | meaning |\n|---|---|---|\n", view[0], view[1]);
        let columns = format!(
            "SELECT attname, format_type(atttypid, NULL), col_description(attrelid, attnum) FROM pg_attribute
              WHERE attrelid = 'analytics.{}'::regclass AND attnum > 0 ORDER BY attnum",
            view[0]
        );
        for column in rows(pool, &columns).await {
            let _ = writeln!(text, "| `{}` | {} | {} |", column[0], column[1], column[2]);
        }
    }
    text
}

#[tokio::test]
async fn the_columns_of_every_view_are_the_committed_ones() {
    let now = document(&database().await.pool).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/analytics/VIEWS.md");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &now).expect("written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let gone: Vec<&str> = committed.lines().filter(|line| !now.lines().any(|other| other == *line)).collect();
    assert!(
        committed == now,
        "The views changed. Analysts' queries and files stand on them: a column may be added, not renamed or removed.\n\
         gone or changed: {gone:#?}\nTo adopt the change: {ADOPT}"
    );
}

#[tokio::test]
async fn everything_in_the_schema_is_documented_and_every_view_is_led_by_its_tenant() {
    let database = database().await;
    let silent = "SELECT c.oid::regclass || coalesce('.' || a.attname, '') FROM pg_class c
                   LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                  WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('v', 'r')
                    AND (col_description(a.attrelid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)
                  UNION ALL
                  SELECT oid::regprocedure::text FROM pg_proc
                   WHERE pronamespace = 'analytics'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL";
    assert_eq!(rows(&database.pool, silent).await, Vec::<Vec<String>>::new());
    let odd = "SELECT c.relname FROM pg_class c
                WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('v', 'm')
                  AND (c.relkind = 'm' OR NOT 'security_barrier=true' = ANY (coalesce(c.reloptions, '{}'))
                    OR (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute a
                         WHERE a.attrelid = c.oid AND attnum IN (1, 2)) <> ARRAY['tenant_id', 'tenant'])";
    assert_eq!(rows(&database.pool, odd).await, Vec::<Vec<String>>::new());
}

/// What the catalogue knows of the views, and who may read them.
async fn catalogue(pool: &PgPool) -> Vec<Vec<String>> {
    let sql = "SELECT c.relname, c.reloptions, c.relacl, pg_get_viewdef(c.oid), obj_description(c.oid, 'pg_class'),
                      (SELECT json_agg(col_description(a.attrelid, a.attnum) ORDER BY a.attnum) FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum > 0)
                 FROM pg_class c WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v' ORDER BY 1";
    rows(pool, sql).await
}

#[tokio::test]
async fn a_rebuild_leaves_the_views_as_they_are_and_what_they_show() {
    let (database, _) = filled().await;
    let role = role_name();
    let mut reader = reader(&database.url, &role, &["--tenant", "acme"]).await;
    let (before, shown) = (catalogue(&database.pool).await, load(&mut reader).await);
    let ledger: std::sync::Arc<dyn chatledger_application::ports::ledger::Ledger> =
        std::sync::Arc::new(chatledger_infrastructure::postgres::PgLedger::new(database.pool.clone()));
    rebuild(&database.pool, &ledger, &[], crate::projections::EQUAL, |_| {}).await.expect("rebuilt");
    assert_eq!(catalogue(&database.pool).await, before);
    assert_eq!(load(&mut reader).await, shown);
    drop(reader);
    drop_role(&database.url, &role).await;
}

async fn load(reader: &mut sqlx::PgConnection) -> Vec<Vec<String>> {
    let mut all = rows(&mut *reader, "SELECT * FROM analytics.agent_load ORDER BY user_id").await;
    all.extend(rows(&mut *reader, "SELECT * FROM analytics.messages ORDER BY position").await);
    assert!(all.len() > 100);
    all
}
