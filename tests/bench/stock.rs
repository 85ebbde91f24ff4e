//! What the figures are compared with: stock cqrs-es + postgres-es, and how far the read models are behind.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chatledger_domain::{
    EventSourced, MessageId, RawJson,
    chat::{Chat, ChatCommand, Incoming},
};
use cqrs_es::{CqrsFramework, persist::PersistedEventStore};
use postgres_es::PostgresEventRepository;
use sqlx::{Executor, PgPool, postgres::PgPoolOptions};

use super::server::Server;

type Stock = CqrsFramework<EventSourced<Chat>, PersistedEventStore<PostgresEventRepository, EventSourced<Chat>>>;

/// Commands a second of the stock framework, one event each, on a database of its own in the same server.
pub async fn commands_per_second(server: &Server, count: usize) -> f64 {
    server.pool.execute("DROP DATABASE IF EXISTS stock").await.expect("the database answers");
    server.pool.execute("CREATE DATABASE stock").await.expect("the database answers");
    let base = server.text("/database_url").rsplit_once('/').expect("a database").0;
    let url = format!("{base}/stock");
    let pool = PgPoolOptions::new().max_connections(24).connect(&url).await.expect("the database answers");
    pool.execute(
        "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint NOT NULL,
           event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
           PRIMARY KEY (aggregate_type, aggregate_id, sequence))",
    )
    .await
    .expect("the table is made");
    let store = PersistedEventStore::new_event_store(PostgresEventRepository::new(pool));
    let framework: Arc<Stock> = Arc::new(CqrsFramework::new(store, Vec::new(), ()));
    let since = Instant::now();
    let mut tasks = Vec::new();
    for task in 0..64 {
        let framework = framework.clone();
        tasks.push(tokio::spawn(async move {
            // Chats of its own, so that no command is lost to a conflict.
            for i in 0..count / 64 {
                let id = format!("{task}-{}", i % 32);
                framework.execute(&id, receive(&format!("{task}-{i}"))).await.expect("the command is taken");
            }
        }));
    }
    for task in tasks {
        task.await.expect("the task ends");
    }
    (count / 64 * 64) as f64 / since.elapsed().as_secs_f64()
}

fn receive(id: &str) -> ChatCommand {
    let message = serde_json::json!({"from": "351912000111", "id": id, "timestamp": "1767693600", "type": "text",
        "text": {"body": format!("Is my order {id} ready? I would like to know.")}});
    let incoming = Incoming {
        message_id: MessageId::default(),
        waba_id: id.to_owned(),
        timestamp: 1_767_693_600,
        kind: "text".to_owned(),
        context: None,
        referral: false,
        message: RawJson::from(&message),
    };
    ChatCommand::ReceiveMessage { incoming, now: 1_767_693_600 }
}

static WORST_LAG: Mutex<f64> = Mutex::new(0.0);

/// Watches, until it is aborted, how old the oldest event is that a read model has not seen.
pub async fn worst_lag_seconds(pool: PgPool) {
    loop {
        let lag: f64 = sqlx::query_scalar(
            "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - e.recorded_at)), 0)::float8
               FROM (SELECT tenant_id, min(position) AS position FROM read_models.cursors GROUP BY tenant_id) c
               JOIN ledger.events e ON e.tenant_id = c.tenant_id AND e.position = c.position + 1",
        )
        .fetch_one(&pool)
        .await
        .unwrap_or(0.0);
        if let Ok(mut worst) = WORST_LAG.lock() {
            *worst = worst.max(lag);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The worst that was seen; the next watch begins anew.
pub fn take_worst_lag() -> f64 {
    WORST_LAG.lock().map(|mut worst| std::mem::take(&mut *worst)).unwrap_or(0.0)
}
