//! The read models: rebuilt equals live, each event counts once, disorder and poison do no harm.

mod account;
mod address_book;
mod comparisons;
pub mod history;
mod integrations;
mod lagging;
mod media;
mod readable;
mod rebuilds;
mod statuses;
mod swaps;
mod tagged;

use std::{sync::Arc, time::Duration};

use chatledger_application::ports::{
    directory::Directory,
    ledger::Ledger,
    read_models::{ReadModels, Sent},
};
use chatledger_domain::{
    Actor, GroupId, MessageId, Position, Role, Scope, TenantId, UserId, WaId, chat::MessagesMarkedAsReceived,
};
use chatledger_infrastructure::postgres::PgLedger;
use chatledger_projections::{
    Engine, EngineHandle, Inbox, Models, Options, Pace, RebuildError, RebuildOptions, Step, TenantDirectory, Then, lag,
    names, rebuild, tables,
    views::{ChatFilter, HistoryFilter, MessageFilter, PageRequest},
};
use sqlx::PgPool;
use uuid::Uuid;

use self::history::{Writer, accepted, generate, queued, received, set_up, status};
use crate::harness::postgres::{TestDatabase, database};

/// Rebuilt, and refused if not equal.
pub const EQUAL: RebuildOptions = RebuildOptions { compare: true, then: Then::SwapIfEqual, pace: Pace::Auto };

const ALL: PageRequest = PageRequest { limit: 1_000, offset: 0 };

fn engine(pool: &PgPool, ledger: &Arc<dyn Ledger>, page: i64) -> EngineHandle {
    Engine::start(
        pool.clone(),
        ledger.clone(),
        Options { page, poll: Duration::from_millis(50), parallel: 2, ..Options::default() },
    )
}

async fn caught_up(pool: &PgPool, engine: &EngineHandle, w: &Writer) {
    let models = Models::new(pool.clone(), engine.watch());
    assert!(models.wait_for(w.tenant, Position(w.head), Duration::from_secs(60)).await, "up to date");
}

/// Every row of every table of some read models, in an order that does not depend on how they were written.
async fn dump(pool: &PgPool, tenant: TenantId) -> Vec<(String, Vec<String>)> {
    let mut dump = Vec::new();
    for table in tables().into_iter().flat_map(|(_, tables)| tables).chain(["counters"]) {
        let sql = format!("SELECT t::text FROM read_models.{table} t WHERE tenant_id = $1 ORDER BY 1");
        dump.push((table.to_owned(), sqlx::query_scalar(&sql).bind(tenant.0).fetch_all(pool).await.unwrap()));
    }
    dump
}

fn assert_same(expected: &[(String, Vec<String>)], actual: &[(String, Vec<String>)], what: &str) {
    for ((table, expected), (_, actual)) in expected.iter().zip(actual) {
        assert_eq!(expected.len(), actual.len(), "{what}: {table}");
        for (expected, actual) in expected.iter().zip(actual) {
            assert_eq!(expected, actual, "{what}: {table}");
        }
    }
}

async fn count(pool: &PgPool, tenant: TenantId, sql: &str) -> i64 {
    sqlx::query_scalar(sql).bind(tenant.0).fetch_one(pool).await.unwrap()
}

async fn ledger(database: &TestDatabase) -> Arc<dyn Ledger> {
    Arc::new(PgLedger::new(database.pool.clone()))
}

#[tokio::test]
async fn rebuilt_equals_live_for_every_read_model_and_any_batch() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("acme"));
    let live = engine(&database.pool, &ledger, 7);
    let (groups, users, tags) = set_up(&mut w, "acme").await;
    generate(&mut w, 1, 3_000, &users, &groups, &tags).await;
    media::files(&mut w, users[0]).await;
    caught_up(&database.pool, &live, &w).await;
    let expected = dump(&database.pool, w.tenant).await;
    for (table, rows) in &expected {
        assert!(!rows.is_empty(), "{table} is exercised");
    }
    // What is maintained equals what is counted.
    for (what, sql) in [
        (
            "marks",
            "SELECT count(*) FROM read_models.received_marks r WHERE tenant_id = $1 AND incoming_read <>
             (SELECT count(*) FROM read_models.messages m WHERE m.tenant_id = r.tenant_id AND m.wa_id = r.wa_id
              AND NOT m.from_us AND m.timestamp <= r.mark)",
        ),
        (
            "chats",
            "SELECT count(*) FROM read_models.chats c,
             LATERAL (SELECT count(*) AS messages, count(*) FILTER (WHERE NOT from_us) AS incoming,
                 (array_agg(message_id ORDER BY timestamp DESC, position DESC))[1] AS last, max(timestamp) AS newest
                 FROM read_models.messages m WHERE m.tenant_id = c.tenant_id AND m.wa_id = c.wa_id) m
             WHERE c.tenant_id = $1 AND (message_total, incoming_total, last_message_id, last_timestamp)
                 IS DISTINCT FROM (m.messages, m.incoming, m.last, m.newest)",
        ),
        (
            "shares",
            "SELECT count(*) FROM
             (SELECT coalesce(assigned_user, 0), coalesce(assigned_group, 0), count(*), sum(message_total)::bigint
                FROM read_models.chats WHERE tenant_id = $1 AND coalesce(assigned_user, assigned_group) IS NOT NULL
               GROUP BY 1, 2
              EXCEPT SELECT assigned_user, assigned_group, chats, messages FROM read_models.chat_shares
               WHERE tenant_id = $1) missing",
        ),
        (
            "tags of customers",
            "WITH looked AS (
                 SELECT t.wa_id, t.tag_id, a.id, a.last_contacted_at FROM read_models.chat_taggings t
                   JOIN read_models.customer_activity a USING (tenant_id, wa_id) WHERE tenant_id = $1),
             kept AS (SELECT wa_id, tag_id, id, last_contacted_at FROM read_models.customer_tags WHERE tenant_id = $1)
             SELECT (SELECT count(*) FROM (TABLE looked EXCEPT TABLE kept) missing)
                  + (SELECT count(*) FROM (TABLE kept EXCEPT TABLE looked) invented)",
        ),
        (
            "shares of nothing",
            "SELECT (SELECT count(*) FROM read_models.chat_shares WHERE tenant_id = $1) - count(DISTINCT
                 (coalesce(assigned_user, 0), coalesce(assigned_group, 0)))
             FROM read_models.chats WHERE tenant_id = $1 AND coalesce(assigned_user, assigned_group) IS NOT NULL",
        ),
        (
            "files",
            "SELECT abs(value - 200) + (SELECT abs(count(*) FILTER (WHERE blob IS NULL) - 3) FROM read_models.media
                 WHERE tenant_id = $1) FROM read_models.counters WHERE tenant_id = $1 AND projection = 'media:bytes'",
        ),
        (
            "counters",
            "SELECT abs(value - (SELECT count(*) FROM read_models.messages WHERE tenant_id = $1))
             FROM read_models.counters WHERE tenant_id = $1 AND projection = 'messages'",
        ),
    ] {
        assert_eq!(count(&database.pool, w.tenant, sql).await, 0, "{what}");
    }
    // By who has a chat, and of all.
    for (what, counted, kept) in [
        (
            "conversation shares",
            "SELECT u, g, count(*), count(closed_at) FROM read_models.conversations JOIN whose USING (wa_id)
              WHERE tenant_id = $1 GROUP BY 1, 2",
            "SELECT assigned_user, assigned_group, conversations, closed FROM read_models.conversation_shares",
        ),
        (
            "conversations by who has them",
            "SELECT conversation_id, c.assigned_user, c.assigned_group FROM read_models.conversations
               JOIN read_models.chats c USING (tenant_id, wa_id) WHERE tenant_id = $1",
            "SELECT conversation_id, assigned_user, assigned_group FROM read_models.conversations",
        ),
        (
            "ends of conversations",
            "SELECT u, g, (expires_at / 600 + 1) * 600, count(*) FROM (
                 SELECT DISTINCT ON (wa_id) * FROM read_models.conversations WHERE tenant_id = $1
                  ORDER BY wa_id, first_position DESC) newest JOIN whose USING (wa_id)
              WHERE closed_at IS NULL GROUP BY 1, 2, 3",
            "SELECT assigned_user, assigned_group, until, conversations FROM read_models.conversation_ends",
        ),
        (
            "shares of tags",
            "SELECT tag_id, u, g, count(*) FROM read_models.chat_taggings JOIN whose USING (wa_id)
              WHERE tenant_id = $1 GROUP BY 1, 2, 3",
            "SELECT tag_id, assigned_user, assigned_group, customers FROM read_models.customer_tag_shares",
        ),
    ] {
        let sql = format!(
            "WITH whose AS (
                 SELECT wa_id, coalesce(assigned_user, 0) AS u, coalesce(assigned_group, 0) AS g FROM read_models.chats
                  WHERE tenant_id = $1 AND coalesce(assigned_user, assigned_group) IS NOT NULL
                 UNION ALL SELECT wa_id, 0, 0 FROM read_models.chats WHERE tenant_id = $1),
             counted AS ({counted}), kept AS ({kept} WHERE tenant_id = $1)
             SELECT (SELECT count(*) FROM (TABLE counted EXCEPT TABLE kept) missing)
                  + (SELECT count(*) FROM (TABLE kept EXCEPT TABLE counted) invented)"
        );
        assert_eq!(count(&database.pool, w.tenant, &sql).await, 0, "{what}");
    }
    for name in names() {
        rebuild(&database.pool, &ledger, &[name.to_owned()], EQUAL, |_| {}).await.unwrap();
        assert_same(&expected, &dump(&database.pool, w.tenant).await, name);
    }
    let mut told = Vec::new();
    rebuild(&database.pool, &ledger, &[], EQUAL, |progress| told.push(progress)).await.unwrap();
    assert_same(&expected, &dump(&database.pool, w.tenant).await, "all");
    let folded = told.iter().rfind(|told| told.step == Step::Fold);
    assert_eq!(folded.map(|last| (last.done, last.total)), Some((w.head, w.head)));
    for step in [Step::Index, Step::CatchUp, Step::Compare, Step::Swap] {
        assert!(told.iter().any(|told| told.step == step), "{step:?} is told");
    }
    // The live engine goes on where the rebuild ended.
    generate(&mut w, 2, 200, &users, &groups, &tags).await;
    caught_up(&database.pool, &live, &w).await;
    let expected = dump(&database.pool, w.tenant).await;
    rebuild(&database.pool, &ledger, &[], EQUAL, |_| {}).await.unwrap();
    assert_same(&expected, &dump(&database.pool, w.tenant).await, "again");
    let unknown = rebuild(&database.pool, &ledger, &["nothing".into()], EQUAL, |_| {}).await;
    assert!(matches!(unknown, Err(RebuildError::Unknown(name)) if name == "nothing"));
    live.stop().await;
}

#[tokio::test]
async fn r_cst_4_a_rebuild_while_events_arrive_ends_equal() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("busy"));
    let live = engine(&database.pool, &ledger, 100);
    let (groups, users, tags) = set_up(&mut w, "busy").await;
    let rebuilding = {
        let (pool, ledger) = (database.pool.clone(), ledger.clone());
        tokio::spawn(async move {
            for name in names().into_iter().cycle().take(30) {
                rebuild(&pool, &ledger, &[name.to_owned()], EQUAL, |_| {}).await.unwrap();
            }
        })
    };
    generate(&mut w, 3, 2_000, &users, &groups, &tags).await;
    rebuilding.await.unwrap();
    caught_up(&database.pool, &live, &w).await;
    let expected = dump(&database.pool, w.tenant).await;
    rebuild(&database.pool, &ledger, &[], EQUAL, |_| {}).await.unwrap();
    assert_same(&expected, &dump(&database.pool, w.tenant).await, "all");
    live.stop().await;
}

#[tokio::test]
async fn two_engines_apply_each_event_once() {
    let database = database().await;
    let other = chatledger_infrastructure::postgres::connect(&database.url, 8).unwrap();
    let here = ledger(&database).await;
    let there: Arc<dyn Ledger> = Arc::new(PgLedger::new(other.clone()));
    let (one, two) = (engine(&database.pool, &here, 50), engine(&other, &there, 50));
    let mut w = Writer::new(here.clone(), TenantId::of_slug("pair"));
    let (groups, users, tags) = set_up(&mut w, "pair").await;
    for round in 0..10 {
        // Alternately through either server.
        w.ledger = if round % 2 == 0 { there.clone() } else { here.clone() };
        generate(&mut w, 10 + round, 150, &users, &groups, &tags).await;
    }
    caught_up(&database.pool, &one, &w).await;
    caught_up(&other, &two, &w).await;
    let live = dump(&database.pool, w.tenant).await;
    one.stop().await;
    two.stop().await;
    rebuild(&database.pool, &here, &[], EQUAL, |_| {}).await.unwrap();
    assert_same(&dump(&database.pool, w.tenant).await, &live, "two engines");
    for lag in lag(&database.pool, &here).await.unwrap() {
        assert_eq!((lag.position, lag.parked), (lag.head, 0), "{}", lag.projection);
    }
}

#[tokio::test]
async fn r_msg_8_r_msg_9_statuses_in_every_order_end_the_same() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("orders"));
    let live = engine(&database.pool, &ledger, 3);
    let (_, users, _) = set_up(&mut w, "orders").await;
    let mut messages = Vec::new();
    for a in 0..4_usize {
        for b in (0..4).filter(|b| *b != a) {
            for c in (0..4).filter(|c| *c != a && *c != b) {
                let id = MessageId(Uuid::new_v4());
                let waba_id = format!("w{a}{b}{c}");
                w.chat("351", queued(id, 5, users[0]));
                for which in [a, b, c, 6 - a - b - c] {
                    match which {
                        0 => w.chat("351", accepted(id, &waba_id)),
                        1 => w.chat("351", status(&waba_id, "sent", 6)),
                        2 => w.chat("351", status(&waba_id, "read", 8)),
                        _ => w.chat("351", status(&waba_id, "failed", 9)),
                    };
                }
                messages.push((id, waba_id));
            }
        }
    }
    w.write().await;
    caught_up(&database.pool, &live, &w).await;
    let inbox = Inbox::new(database.pool.clone());
    let models = Models::new(database.pool.clone(), live.watch());
    let admin = inbox.caller(w.tenant, UserId(users[0])).await.unwrap().unwrap().actor;
    assert_eq!(messages.len(), 24);
    for (id, waba_id) in messages {
        let message = inbox.message(w.tenant, &admin, &waba_id).await.unwrap().unwrap();
        assert_eq!(message.message_id, id);
        assert_eq!((message.sent, message.delivered, message.read, message.is_failed), (6, 0, 8, true));
        let errors = message.errors.map(|errors| errors.text().to_owned());
        assert_eq!(errors.as_deref(), Some(r#"[{"code":131026,"title":"\ud83d"}]"#));
        let sent = models.sent(w.tenant, id).await.unwrap();
        assert_eq!(sent, Some(Sent::Accepted(waba_id, Some(r#"{"messages":[]}"#.into()))));
    }
    assert_eq!(
        count(&database.pool, w.tenant, "SELECT count(*) FROM read_models.message_statuses WHERE tenant_id = $1").await,
        0
    );
    live.stop().await;
}

#[tokio::test]
async fn r_chat_2_a_late_message_below_the_mark_is_not_new() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("late"));
    let live = engine(&database.pool, &ledger, 2_000);
    let (_, users, _) = set_up(&mut w, "late").await;
    let inbox = Inbox::new(database.pool.clone());
    let admin = inbox_actor(&database, &live, &inbox, &w, users[0]).await;
    let wa_id = WaId::parse("351").unwrap();
    for (mark, message, new) in [
        (None, 10, 1),
        (None, 20, 2),
        (Some(15), 30, 2),
        (None, 12, 2),
        (None, 15, 2),
        (Some(30), 16, 0),
        (None, 31, 1),
    ] {
        if let Some(timestamp) = mark {
            w.chat("351", MessagesMarkedAsReceived { user: admin.user, timestamp });
        }
        w.chat("351", received(&format!("m{message}"), message, "{}"));
        w.write().await;
        caught_up(&database.pool, &live, &w).await;
        let chat = inbox.chat(w.tenant, &admin, &wa_id).await.unwrap().unwrap();
        assert_eq!(chat.new_messages, new, "after the message of second {message}");
    }
    let unread = ChatFilter { unread: Some(true), ..ChatFilter::default() };
    assert_eq!(inbox.chats(w.tenant, &admin, &unread, ALL).await.unwrap().count, 1);
    let filter = MessageFilter { wa_id: Some(wa_id), ..MessageFilter::default() };
    let page = inbox.messages(w.tenant, &admin, &filter, ALL).await.unwrap();
    let seen: Vec<_> = page.rows.iter().map(|row| (row.timestamp, row.received)).collect();
    assert_eq!(seen, [(31, false), (30, true), (20, true), (16, true), (15, true), (12, true), (10, true)]);
    assert_eq!(page.count, 7);
    live.stop().await;
}

/// Somebody else with the same rights, but for the chats it may read.
fn agent(admin: &Actor, user: i64, scope: Scope, groups: &[i64]) -> Actor {
    let mut agent = Actor { user: UserId(user), role: Role::User, ..admin.clone() };
    agent.permissions.can_read_chats = scope;
    agent.groups = groups.iter().copied().map(GroupId).collect();
    agent
}

async fn inbox_actor(database: &TestDatabase, live: &EngineHandle, inbox: &Inbox, w: &Writer, user: i64) -> Actor {
    caught_up(&database.pool, live, w).await;
    inbox.caller(w.tenant, UserId(user)).await.unwrap().unwrap().actor
}
