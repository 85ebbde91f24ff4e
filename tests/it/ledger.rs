//! The ledger on Postgres: gapless, each event once, each unit whole, and nothing in it can be changed unseen.

use std::{collections::HashSet, sync::Arc};

use chatledger_application::ports::ledger::{
    AppendError, Cause, Ledger, Metadata, NewEvent, Recorded, Snapshot, StreamId, Unit,
};
use chatledger_domain::{
    AnyEvent, Claim, MessageId, Position, RawJson, TenantId, UserId,
    chat::{Chat, ChatEvent, MessageReceived},
    decider::{Event, EventSourced},
    tag::{TagChanged, TagCreated, TagEvent},
};
use chatledger_infrastructure::postgres::{PgLedger, connect, show, verify};
use chrono::Utc;
use postgres_es::PostgresEventRepository;
use sqlx::{Executor, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::postgres::{TestDatabase, database};

fn stream(kind: &'static str, id: &str) -> StreamId {
    StreamId { aggregate_type: kind, aggregate_id: id.to_owned() }
}

fn new_event<E: Event + Into<AnyEvent>>(stream: StreamId, sequence: i64, event: E) -> NewEvent {
    NewEvent {
        stream,
        sequence,
        payload: event.payload().unwrap(),
        key: event.idempotency_key(),
        claims: event.claims(),
        occurred_at: Utc::now(),
        event: event.into(),
    }
}

fn received(chat: &str, sequence: i64, waba_id: &str) -> NewEvent {
    received_body(chat, sequence, waba_id, r#"{"text": {"body": "hello \u0000 \ud800"},  "n": 1.0}"#)
}

fn received_body(chat: &str, sequence: i64, waba_id: &str, body: &str) -> NewEvent {
    let event: ChatEvent = MessageReceived {
        message_id: MessageId(Uuid::new_v4()),
        waba_id: waba_id.to_owned(),
        timestamp: 1,
        received_at: 2,
        kind: "text".to_owned(),
        context: None,
        referral: false,
        reopens: false,
        message: RawJson::parse(body.to_owned()).unwrap(),
    }
    .into();
    new_event(stream("Chat", chat), sequence, event)
}

fn tag_created(id: &str, name: &str) -> NewEvent {
    let event = TagCreated { name: name.to_owned(), web_inbox_color: None, done_by: UserId(1) };
    new_event(stream("Tag", id), 1, TagEvent::from(event))
}

fn tag_renamed(id: &str, sequence: i64, from: &str, to: &str) -> NewEvent {
    let event =
        TagChanged { name: to.to_owned(), previous_name: from.to_owned(), web_inbox_color: None, done_by: UserId(1) };
    new_event(stream("Tag", id), sequence, TagEvent::from(event))
}

fn unit(tenant: TenantId, events: Vec<NewEvent>) -> Unit {
    let metadata = Metadata {
        actor: Cause::User { id: 7 },
        family: "integration".to_owned(),
        correlation_id: "request".to_owned(),
        causation: Some(3),
    };
    Unit { tenant, events, relies_on: Vec::new(), metadata: Arc::new(metadata) }
}

fn tenant() -> TenantId {
    TenantId(Uuid::new_v4())
}

async fn all(ledger: &PgLedger, tenant: TenantId) -> Vec<Recorded> {
    ledger.read(tenant, Position(0), 100_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_have_no_holes_however_many_write_from_however_many_servers() {
    let database = database().await;
    let tenant = tenant();
    let servers = [0; 2].map(|_| Arc::new(PgLedger::new(connect(&database.url, 4).unwrap())));
    let mut callers = JoinSet::new();
    for caller in 0..32 {
        let ledger = servers[caller % 2].clone();
        callers.spawn(async move {
            for number in 1..=20 {
                let id = format!("{caller}.{number}");
                let event = received(&caller.to_string(), number, &id);
                let recorded = ledger.append(unit(tenant, vec![event])).await.unwrap();
                assert_eq!((recorded.len(), recorded[0].sequence), (1, number));
            }
        });
    }
    callers.join_all().await;
    let events = all(&servers[0], tenant).await;
    let positions: Vec<i64> = events.iter().map(|event| event.position.0).collect();
    assert_eq!(positions, (1..=640).collect::<Vec<_>>());
    assert_eq!(servers[1].head(tenant).await.unwrap(), Position(640));
    assert_eq!(servers[1].heads().await.unwrap(), [(tenant, Position(640))]);
    assert_eq!(verify(&database.pool, tenant, |_, _| {}).await.unwrap().events, 640);
}

#[tokio::test]
async fn what_is_read_is_what_was_appended() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool);
    let tenant = tenant();
    let mut feed = ledger.feed();
    let appended = ledger.append(unit(tenant, vec![received("a", 1, "1"), received("a", 2, "2")])).await.unwrap();
    let told = feed.recv().await.unwrap();
    let (read, loaded) = (
        all(&ledger, tenant).await,
        ledger.load(tenant, &[(stream("Chat", "b"), 0), (stream("Chat", "a"), 1)]).await.unwrap(),
    );
    assert_eq!(told.head, Position(2));
    for events in [&told.events[..], &read] {
        assert_eq!(format!("{events:?}"), format!("{:?}", &appended[..]), "byte for byte, to the microsecond");
    }
    assert_eq!(format!("{loaded:?}"), format!("{:?}", &appended[1..]));
    let by_key = ledger.by_key(tenant, "message:2").await.unwrap().unwrap();
    assert_eq!(by_key.position, Position(2));
    assert_eq!(ledger.at(tenant, Position(1)).await.unwrap().unwrap().event, appended[0].event);
    assert!(ledger.at(tenant, Position(3)).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_parallel_repeats_one_is_recorded() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = Arc::new(PgLedger::new(pool));
    let tenant = tenant();
    let mut callers = JoinSet::new();
    for caller in 0..100 {
        let ledger = ledger.clone();
        callers.spawn(async move { ledger.append(unit(tenant, vec![received(&caller.to_string(), 1, "same")])).await });
    }
    let verdicts = callers.join_all().await;
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1);
    for verdict in verdicts.into_iter().filter_map(Result::err) {
        assert!(matches!(verdict, AppendError::Repeated(keys) if keys == ["message:same"]));
    }
    assert_eq!(all(&ledger, tenant).await.len(), 1);
}

#[tokio::test]
async fn every_unit_of_a_group_gets_its_own_verdict() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool.clone());
    let tenant = tenant();
    ledger.append(unit(tenant, vec![received("a", 1, "1"), tag_created("t", "Taken")])).await.unwrap();
    // Held up by a lock on the head, all of these wait in the lane and go as one group.
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM ledger.heads WHERE tenant_id = $1 FOR UPDATE")
        .bind(tenant.0)
        .fetch_one(&mut *held)
        .await
        .unwrap();
    let append = |events| ledger.append(unit(tenant, events));
    let let_go = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        held.rollback().await.unwrap();
    };
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let (first, repeated, moved, skipped, claimed, unclaimed, nul, deep, good, whole, ()) = tokio::join!(
        append(vec![received("first", 1, "first")]),
        append(vec![received("b", 1, "new"), received("b", 2, "1")]),
        append(vec![received("a", 1, "2")]),
        append(vec![received("c", 2, "3")]),
        append(vec![tag_created("u", "taken")]),
        append(vec![tag_renamed("v", 1, "nobody's", "v")]),
        append(vec![received("nul\0", 1, "4")]),
        append(vec![received_body("deep", 1, "5", &deep)]),
        append(vec![received("good", 1, "6")]),
        append(vec![tag_created("w", "W"), tag_renamed("w", 2, "W", "X")]),
        let_go,
    );
    assert!(first.is_ok() && good.is_ok() && whole.is_ok());
    assert!(matches!(repeated, Err(AppendError::Repeated(keys)) if keys == ["message:1"]));
    assert!(matches!(moved, Err(AppendError::Conflict(streams)) if streams == [stream("Chat", "a")]));
    assert!(matches!(skipped, Err(AppendError::Conflict(streams)) if streams == [stream("Chat", "c")]));
    assert!(matches!(claimed, Err(AppendError::Claimed(name)) if name == "tag:taken"));
    assert!(matches!(unclaimed, Err(AppendError::Unclaimed(name)) if name == "tag:nobody's"));
    assert!(matches!(nul, Err(AppendError::Refused(_))), "{nul:?}");
    assert!(matches!(deep, Err(AppendError::Refused(_))), "{deep:?}");
    assert_eq!(all(&ledger, tenant).await.len(), 2 + 1 + 1 + 2, "a refused unit leaves nothing");
    assert_eq!(verify(&pool, tenant, |_, _| {}).await.unwrap().events, 6);
}

#[tokio::test]
async fn units_of_one_group_that_touch_the_same_thing_are_judged_one_after_another() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool);
    let tenant = tenant();
    let append = |events| ledger.append(unit(tenant, events));
    let (one, two) = tokio::join!(append(vec![received("a", 1, "1")]), append(vec![received("a", 1, "2")]));
    assert!(one.is_ok() && matches!(two, Err(AppendError::Conflict(_))));
    let (one, two) = tokio::join!(append(vec![tag_created("t", "T")]), append(vec![tag_created("u", "t")]));
    assert!(one.is_ok() && matches!(two, Err(AppendError::Claimed(_))));
}

#[tokio::test]
async fn a_unit_is_refused_once_a_stream_that_it_relies_on_has_moved_on() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool);
    let tenant = tenant();
    let relying = |chat: &str, on: i64| {
        let unit = unit(tenant, vec![received(chat, 1, chat)]);
        ledger.append(Unit { relies_on: vec![(stream("Tag", "t"), on)], ..unit })
    };
    relying("a", 0).await.unwrap();
    ledger.append(unit(tenant, vec![tag_created("t", "T")])).await.unwrap();
    let late = relying("b", 0).await;
    assert!(matches!(late, Err(AppendError::Conflict(streams)) if streams == [stream("Tag", "t")]));
    relying("b", 1).await.unwrap();
    // Whoever extends it and whoever relies on it do not go together.
    let extended = ledger.append(unit(tenant, vec![tag_renamed("t", 2, "T", "U")]));
    let (extended, relying) = tokio::join!(extended, relying("c", 1));
    assert!(extended.is_ok() && matches!(relying, Err(AppendError::Conflict(_))));
}

#[tokio::test]
async fn a_name_is_free_again_once_it_is_given_back() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool);
    let tenant = tenant();
    let append = |events| ledger.append(unit(tenant, events));
    append(vec![tag_created("t", "old")]).await.unwrap();
    append(vec![tag_renamed("t", 2, "old", "new")]).await.unwrap();
    append(vec![tag_created("u", "old")]).await.unwrap();
    assert!(matches!(append(vec![tag_created("w", "new")]).await, Err(AppendError::Claimed(_))));
    let mut released = tag_created("x", "x");
    released.claims = vec![Claim::Release("tag:new".to_owned())];
    append(vec![released]).await.unwrap();
    append(vec![tag_created("w", "new")]).await.unwrap();
    let elsewhere = self::tenant();
    ledger.append(unit(elsewhere, vec![tag_created("w", "new")])).await.unwrap();
}

#[tokio::test]
async fn two_servers_cannot_both_extend_a_stream_and_hear_of_each_other() {
    let database = database().await;
    let (here, there) = (PgLedger::new(database.pool.clone()), PgLedger::new(connect(&database.url, 4).unwrap()));
    let tenant = tenant();
    let mut feed = there.feed();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    here.append(unit(tenant, vec![received("a", 1, "1")])).await.unwrap();
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), feed.recv()).await.unwrap().unwrap();
    assert_eq!((told.tenant, told.head, told.events.len()), (tenant, Position(1), 0));
    there.append(unit(tenant, vec![received("a", 2, "2")])).await.unwrap();
    let late = here.append(unit(tenant, vec![received("a", 2, "3")])).await;
    assert!(matches!(late, Err(AppendError::Conflict(_))));
    here.append(unit(tenant, vec![received("a", 3, "3")])).await.unwrap();
    assert_eq!(verify(&database.pool, tenant, |_, _| {}).await.unwrap().events, 3);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_unavailable_in_time() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool.clone());
    let tenant = tenant();
    ledger.append(unit(tenant, vec![received("a", 1, "1")])).await.unwrap();
    let mut held = pool.begin().await.unwrap();
    held.execute("LOCK TABLE ledger.heads").await.unwrap();
    let begun = std::time::Instant::now();
    let verdict = ledger.append(unit(tenant, vec![received("a", 2, "2")])).await;
    assert!(matches!(verdict, Err(AppendError::Unavailable(_))));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    held.rollback().await.unwrap();
    ledger.append(unit(tenant, vec![received("a", 2, "2")])).await.unwrap();
}

#[tokio::test]
async fn the_newest_snapshot_is_kept() {
    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool);
    let (tenant, chat) = (tenant(), stream("Chat", "a"));
    for (sequence, form) in [(5, "1"), (3, "1"), (4, "2")] {
        let snapshot = Snapshot { sequence, form: form.to_owned(), state: format!("{{\"n\": {sequence}}}") };
        ledger.keep_snapshot(tenant, chat.clone(), snapshot).await;
    }
    let kept = ledger.snapshots(tenant, &[stream("Chat", "b"), chat.clone()]).await.unwrap();
    let [(of, snapshot)] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(
        (of, snapshot.sequence, &*snapshot.state),
        (&chat, 4, "{\"n\": 4}"),
        "another form replaces a newer one"
    );
}

async fn written(pool: &PgPool) -> TenantId {
    let ledger = PgLedger::new(pool.clone());
    let tenant = tenant();
    for number in 1..=5 {
        let event = received_body("a", number, &number.to_string(), r#"{"body": "secret"}"#);
        ledger.append(unit(tenant, vec![event])).await.unwrap();
    }
    tenant
}

#[tokio::test]
async fn the_database_refuses_to_change_the_ledger() {
    let TestDatabase { pool, .. } = database().await;
    written(&pool).await;
    for change in [
        "UPDATE ledger.events SET payload = '{}'",
        "DELETE FROM ledger.events",
        "TRUNCATE ledger.events",
        "SET session_replication_role = replica; DELETE FROM ledger.events",
        "SET chatledger.erasure = 'on'; UPDATE ledger.events SET sequence = sequence + 100, erased_at = now()",
        "SET chatledger.erasure = 'on'; UPDATE ledger.events SET metadata = '{}', erased_at = now()",
    ] {
        let refused = pool.execute(change).await.expect_err(change).to_string();
        assert!(refused.contains("append-only") || refused.contains("erasure may only"), "{change}: {refused}");
    }
    pool.execute("SET chatledger.erasure = 'on'; UPDATE ledger.events SET payload = '{}', erased_at = now()")
        .await
        .unwrap();
}

#[tokio::test]
async fn the_raw_rows_can_be_shown() {
    let TestDatabase { pool, .. } = database().await;
    let tenant = written(&pool).await;
    let shown = show(&pool, tenant, Some(("Chat", "a")), Position(4), 10).await.unwrap();
    let positions: Vec<&str> = shown.iter().map(|event| &*event.position).collect();
    assert_eq!(positions, ["4", "5"]);
    assert!(shown[0].payload.contains(r#"{"body": "secret"}"#));
    let hashes: HashSet<&str> = shown.iter().map(|event| &*event.hash).collect();
    assert_eq!(hashes.len(), 2);
    assert!(show(&pool, tenant, Some(("Chat", "b")), Position(1), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stock_repository_of_cqrs_es_reads_the_ledger() {
    use cqrs_es::{EventStore, persist::PersistedEventStore};

    let TestDatabase { pool, .. } = database().await;
    let ledger = PgLedger::new(pool.clone());
    let tenant = tenant();
    // It reads payloads into trees, so it cannot read what a tree cannot hold, such as a lone surrogate.
    let message = |id: &str, sequence| received_body("a", sequence, id, r#"{"text": {"body": "hello"}}"#);
    let appended = ledger.append(unit(tenant, vec![message("1", 1), message("2", 2)])).await.unwrap();
    let store =
        PersistedEventStore::<_, EventSourced<Chat>>::new_event_store(PostgresEventRepository::new(pool.clone()));
    let id = format!("{tenant}/a");
    let events = store.load_events(&id).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].metadata["family"], "integration");
    assert_eq!(events[1].metadata["position"], "2");
    let mut context = store.load_aggregate(&id).await.unwrap();
    let mut expected = Chat::default();
    for recorded in &appended {
        let AnyEvent::Chat(event) = &recorded.event else { panic!("a chat's event") };
        chatledger_domain::Decider::evolve(&mut expected, event, recorded.position);
    }
    use cqrs_es::AggregateContext;
    let state = serde_json::to_value(&context.aggregate().state).unwrap();
    assert_eq!(state, serde_json::to_value(&expected).unwrap());
}
