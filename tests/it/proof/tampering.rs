//! Everything that somebody who owns the database can do to a ledger, and the first position that is named for it.

use chatledger_domain::{Position, TenantId};
use chatledger_infrastructure::{
    postgres::{VerifyError, ledgers, marks, verify},
    proof::CheckpointKey,
};
use sqlx::PgPool;

use super::{
    checkpoint, erase,
    forger::{INSERT, REMOVE, SWAP, break_in, clear, forge, rehash},
    grow, in_order, ledger,
};
use crate::harness::postgres::database;

/// Where verification says that the ledger is broken.
async fn broken_at(pool: &PgPool, tenant: TenantId) -> Option<i64> {
    match verify(pool, tenant, |_, _| {}).await {
        Ok(_) => None,
        Err(VerifyError::Broken(broken)) => Some(broken.position.0),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_names_the_first_position_that_is_not_as_it_was_written() {
    let pool = database().await.pool;
    break_in(&pool).await;
    let other_payload = "payload = '{\"forged\":true}'";
    let cases: [(&str, i64); 21] = [
        (&format!("UPDATE ledger.events SET {other_payload} WHERE position = 30"), 30),
        (
            &format!(
                "UPDATE ledger.events SET {other_payload}, payload_hash = sha256('{{\"forged\":true}}') WHERE position = 30"
            ),
            30,
        ),
        // Only a space more: the same value, other bytes.
        ("UPDATE ledger.events SET payload = (payload::text || ' ')::json WHERE position = 30", 30),
        (
            "UPDATE ledger.events SET metadata = replace(metadata::text, 'set-up', 'set-uP')::json WHERE position = 30",
            30,
        ),
        ("UPDATE ledger.events SET payload_hash = sha256('x') WHERE position = 30", 30),
        ("UPDATE ledger.events SET payload_hash = 'x' WHERE position = 30", 30),
        ("UPDATE ledger.events SET hash = sha256('x') WHERE position = 30", 30),
        ("UPDATE ledger.events SET occurred_at = occurred_at - interval '1 microsecond' WHERE position = 30", 30),
        ("UPDATE ledger.events SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 30", 30),
        ("UPDATE ledger.events SET recorded_at = 'infinity' WHERE position = 30", 30),
        ("UPDATE ledger.events SET aggregate_id = aggregate_id || '1' WHERE position = 30", 30),
        ("UPDATE ledger.events SET aggregate_type = 'Group' WHERE position = 30", 30),
        ("UPDATE ledger.events SET sequence = sequence + 1 WHERE position = 30", 30),
        ("UPDATE ledger.events SET event_type = 'TagDeleted', event_version = '2' WHERE position = 30", 30),
        ("DELETE FROM ledger.events WHERE position = 30", 30),
        (REMOVE, 30),
        (INSERT, 31),
        (SWAP, 30),
        ("DELETE FROM ledger.events WHERE position > 40", 41),
        ("DELETE FROM ledger.events", 1),
        // Several at once: the first is named.
        (
            &format!(
                "UPDATE ledger.events SET {other_payload} WHERE position IN (33, 50); DELETE FROM ledger.events WHERE position = 40"
            ),
            33,
        ),
    ];
    for (forgery, position) in cases {
        clear(&pool).await;
        let (tenant, _) = ledger(&pool, "forged", 5).await;
        in_order(&pool, tenant).await;
        forge(&pool, forgery).await;
        assert_eq!(broken_at(&pool, tenant).await, Some(position), "{forgery}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_names_a_recorded_head_that_is_not_the_events() {
    let pool = database().await.pool;
    break_in(&pool).await;
    let of_40 = "(SELECT hash FROM ledger.events e WHERE e.position = 40)";
    for (forgery, named) in [
        ("UPDATE ledger.heads SET head_hash = sha256('x')", None),
        ("DELETE FROM ledger.events WHERE position > 40; UPDATE ledger.heads SET head_position = 40", Some(40)),
        (&*format!("UPDATE ledger.heads SET head_position = 40, head_hash = {of_40}"), Some(41)),
        ("UPDATE ledger.heads SET head_position = head_position + 1", Some(0)),
        ("DELETE FROM ledger.heads", Some(1)),
    ] {
        clear(&pool).await;
        let (tenant, head) = ledger(&pool, "forged", 5).await;
        forge(&pool, forgery).await;
        let position = named.map_or(head, |named| if named == 0 { head + 1 } else { named });
        assert_eq!(broken_at(&pool, tenant).await, Some(position), "{forgery}");
        assert!(ledgers(&pool).await.unwrap().iter().any(|(known, _)| *known == tenant), "{forgery}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_rewritten_with_right_hashes_no_longer_agrees_with_its_checkpoint() {
    let pool = database().await.pool;
    break_in(&pool).await;
    let key = CheckpointKey::of_bytes(&[7; 32]);
    let (untouched, _) = ledger(&pool, "untouched", 5).await;
    let before = in_order(&pool, untouched).await;
    rehash(&pool, untouched).await;
    assert_eq!(in_order(&pool, untouched).await, before, "the forger computes the hashes that we compute");
    for forgery in [
        "UPDATE ledger.events SET payload = '{\"forged\":true}' WHERE position = 30",
        "UPDATE ledger.events SET metadata = '{\"forged\":true}' WHERE position = 30",
        "UPDATE ledger.events SET occurred_at = occurred_at - interval '1 day' WHERE position = 1",
        "UPDATE ledger.events SET aggregate_id = 'forged' WHERE position = 58",
        "DELETE FROM ledger.events WHERE position > 40",
        REMOVE,
        INSERT,
        SWAP,
    ] {
        clear(&pool).await;
        let (tenant, _) = ledger(&pool, "forged", 5).await;
        let signed = checkpoint(&pool, tenant, &key).await;
        forge(&pool, forgery).await;
        rehash(&pool, tenant).await;
        in_order(&pool, tenant).await;
        let found = marks(&pool, tenant, &[signed.position], |_, _| {}, |_, _| {}).await.unwrap();
        assert!(found.at(signed.position).is_none_or(|mark| !signed.agrees_with(mark)), "{forgery}");
        if found.found.is_empty() {
            let head = in_order(&pool, tenant).await.events;
            assert_eq!(found.broken.map(|broken| broken.position), Some(Position(head + 1)), "{forgery}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_only_grew_agrees_with_every_checkpoint_of_it() {
    let pool = database().await.pool;
    let key = CheckpointKey::of_bytes(&[7; 32]);
    let mut kept = Vec::new();
    let (tenant, _) = ledger(&pool, "grows", 20).await;
    for _ in 0..4 {
        grow(&pool, tenant).await;
        kept.push(checkpoint(&pool, tenant, &key).await);
    }
    let positions: Vec<Position> = kept.iter().map(|checkpoint| checkpoint.position).collect();
    let found = marks(&pool, kept[0].tenant_id, &positions, |_, _| {}, |_, _| {}).await.unwrap();
    assert!(found.broken.is_none() && positions.is_sorted() && positions[0] < positions[3]);
    for checkpoint in &kept {
        assert!(checkpoint.agrees_with(found.at(checkpoint.position).unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_events_verify_and_are_counted() {
    let pool = database().await.pool;
    let (tenant, _) = ledger(&pool, "erased", 5).await;
    erase(&pool, tenant, &[30, 31], 2).await;
    let before = in_order(&pool, tenant).await;
    assert_eq!(before.erased, 2);
    erase(&pool, tenant, &[31, 40], 2).await;
    assert_eq!(in_order(&pool, tenant).await.erased, 3, "one of them twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_event_says_nothing() {
    let pool = database().await.pool;
    let (tenant, _) = ledger(&pool, "spoken", 20).await;
    let message = "SELECT position, payload::text FROM ledger.events WHERE event_type = 'MessageReceived' LIMIT 1";
    let (position, said): (i64, String) = sqlx::query_as(message).fetch_one(&pool).await.unwrap();
    erase(&pool, tenant, &[position], 1).await;
    in_order(&pool, tenant).await;
    let invent = format!(
        "SET LOCAL chatledger.erasure = 'on'; UPDATE ledger.events SET payload = '{said}' \
         WHERE tenant_id = '{tenant}' AND position = {position}"
    );
    forge(&pool, &invent).await;
    assert_eq!(broken_at(&pool, tenant).await, Some(position));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_recorded_erasure_covers_is_no_erasure() {
    let pool = database().await.pool;
    let (tenant, _) = ledger(&pool, "blanked", 5).await;
    erase(&pool, tenant, &[33], 1).await;
    in_order(&pool, tenant).await;
    let blank = |more: &str| {
        format!(
            "SET LOCAL chatledger.erasure = 'on'; UPDATE ledger.events SET payload = '{{}}', erased_at = {more} \
             WHERE tenant_id = '{tenant}' AND position = 35"
        )
    };
    forge(&pool, &blank("now()")).await;
    assert_eq!(broken_at(&pool, tenant).await, Some(35), "nobody recorded it");
    forge(&pool, &blank("(SELECT erased_at FROM ledger.events WHERE position = 33)")).await;
    assert_eq!(broken_at(&pool, tenant).await, Some(33), "one more than was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_altered_where_blocks_meet_is_named_as_well() {
    let pool = database().await.pool;
    break_in(&pool).await;
    let (tenant, head) = ledger(&pool, "long", 33_500).await;
    let mut told = Vec::new();
    verify(&pool, tenant, |done, all| told.push((done, all))).await.unwrap();
    assert_eq!(told, [(16_384, head), (32_768, head), (head, head)], "progress, in order");
    // From the last position to the first, so that each is the first fault in its turn.
    for position in [head, 32_769, 32_768, 16_386, 16_385, 16_384, 16_383] {
        forge(&pool, &format!("UPDATE ledger.events SET payload = '{{}}' WHERE position = {position}")).await;
        assert_eq!(broken_at(&pool, tenant).await, Some(position));
    }
    for position in [16_385, 16_384] {
        forge(&pool, &format!("DELETE FROM ledger.events WHERE position = {position}")).await;
    }
    forge(&pool, "UPDATE ledger.events SET payload = '{\"a\":1}' WHERE position = 16390").await;
    assert_eq!(broken_at(&pool, tenant).await, Some(16_383));
    clear(&pool).await;
    let (hole, _) = ledger(&pool, "hole", 17_000).await;
    forge(&pool, "DELETE FROM ledger.events WHERE position = 16384").await;
    assert_eq!(broken_at(&pool, hole).await, Some(16_384));
}
