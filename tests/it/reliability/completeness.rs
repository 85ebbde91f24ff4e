//! R6: readers that follow the ledger see every event, once, in order, however many write.

use std::sync::Arc;

use chatledger_application::ports::ledger::{Cause, Ledger, Metadata, NewEvent, Recorded, StreamId, Unit};
use chatledger_domain::{
    AnyEvent, Event, MessageId, Position, RawJson, TenantId,
    chat::{ChatEvent, MessageReceived},
};
use chatledger_infrastructure::postgres::PgLedger;

use super::rounds;
use crate::harness::postgres::database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_a_reader_misses_no_event_of_eight_writers_on_two_servers() {
    let database = database().await;
    let tenant = TenantId::of_slug("r6");
    // Two ledgers on one database, as two servers are.
    let servers: Vec<Arc<PgLedger>> = (0..2).map(|_| Arc::new(PgLedger::new(database.pool.clone()))).collect();
    let per_writer = rounds(2_500, 125_000);
    let mut writers = Vec::new();
    for writer in 0..8 {
        let ledger = servers[writer % 2].clone();
        writers.push(tokio::spawn(async move {
            for number in 0..per_writer {
                let stream = format!("35191{writer:03}{:04}", number % 50);
                let sequence = i64::try_from(number / 50).unwrap() + 1;
                let unit = message(tenant, &stream, sequence, &format!("r6-{writer}-{number}"));
                ledger.append(unit).await.expect("appended");
            }
        }));
    }
    let total = i64::try_from(8 * per_writer).unwrap();
    let reader = servers[0].clone();
    let read = tokio::spawn(async move {
        let (mut seen, mut after): (Vec<Recorded>, _) = (Vec::new(), Position(0));
        while after.0 < total {
            let page = reader.read(tenant, after, 1_000).await.expect("read");
            if let Some(last) = page.last() {
                after = last.position;
            }
            seen.extend(page);
        }
        seen
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let seen = read.await.unwrap();
    assert_eq!(seen.len(), usize::try_from(total).unwrap());
    let mut sequences = std::collections::HashMap::new();
    for (index, recorded) in seen.iter().enumerate() {
        assert_eq!(recorded.position.0, i64::try_from(index).unwrap() + 1, "a hole or a repeat");
        let last = sequences.insert(recorded.stream.clone(), recorded.sequence).unwrap_or(0);
        assert_eq!(recorded.sequence, last + 1, "a stream out of order");
    }
}

fn message(tenant: TenantId, chat: &str, sequence: i64, waba_id: &str) -> Unit {
    let event: ChatEvent = MessageReceived {
        message_id: MessageId::default(),
        waba_id: waba_id.to_owned(),
        timestamp: 1,
        received_at: 1,
        kind: "text".to_owned(),
        context: None,
        referral: false,
        reopens: false,
        message: RawJson::from(&serde_json::json!({"type": "text"})),
    }
    .into();
    let metadata =
        Metadata { actor: Cause::Whatsapp, family: "whatsapp".into(), correlation_id: "r6".into(), causation: None };
    let new = NewEvent {
        stream: StreamId { aggregate_type: "Chat", aggregate_id: chat.to_owned() },
        sequence,
        payload: event.payload().unwrap(),
        key: event.idempotency_key(),
        claims: event.claims(),
        occurred_at: chrono::Utc::now(),
        event: AnyEvent::from(event),
    };
    Unit { tenant, events: vec![new], relies_on: Vec::new(), metadata: Arc::new(metadata) }
}
