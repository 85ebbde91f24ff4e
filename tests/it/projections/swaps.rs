//! The moment in which generations change places.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use chatledger_domain::contact::{ContactErased, ContactEvent};

use super::{rebuilds::filled, *};

/// The table that somebody waits to have for himself.
const WAITED_FOR: &str = "SELECT c.relname::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND NOT l.granted";

#[tokio::test]
async fn readers_of_many_tables_do_not_add_up_for_who_reads_one() {
    let database = database().await;
    let (w, live, _, rows) = filled(&database, "readers", 200).await;
    live.stop().await;
    let pool = chatledger_infrastructure::postgres::connect(&database.url, 24).unwrap();
    let all: Vec<&str> = tables().into_iter().flat_map(|(_, tables)| tables).collect();
    // Each is within what a swap waits for one table.
    let mut readers = Vec::new();
    for table in &all[1..17] {
        let mut reader = pool.begin().await.unwrap();
        sqlx::query(&format!("LOCK TABLE read_models.{table} IN ACCESS SHARE MODE"))
            .execute(&mut *reader)
            .await
            .unwrap();
        readers.push(((*table).to_owned(), reader));
    }
    let ending = tokio::spawn({
        let pool = pool.clone();
        async move {
            while !readers.is_empty() {
                let waited: Option<String> = sqlx::query_scalar(WAITED_FOR).fetch_optional(&pool).await.unwrap();
                let found = readers.iter().position(|(table, _)| waited.as_ref() == Some(table));
                let pause = if found.is_some() { 80 } else { 2 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
                if let Some(at) = found {
                    readers.remove(at).1.rollback().await.unwrap();
                }
            }
        }
    });
    let done = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (pool, done, sql) = (pool.clone(), done.clone(), format!("SELECT count(*) FROM read_models.{}", all[0]));
        async move {
            let mut longest = Duration::ZERO;
            while !done.load(Ordering::SeqCst) {
                let since = Instant::now();
                sqlx::query(&sql).execute(&pool).await.unwrap();
                longest = longest.max(since.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            longest
        }
    });
    let report = rebuild(&database.pool, &w.ledger, &[], EQUAL, |_| {}).await.unwrap();
    done.store(true, Ordering::SeqCst);
    ending.await.unwrap();
    let longest = reading.await.unwrap();
    assert!(report.swapped && longest < Duration::from_secs(1), "a reader waited {longest:?}");
    assert_same(&rows, &dump(&database.pool, w.tenant).await, "swapped");
}

#[tokio::test]
async fn what_answered_before_and_never_heard_that_somebody_was_forgotten_is_not_kept() {
    let database = database().await;
    let (mut w, live, ..) = filled(&database, "behind", 100).await;
    live.stop().await;
    let kept = "SELECT count(*) FROM read_models_before.messages WHERE tenant_id = $1";
    let swap = RebuildOptions { then: Then::Swap, compare: false, ..RebuildOptions::default() };
    rebuild(&database.pool, &w.ledger, &[], swap, |_| {}).await.unwrap();
    assert!(count(&database.pool, w.tenant, kept).await > 0);
    // The rows that answer do not come to this: nobody folds.
    let erased = ContactErased { done_by: None, timestamp: 1, events: 0 };
    w.add("Contact", "35191200001", ContactEvent::from(erased));
    w.write().await;
    rebuild(&database.pool, &w.ledger, &[], swap, |_| {}).await.unwrap();
    assert_eq!(count(&database.pool, w.tenant, kept).await, 0);
}
