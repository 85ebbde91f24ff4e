//! WhatsApp as a load: delivers each message until it is acknowledged, and remembers which were.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use sqlx::PgPool;

use crate::harness::{
    http::Client,
    inbox::{contact, now, text_message},
};

/// What is needed to deliver.
#[derive(Clone)]
pub struct Target {
    pub http: Client,
    pub app_secret: String,
    pub phone_number_id: String,
}

/// A load under way.
pub struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    /// The messages that were acknowledged.
    pub acknowledged: Arc<Mutex<HashSet<String>>>,
    /// Calls that got no answer, or another than 200.
    pub unanswered: Arc<AtomicUsize>,
    /// When the last acknowledgement came.
    pub last: Arc<Mutex<Instant>>,
}

/// Starts so many senders; each waits `pause` between two messages. A call that is not answered with 200 is repeated
/// with the same body until it is, as Meta does.
pub fn start(target: &Target, senders: usize, pause: Duration, contacts: usize) -> Load {
    start_as(target, "", senders, pause, contacts)
}

/// The same beside another load, with ids of its own.
pub fn start_as(target: &Target, name: &str, senders: usize, pause: Duration, contacts: usize) -> Load {
    let load = Load {
        stop: Arc::new(AtomicBool::new(false)),
        tasks: Vec::new(),
        acknowledged: Arc::default(),
        unanswered: Arc::default(),
        last: Arc::new(Mutex::new(Instant::now())),
    };
    let tasks = (0..senders).map(|sender| {
        let (target, name, stop) = (target.clone(), name.to_owned(), load.stop.clone());
        let (acknowledged, unanswered, last) = (load.acknowledged.clone(), load.unanswered.clone(), load.last.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while !stop.load(Ordering::SeqCst) {
                let id = format!("wamid.{name}{sender}-{number}");
                let from = format!("3519{:08}", (sender * 7_919 + number) % contacts);
                let body = body(&target, &from, &id);
                // The very last message, too, is delivered until it is acknowledged.
                while target.http.try_signed(&target.app_secret, body.clone()).await != Some(200) {
                    unanswered.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                acknowledged.lock().expect("no panic holds it").insert(id);
                *last.lock().expect("no panic holds it") = Instant::now();
                number += 1;
                tokio::time::sleep(pause).await;
            }
        })
    });
    Load { tasks: tasks.collect(), ..load }
}

impl Load {
    /// How many were acknowledged so far.
    pub fn count(&self) -> usize {
        self.acknowledged.lock().expect("no panic holds it").len()
    }

    /// Waits until one more is acknowledged; how long that took.
    pub async fn next_acknowledgement(&self) -> Duration {
        let (since, before) = (Instant::now(), self.count());
        while self.count() == before {
            assert!(since.elapsed() < Duration::from_secs(60), "nothing is acknowledged any more");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        since.elapsed()
    }

    /// Ends the load after the messages under way; those that were acknowledged.
    pub async fn finish(self) -> HashSet<String> {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.expect("a sender ends");
        }
        Arc::try_unwrap(self.acknowledged).expect("nobody else").into_inner().expect("no panic holds it")
    }
}

/// A call with one text message.
pub fn body(target: &Target, from: &str, id: &str) -> Vec<u8> {
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "351210000000", "phone_number_id": target.phone_number_id},
        "contacts": [contact(from, &format!("Customer {from}"))],
        "messages": [text_message(from, id, now(), "Is my order ready?")],
    });
    let change = json!({"field": "messages", "value": value});
    let call = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]});
    call.to_string().into_bytes()
}

/// Holds the ledger and the read model against what was acknowledged: nothing lost, nothing twice, a chat for each
/// contact, and the ledger in order.
pub async fn check(pool: &PgPool, acknowledged: &HashSet<String>) {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT payload->>'waba_id' FROM ledger.events WHERE event_type = 'MessageReceived'")
            .fetch_all(pool)
            .await
            .expect("the ledger is read");
    let stored: HashSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), stored.len(), "messages are in the ledger twice");
    let lost: Vec<&String> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{} acknowledged messages are lost: {lost:?}", lost.len());
    // A call whose answer got lost may have been recorded; it was then delivered again and acknowledged.
    assert_eq!(stored.len(), acknowledged.len(), "the ledger has messages that nobody sent");
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT waba_id FROM read_models.messages").fetch_all(pool).await.expect("rows");
    assert_eq!(rows.len(), stored.len(), "the read model differs from the ledger");
    let tenants: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT tenant_id FROM ledger.heads").fetch_all(pool).await.expect("heads");
    for tenant in tenants {
        let verified =
            chatledger_infrastructure::postgres::verify(pool, chatledger_domain::TenantId(tenant), |_, _| {}).await;
        assert!(verified.is_ok(), "{verified:?}");
    }
}

/// Waits until the read models have caught up.
pub async fn settle(pool: &PgPool) {
    for _ in 0..3_000 {
        let behind: Result<i64, _> = sqlx::query_scalar(
            "SELECT count(*) FROM ledger.heads h LEFT JOIN read_models.cursors c USING (tenant_id)
              WHERE h.head_position > coalesce(c.position, 0)",
        )
        .fetch_one(pool)
        .await;
        if matches!(behind, Ok(0)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the read models did not catch up within 30 s");
}
