//! A long ledger is looked through a bounded part at a time, and nothing is overlooked at the seams.

use chatledger_application::ports::audit::{AuditTrail, Span, Subject};
use chatledger_domain::{Position, TagId, TenantId, UserId};
use chatledger_infrastructure::postgres::PgAuditTrail;
use sqlx::PgPool;

use crate::harness::postgres::database;

const TENANT: TenantId = TenantId(uuid::Uuid::from_u128(7));
const LENGTH: i64 = 120_000;

/// Messages of one customer, and here and there what is looked for. Hashes are not looked at here.
async fn long_ledger(pool: &PgPool) {
    let mut connection = pool.acquire().await.expect("a connection").detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await.expect("set");
    let insert = "INSERT INTO ledger.events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
            event_version, payload, metadata, occurred_at, recorded_at, payload_hash, hash)
        SELECT $1, n, CASE WHEN n % 2 = 0 THEN 'Chat' ELSE 'Contact' END, '351912000111', (n + 1) / 2,
            CASE WHEN n IN (40000, 110000) THEN 'ChatAssigned' WHEN n = 60000 THEN 'ChatTagged' ELSE 'MessageReceived' END, '1',
            CASE n WHEN 40000 THEN '{\"user_set\":12,\"user_cleared\":false,\"group_set\":null}'
                   WHEN 110000 THEN '{\"user_set\":null,\"user_cleared\":true,\"group_set\":null}'
                   WHEN 60000 THEN '{\"tag\":{\"id\":12,\"name\":\"VIP\"},\"done_by\":3}'
                   ELSE '{\"text\":\"\\u0000 12\"}' END::json,
            CASE WHEN n = 119999 THEN '{\"actor\":{\"kind\":\"user\",\"id\":12},\"family\":\"x\",\"correlation_id\":\"x\"}'
                 ELSE '{\"actor\":{\"kind\":\"whatsapp\"},\"family\":\"x\",\"correlation_id\":\"x\"}' END::json,
            to_timestamp(n), to_timestamp(n), '\\x00', '\\x00'
          FROM generate_series(1, $2) n";
    sqlx::query(insert).bind(TENANT.0).bind(LENGTH).execute(&mut connection).await.expect("events");
    let head = "INSERT INTO ledger.heads VALUES ($1, $2, '\\x00')";
    sqlx::query(head).bind(TENANT.0).bind(LENGTH).execute(&mut connection).await.expect("a head");
    // As autovacuum does.
    sqlx::query("ANALYZE ledger.events").execute(&mut connection).await.expect("analysed");
}

#[tokio::test]
async fn each_call_looks_through_a_bounded_part_and_the_parts_miss_nothing() {
    let database = database().await;
    long_ledger(&database.pool).await;
    let trail = PgAuditTrail::new(database.pool.clone());
    let user = Subject::User { id: UserId(12), stream: "none".to_owned() };
    let tag = Subject::Tag { id: TagId(12), stream: "none".to_owned() };
    for (subject, wanted, taken) in [(user, vec![40_000, 110_000, 119_999], vec![110_000]), (tag, vec![60_000], vec![])]
    {
        let (mut span, mut found, mut lost) =
            (Span { after: Position(0), through: Position(LENGTH) }, Vec::new(), Vec::new());
        let mut calls = 0;
        while span.after < span.through {
            let part = trail.events(TENANT, &subject, span, &[], 100).await.expect("a part");
            assert!(
                part.seen > span.after && part.seen.0 - span.after.0 <= 50_000,
                "{:?} after {:?}",
                part.seen,
                span.after
            );
            found.extend(part.events.iter().map(|event| event.position.0));
            lost.extend(part.taken.iter().map(|position| position.0));
            span.after = part.seen;
            calls += 1;
        }
        // The trail may bring what only looks like it.
        found.retain(|position| *position != 60_000 || wanted.contains(position));
        assert_eq!((found, lost, calls), (wanted, taken, 3), "{subject:?}");
    }
    // Part by part of one event each, the same.
    let subject = Subject::User { id: UserId(12), stream: "none".to_owned() };
    let (mut span, mut found) = (Span { after: Position(0), through: Position(LENGTH) }, Vec::new());
    while span.after < span.through {
        let part = trail.events(TENANT, &subject, span, &["ChatAssigned".to_owned()], 1).await.expect("a part");
        found.extend(part.events.iter().map(|event| event.position.0));
        span.after = part.seen;
    }
    assert_eq!(found, [40_000, 110_000]);
}

#[tokio::test]
async fn a_moment_and_a_place_in_a_stream_are_found_in_a_long_ledger() {
    let database = database().await;
    long_ledger(&database.pool).await;
    let trail = PgAuditTrail::new(database.pool.clone());
    let at = |seconds: i64| chrono::DateTime::from_timestamp(seconds, 0).expect("a time");
    for (seconds, wanted) in [(0, 0), (1, 1), (77_777, 77_777), (LENGTH, LENGTH), (LENGTH + 9, LENGTH)] {
        assert_eq!(trail.position_at(TENANT, at(seconds)).await.expect("a position"), Position(wanted), "{seconds}");
    }
    let earlier = at(500) - chrono::TimeDelta::microseconds(1);
    assert_eq!(trail.position_at(TENANT, earlier).await.expect("a position"), Position(499));
    assert_eq!(trail.position_at(TenantId(uuid::Uuid::nil()), at(9)).await.expect("a position"), Position(0));
    let sequence = "SELECT ledger.sequence_at($1, 'Chat', '351912000111', $2)";
    for (position, wanted) in
        [(0, 0), (1, 0), (2, 1), (3, 1), (99_999, 49_999), (LENGTH, LENGTH / 2), (LENGTH + 9, LENGTH / 2)]
    {
        let found: i64 = sqlx::query_scalar(sequence)
            .bind(TENANT.0)
            .bind(position)
            .fetch_one(&database.pool)
            .await
            .expect("a number");
        assert_eq!(found, wanted, "{position}");
    }
    // A page in the middle of a long chat begins where it should.
    let chat = Subject::Chat(chatledger_domain::WaId::parse("351912000111").expect("an id"));
    let span = Span { after: Position(80_000), through: Position(80_005) };
    let part = trail.events(TENANT, &chat, span, &[], 100).await.expect("a part");
    let positions: Vec<i64> = part.events.iter().map(|event| event.position.0).collect();
    assert_eq!((positions, part.seen), ((80_001..=80_005).collect(), span.through));
}
