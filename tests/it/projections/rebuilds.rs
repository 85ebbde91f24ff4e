//! Rebuilds beside the read models that answer: killed and resumed, refused when not equal, noticed when needed; and
//! streams that are left out and come back.

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use chatledger_domain::{TenantId, chat::MessagesMarkedAsReceived};
use chatledger_projections::{Which, park_stream, parked_streams, retry_parked, unfinished_rebuild};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::harness::process::binary;

fn command(database: &TestDatabase, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("projections").args(args).env("DATABASE_URL", &database.url).env("CHATLEDGER_LOGS__FILTER", "warn");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(super) async fn run(database: &TestDatabase, args: &[&str]) -> Output {
    let mut command = command(database, args);
    tokio::task::spawn_blocking(move || command.output().expect("the command runs")).await.expect("a thread")
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A ledger with everything in it, folded live; the dump of its read models.
pub(super) async fn filled(
    database: &TestDatabase,
    slug: &str,
    events: usize,
) -> (Writer, EngineHandle, (Vec<i64>, Vec<i64>, Vec<i64>), Vec<(String, Vec<String>)>) {
    let ledger = ledger(database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug(slug));
    let live = engine(&database.pool, &ledger, 2_000);
    let (groups, users, tags) = set_up(&mut w, slug).await;
    generate(&mut w, 7, events, &users, &groups, &tags).await;
    media::files(&mut w, users[0]).await;
    caught_up(&database.pool, &live, &w).await;
    let rows = dump(&database.pool, w.tenant).await;
    (w, live, (groups, users, tags), rows)
}

#[tokio::test]
async fn a_rebuild_killed_at_twenty_moments_goes_on_and_ends_equal() {
    let database = database().await;
    let (w, live, (groups, users, tags), _) = filled(&database, "killed", 4_000).await;
    let mut w = w;
    let mut random = StdRng::seed_from_u64(20);
    // How long it takes when nobody kills it, so that the kills fall everywhere.
    let since = std::time::Instant::now();
    assert!(run(&database, &["rebuild", "--all", "--if-equal"]).await.status.success());
    let whole = since.elapsed();
    let (mut killed, mut swapped) = (0, 0);
    while killed < 20 {
        // Live projection goes on meanwhile.
        generate(&mut w, 100 + killed + swapped, 20, &users, &groups, &tags).await;
        let mut child = command(&database, &["rebuild", "--all"]).spawn().expect("the command starts");
        tokio::time::sleep(whole.mul_f64(random.random_range(0.02..1.0))).await;
        match child.try_wait().expect("its state") {
            Some(status) => {
                assert!(status.success());
                swapped += 1;
            }
            None => {
                child.kill().expect("killed");
                killed += 1;
            }
        }
        child.wait().expect("gone");
        assert!(swapped < 100, "no kill ever came in time");
    }
    let last = run(&database, &["rebuild", "--all", "--if-equal"]).await;
    assert!(last.status.success(), "{}{}", text(&last.stdout), text(&last.stderr));
    caught_up(&database.pool, &live, &w).await;
    let answering = dump(&database.pool, w.tenant).await;
    assert!(unfinished_rebuild(&database.pool).await.unwrap().is_empty());
    // What answers now is what a ledger folded live from its first event looks like.
    live.stop().await;
    let fresh = crate::harness::postgres::database().await;
    copy_ledger(&database, &fresh).await;
    let there = ledger(&fresh).await;
    let again = engine(&fresh.pool, &there, 333);
    caught_up(&fresh.pool, &again, &w).await;
    assert_same(&dump(&fresh.pool, w.tenant).await, &answering, "live from the first event");
    again.stop().await;
}

/// The events of one database in another.
async fn copy_ledger(from: &TestDatabase, to: &TestDatabase) {
    for table in ["ledger.heads", "ledger.events"] {
        let mut rows = Vec::new();
        let mut source = from.pool.acquire().await.unwrap();
        let mut stream = source.copy_out_raw(&format!("COPY {table} TO STDOUT (FORMAT binary)")).await.unwrap();
        while let Some(bytes) = futures_util::TryStreamExt::try_next(&mut stream).await.unwrap() {
            rows.extend_from_slice(&bytes);
        }
        let mut target = to.pool.acquire().await.unwrap();
        let mut copy = target.copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await.unwrap();
        copy.send(rows).await.unwrap();
        copy.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_generation_that_differs_is_refused_or_taken_as_wished() {
    let database = database().await;
    let (w, live, _, rows) = filled(&database, "differs", 500).await;
    let tampered = "UPDATE read_models.chats SET message_total = message_total + 1 WHERE tenant_id = $1
        AND wa_id = (SELECT min(wa_id) FROM read_models.chats)";
    sqlx::query(tampered).bind(w.tenant.0).execute(&database.pool).await.unwrap();
    let broken = dump(&database.pool, w.tenant).await;

    let compared = run(&database, &["compare", "chats"]).await;
    assert_eq!(compared.status.code(), Some(1));
    let said = text(&compared.stdout);
    assert!(said.contains("chats of tenant") && said.contains("-35191200") && said.contains("+35191200"), "{said}");
    assert_same(&broken, &dump(&database.pool, w.tenant).await, "a comparison changes nothing");

    let refused = run(&database, &["rebuild", "chats", "--if-equal"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
    assert_same(&broken, &dump(&database.pool, w.tenant).await, "a refused generation changes nothing");

    let taken = run(&database, &["rebuild", "chats"]).await;
    assert!(taken.status.success());
    assert!(text(&taken.stdout).contains("went on with what an earlier rebuild had built"), "{}", text(&taken.stdout));
    assert_same(&rows, &dump(&database.pool, w.tenant).await, "mended");
    assert!(run(&database, &["compare", "--all"]).await.status.success());

    // The rows that answered before are there until they are dropped.
    let before = "SELECT count(*) FROM read_models_before.chats WHERE tenant_id = $1";
    assert!(count(&database.pool, w.tenant, before).await > 0);
    assert!(run(&database, &["drop-before", "--older-than-hours", "1"]).await.status.success());
    assert!(count(&database.pool, w.tenant, before).await > 0);
    assert!(run(&database, &["drop-before"]).await.status.success());
    let there: Option<String> = sqlx::query_scalar("SELECT to_regclass('read_models_before.chats')::text")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(there, None);
    live.stop().await;
}

#[tokio::test]
async fn rights_policies_and_views_move_with_a_generation() {
    let database = database().await;
    let (mut w, live, (groups, users, tags), _) = filled(&database, "rights", 300).await;
    for statement in [
        "CREATE VIEW public.chats_in_all AS SELECT tenant_id, count(*) AS chats FROM read_models.chats GROUP BY 1",
        "CREATE VIEW public.chats_twice AS SELECT tenant_id, chats * 2 AS chats FROM public.chats_in_all",
        "COMMENT ON VIEW public.chats_in_all IS 'how many'",
        "GRANT SELECT ON read_models.chats TO PUBLIC",
        "GRANT SELECT ON public.chats_in_all TO PUBLIC",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
    let facts = "SELECT string_agg(x, '; ' ORDER BY x) FROM (
        SELECT relname || relacl::text || relrowsecurity || coalesce(reloptions::text, '')
            || coalesce(obj_description(oid, 'pg_class'), '')
          FROM pg_class WHERE relname IN ('chats', 'chats_in_all') AND relkind IN ('r', 'v')
           AND relnamespace IN ('read_models'::regnamespace, 'public'::regnamespace)
        UNION ALL SELECT tablename || indexdef FROM pg_indexes WHERE schemaname = 'read_models'
        UNION ALL SELECT tablename || policyname || roles::text || qual FROM pg_policies WHERE schemaname = 'read_models'
        UNION ALL SELECT table_name || column_name || ordinal_position || data_type || is_nullable
            || coalesce(column_default, '') || coalesce(collation_name, '')
            || coalesce(col_description(('read_models.' || table_name)::regclass, ordinal_position), '')
          FROM information_schema.columns WHERE table_schema = 'read_models') AS facts (x)";
    sqlx::query("SELECT read_models.protect()").execute(&database.pool).await.unwrap();
    let before: String = sqlx::query_scalar(facts).fetch_one(&database.pool).await.unwrap();
    for _ in 0..2 {
        rebuild(&database.pool, &w.ledger, &[], EQUAL, |_| {}).await.unwrap();
        let after: String = sqlx::query_scalar(facts).fetch_one(&database.pool).await.unwrap();
        assert_eq!(after, before);
    }
    w.chat("35191299998", received("new.chat", 5, "{}"));
    generate(&mut w, 8, 100, &users, &groups, &tags).await;
    caught_up(&database.pool, &live, &w).await;
    let chats = count(&database.pool, w.tenant, "SELECT count(*) FROM read_models.chats WHERE tenant_id = $1").await;
    for (view, times) in [("chats_in_all", 1), ("chats_twice", 2)] {
        let sql = format!("SELECT chats FROM public.{view} WHERE tenant_id = $1");
        assert_eq!(count(&database.pool, w.tenant, &sql).await, chats * times, "{view}");
    }
    live.stop().await;
}

#[tokio::test]
async fn rows_that_other_code_has_folded_are_noticed() {
    let database = database().await;
    let (w, live, _, rows) = filled(&database, "older", 200).await;
    live.stop().await;
    assert!(lag(&database.pool, &w.ledger).await.unwrap().iter().all(|of| !of.outdated));
    let older = "UPDATE read_models.cursors SET definition = 'older' WHERE projection IN ('chats', 'tags')";
    sqlx::query(older).execute(&database.pool).await.unwrap();
    let said = text(&run(&database, &["list"]).await.stdout);
    assert!(said.contains("chatledger projections rebuild tags chats"), "{said}");
    // Equal rows: the present code could have folded them.
    assert!(run(&database, &["compare", "tags"]).await.status.success());
    let said = text(&run(&database, &["list"]).await.stdout);
    assert!(said.contains("chatledger projections rebuild chats\n"), "{said}");
    assert!(run(&database, &["rebuild", "chats"]).await.status.success());
    let said = text(&run(&database, &["list"]).await.stdout);
    assert!(!said.contains("other code"), "{said}");
    assert_same(&rows, &dump(&database.pool, w.tenant).await, "rebuilt");
}

#[tokio::test]
async fn two_rebuilds_do_not_run_at_once_and_an_unfinished_one_of_other_code_begins_anew() {
    let database = database().await;
    let (w, live, _, rows) = filled(&database, "alone", 300).await;
    let mut holder = database.pool.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(7163082359995458663)").execute(&mut *holder).await.unwrap();
    let busy = rebuild(&database.pool, &w.ledger, &["tags".into()], EQUAL, |_| {}).await;
    assert!(matches!(busy, Err(RebuildError::Busy)), "{busy:?}");
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut *holder).await.unwrap();
    drop(holder);
    // What is kept of a refused one was folded by code that is no more.
    sqlx::query("UPDATE read_models.tags SET name = 'x' WHERE tenant_id = $1")
        .bind(w.tenant.0)
        .execute(&database.pool)
        .await
        .unwrap();
    let refused = rebuild(&database.pool, &w.ledger, &["tags".into()], EQUAL, |_| {}).await;
    assert!(matches!(refused, Err(RebuildError::Different(_))), "{refused:?}");
    for statement in [
        "UPDATE read_models_next.cursors SET definition = 'older'",
        "UPDATE read_models_next.tags SET name = 'what other code made of it'",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
    let report = rebuild(&database.pool, &w.ledger, &["tags".into()], RebuildOptions::default(), |_| {}).await.unwrap();
    assert!(!report.resumed && report.swapped);
    assert_same(&rows, &dump(&database.pool, w.tenant).await, "begun anew");
    live.stop().await;
}

#[tokio::test]
async fn what_was_left_out_of_a_stream_is_folded_when_it_is_retried() {
    let database = database().await;
    let (mut w, live, (groups, users, tags), _) = filled(&database, "parked", 300).await;
    let chat = "35191200001";
    for name in ["messages", "chats", "received_marks", "persons", "taggings", "tagging_events", "assignments"] {
        assert!(park_stream(&database.pool, w.tenant, name, ("Chat", chat), "for a test").await.unwrap());
        assert!(!park_stream(&database.pool, w.tenant, name, ("Chat", chat), "again").await.unwrap());
    }
    for n in 0..40 {
        w.chat(chat, received(&format!("kept.{n}"), 2_000 + n, "{}"));
        w.chat(chat, MessagesMarkedAsReceived { user: UserId(users[0]), timestamp: 1_990 + n });
    }
    generate(&mut w, 9, 200, &users, &groups, &tags).await;
    caught_up(&database.pool, &live, &w).await;
    let kept = "SELECT count(*) FROM read_models.messages WHERE tenant_id = $1 AND waba_id LIKE 'kept.%'";
    assert_eq!(count(&database.pool, w.tenant, kept).await, 0);
    let listed = text(&run(&database, &["parked"]).await.stdout);
    assert_eq!(listed.matches("Chat/35191200001").count(), 7, "{listed}");

    let mut told = Vec::new();
    retry_parked(&database.pool, &w.ledger, &Which::default(), |retried| told.push(retried)).await.unwrap();
    assert!(told.len() == 7 && told.iter().all(|retried| retried.stays.is_none()), "{told:?}");
    assert_eq!(count(&database.pool, w.tenant, kept).await, 40);
    assert!(parked_streams(&database.pool, &Which::default()).await.unwrap().is_empty());
    // As if it had never been left out.
    rebuild(&database.pool, &w.ledger, &[], EQUAL, |_| {}).await.unwrap();
    // And it is folded live again.
    w.chat(chat, received("kept.later", 3_000, "{}"));
    w.write().await;
    caught_up(&database.pool, &live, &w).await;
    assert_eq!(count(&database.pool, w.tenant, kept).await, 41);
    live.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_parks_its_stream_and_holds_up_nothing_else() {
    let database = database().await;
    let (mut w, live, _, _) = filled(&database, "unread", 100).await;
    live.stop().await;
    let position = w.chat("35191200001", received("from.the.future", 5, "{}"));
    w.chat("35191200001", received("behind.it", 6, "{}"));
    w.chat("35191299997", received("elsewhere", 7, "{}"));
    w.write().await;
    let change = |version: &str| {
        format!(
            "ALTER TABLE ledger.events DISABLE TRIGGER USER;
             UPDATE ledger.events SET event_version = '{version}' WHERE tenant_id = '{}' AND position = {position};
             ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_stay_as_they_are;
             ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_stay",
            w.tenant
        )
    };
    sqlx::raw_sql(&change("99")).execute(&database.pool).await.unwrap();
    let patience = Duration::from_millis(300);
    let options = Options { page: 2_000, poll: Duration::from_millis(50), parallel: 2, patience };
    let live = Engine::start(database.pool.clone(), w.ledger.clone(), options);
    caught_up(&database.pool, &live, &w).await;
    let parked = parked_streams(&database.pool, &Which::default()).await.unwrap();
    assert_eq!(parked.len(), names().len());
    assert!(parked.iter().all(|of| of.position == position && of.error.contains("version 99")), "{parked:?}");
    let there = "SELECT count(*) FROM read_models.messages WHERE tenant_id = $1
        AND waba_id IN ('from.the.future', 'behind.it', 'elsewhere')";
    assert_eq!(count(&database.pool, w.tenant, there).await, 1);
    let failed = run(&database, &["rebuild", "chats"]).await;
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains(&format!("position {position}")), "{}", text(&failed.stderr));
    // A program that knows the event folds all of it.
    sqlx::raw_sql(&change("1")).execute(&database.pool).await.unwrap();
    assert!(run(&database, &["retry"]).await.status.success());
    assert_eq!(count(&database.pool, w.tenant, there).await, 3);
    rebuild(&database.pool, &w.ledger, &[], EQUAL, |_| {}).await.unwrap();
    live.stop().await;
}

#[tokio::test]
async fn poison_parks_only_its_stream_and_stops_a_rebuild() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("poison"));
    let live = engine(&database.pool, &ledger, 500);
    let (groups, users, tags) = set_up(&mut w, "poison").await;
    generate(&mut w, 4, 50, &users, &groups, &tags).await;
    let poison = w.chat("not an id", received("bad.1", 5, "{}"));
    generate(&mut w, 5, 50, &users, &groups, &tags).await;
    w.chat("not an id", received("bad.2", 6, "{}"));
    w.chat("35191299999", received("good", 7, "{}"));
    w.write().await;
    caught_up(&database.pool, &live, &w).await;
    let parked: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT projection, aggregate_id, position FROM read_models.parked WHERE tenant_id = $1 ORDER BY projection",
    )
    .bind(w.tenant.0)
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let expected = ["chats", "conversations", "customers", "messages", "persons", "received_marks"];
    assert_eq!(parked, expected.map(|name| (name.to_owned(), "not an id".to_owned(), poison)));
    let inbox = Inbox::new(database.pool.clone());
    let admin = inbox.caller(w.tenant, UserId(users[0])).await.unwrap().unwrap().actor;
    let good = WaId::parse("35191299999").unwrap();
    assert!(inbox.chat(w.tenant, &admin, &good).await.unwrap().is_some());
    let before = dump(&database.pool, w.tenant).await;
    let stopped = rebuild(&database.pool, &ledger, &["chats".into()], EQUAL, |_| {}).await;
    assert!(
        matches!(&stopped, Err(RebuildError::Poison { projection: "chats", position, .. }) if position.0 == poison),
        "{stopped:?}"
    );
    assert_same(&before, &dump(&database.pool, w.tenant).await, "a rebuild that stops changes nothing");
    live.stop().await;
}
