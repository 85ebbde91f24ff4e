//! What comparing a new generation with the one that answers finds, what it leaves out, and how it fares with many rows.

use std::time::Duration;

use chatledger_projections::{Comparison, LeftOut};

use super::{
    rebuilds::{filled, run, text},
    *,
};

const DISCARD: RebuildOptions = RebuildOptions { compare: true, then: Then::Discard, pace: Pace::Auto };

async fn execute(database: &TestDatabase, sql: &str) {
    sqlx::query(sql).execute(&database.pool).await.unwrap();
}

async fn compared(pool: &PgPool, w: &Writer, name: &str) -> Comparison {
    let report = rebuild(pool, &w.ledger, &[name.to_owned()], DISCARD, |_| {}).await.unwrap();
    report.comparison.expect("they were compared")
}

#[tokio::test]
async fn totals_of_lists_are_compared_with_the_rows() {
    let database = database().await;
    let (w, live, ..) = filled(&database, "totals", 200).await;
    live.stop().await;
    let broken = "UPDATE read_models.counters SET value = value + 1 WHERE projection IN ('chats', 'media:bytes')";
    execute(&database, broken).await;
    let of = |comparison: Comparison| -> Vec<(&str, Vec<String>)> {
        comparison.differences.into_iter().map(|of| (of.table, of.examples)).collect()
    };
    let examples = ["-chats".to_owned(), "+chats".to_owned()].to_vec();
    assert_eq!(of(compared(&database.pool, &w, "chats").await), [("counters", examples)]);
    let examples = ["-media:bytes".to_owned(), "+media:bytes".to_owned()].to_vec();
    assert_eq!(of(compared(&database.pool, &w, "media").await), [("counters", examples)]);
    // Another's totals are another's.
    assert!(compared(&database.pool, &w, "tags").await.is_equal());
}

#[tokio::test]
async fn a_ledger_that_is_not_folded_to_its_end_is_compared_where_its_rows_are() {
    let database = database().await;
    let (mut w, live, (groups, users, tags), _) = filled(&database, "stopped", 300).await;
    live.stop().await;
    generate(&mut w, 8, 100, &users, &groups, &tags).await;
    assert!(run(&database, &["compare", "--all"]).await.status.success());
    execute(&database, "UPDATE read_models.chats SET message_total = message_total + 1").await;
    assert_eq!(run(&database, &["compare", "chats"]).await.status.code(), Some(1), "the rows are looked at");
    // Nobody insists on equal rows here, so the new ones go on to the end.
    let report =
        rebuild(&database.pool, &w.ledger, &["chats".into()], RebuildOptions::default(), |_| {}).await.unwrap();
    let left_out = report.comparison.map(|comparison| comparison.left_out);
    assert_eq!(left_out.map(|left_out| left_out.len()), Some(1));
    let at = "SELECT position FROM read_models.cursors WHERE tenant_id = $1 AND projection = 'chats'";
    assert_eq!(count(&database.pool, w.tenant, at).await, w.head);
}

#[tokio::test]
async fn what_cannot_be_compared_does_not_count_as_equal() {
    let database = database().await;
    let (behind, one, ..) = filled(&database, "behind", 200).await;
    one.stop().await;
    let (in_step, other, ..) = filled(&database, "in-step", 200).await;
    other.stop().await;
    execute(&database, "UPDATE read_models.cursors SET definition = 'older' WHERE projection = 'tags'").await;
    let slower = "UPDATE read_models.cursors SET position = position - 5 WHERE tenant_id = $1 AND projection = 'tags'";
    sqlx::query(slower).bind(behind.tenant.0).execute(&database.pool).await.unwrap();

    let left_out = [LeftOut { tenant: behind.tenant, behind: 5 }];
    let refused = rebuild(&database.pool, &behind.ledger, &["tags".into()], EQUAL, |_| {}).await;
    assert!(
        matches!(&refused, Err(RebuildError::Different(of)) if of.differences.is_empty() && of.left_out == left_out),
        "{refused:?}"
    );
    let said = run(&database, &["compare", "tags"]).await;
    assert_eq!(said.status.code(), Some(1));
    let said = text(&said.stdout);
    assert!(said.contains(&format!("tenant {}: 5 events behind", behind.tenant)), "{said}");
    assert!(said.contains("start the server"), "{said}");
    // Of the rows that were looked at it is known that this program could have folded them, of the others it is not.
    let outdated = lag(&database.pool, &behind.ledger).await.unwrap();
    let outdated: Vec<_> = outdated.iter().filter(|of| of.outdated).map(|of| (of.tenant, of.projection)).collect();
    assert_eq!(outdated, [(behind.tenant, "tags")]);
    assert_ne!(behind.tenant, in_step.tenant);
}

#[tokio::test]
async fn one_row_that_differs_among_many_is_found_in_time() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("many"));
    let live = engine(&database.pool, &ledger, 2_000);
    set_up(&mut w, "many").await;
    for part in 0..20 {
        for n in 0..1_000 {
            let body = format!(r#"{{"text":{{"body":"{}"}}}}"#, "x".repeat(300));
            w.chat(&format!("35191{n:07}"), received(&format!("many.{part}.{n}"), 1_000 + part, &body));
        }
        w.write().await;
    }
    caught_up(&database.pool, &live, &w).await;
    live.stop().await;
    let changed = "UPDATE read_models.messages SET timestamp = 7 WHERE waba_id = 'many.19.999'";
    execute(&database, changed).await;
    // As with millions of rows: more than Postgres hashes in memory.
    let little = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 64', current_database()); END $$";
    execute(&database, little).await;
    let pool = chatledger_infrastructure::postgres::connect(&database.url, 8).unwrap();
    let comparison = tokio::time::timeout(Duration::from_secs(30), compared(&pool, &w, "messages")).await;
    let differences = comparison.expect("it ends").differences;
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert_eq!((differences[0].table, differences[0].examples.len()), ("messages", 2));
}
