//! A read model far behind the others, as one that a release adds: they go on, and it comes up to them.

use super::*;

async fn position(pool: &PgPool, tenant: TenantId, name: &str) -> i64 {
    let sql = format!("SELECT position FROM read_models.cursors WHERE tenant_id = $1 AND projection = '{name}'");
    count(pool, tenant, &sql).await
}

#[tokio::test]
async fn a_read_model_that_begins_anew_holds_up_no_other_and_comes_up_to_them() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("added"));
    let live = engine(&database.pool, &ledger, 2_000);
    let (groups, users, tags) = set_up(&mut w, "added").await;
    generate(&mut w, 12, 6_000, &users, &groups, &tags).await;
    caught_up(&database.pool, &live, &w).await;
    live.stop().await;
    for statement in [
        "TRUNCATE read_models.chats, read_models.chat_shares",
        "DELETE FROM read_models.counters WHERE split_part(projection, ':', 1) = 'chats'",
        "DELETE FROM read_models.cursors WHERE projection = 'chats'",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }

    // The smallest steps, so that it takes a while.
    let live = engine(&database.pool, &ledger, 1);
    for n in 0..5 {
        let id = format!("new.{n}");
        w.chat("35191299996", received(&id, 5_000 + n, "{}"));
        w.write().await;
        caught_up(&database.pool, &live, &w).await;
        assert_eq!(position(&database.pool, w.tenant, "messages").await, w.head);
        let models = Models::new(database.pool.clone(), live.watch());
        assert!(models.message(w.tenant, &id).await.unwrap().is_some(), "it is readable");
        let behind = w.head - position(&database.pool, w.tenant, "chats").await;
        assert!(behind > 2_000, "nobody waits for who is {behind} events behind");
        let lags = lag(&database.pool, &ledger).await.unwrap();
        assert!(lags.iter().all(|of| of.keeps_up == (of.projection != "chats")), "{lags:?}");
    }
    live.stop().await;
    // It comes up to the others all the same.
    let live = engine(&database.pool, &ledger, 500);
    for _ in 0..3_000 {
        if position(&database.pool, w.tenant, "chats").await == w.head {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(position(&database.pool, w.tenant, "chats").await, w.head);
    rebuild(&database.pool, &ledger, &[], EQUAL, |_| {}).await.unwrap();
    live.stop().await;
}
