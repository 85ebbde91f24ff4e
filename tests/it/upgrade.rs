//! What earlier releases left behind goes on: events of every version that ever was, and a database as release 0.1 left
//! it. The real program upgrades it, proves it, serves it, and builds the same read models from it.

use std::{
    borrow::Cow,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use chatledger_domain::{
    AnyEvent, EventSourced, TenantId,
    rule_engine::{RuleEngine, RuleEngineEvent},
};
use chatledger_projections::tables;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{Executor, PgPool, migrate::Migrator};
use tempfile::TempDir;

use crate::{
    event_fixtures::{Fixture, fixtures},
    harness::{
        http::Client,
        postgres::{TestDatabase, database, empty_database},
        process::binary,
    },
};

/// The program on one database, with a folder and a key of its own.
struct Program {
    url: String,
    data: TempDir,
}

impl Program {
    fn on(database: &TestDatabase) -> Self {
        Self { url: database.url.clone(), data: TempDir::new().expect("a folder") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data-dir").arg(self.data.path()).env("DATABASE_URL", &self.url);
        command
            .env("CHATLEDGER_SECRETS__MASTER_KEY", "5a".repeat(32))
            .env("CHATLEDGER_PASSWORD", "a visitor's password");
        command.env("CHATLEDGER_WHATSAPP__APP_SECRETS", r#"["secret"]"#).env("CHATLEDGER_LOGS__FILTER", "error");
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("the program runs");
        let text = String::from_utf8_lossy(&stdout).into_owned();
        assert!(status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&stderr));
        text
    }

    /// A user made by command; its token.
    fn visitor(&self, slug: &str) -> String {
        let said = self.run(&["tenant", "add-user", "--tenant", slug, "--username", "visitor", "--role", "user"]);
        said.lines().find_map(|line| line.strip_prefix("token:")).expect("a token").trim().to_owned()
    }

    /// Serves; stops when dropped.
    fn serve(&self) -> (Server, Client) {
        let mut command = self.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("an output")).read_line(&mut line).expect("a line");
        let server = Server(child);
        let ready: Value = serde_json::from_str(&line).expect("what it says when it is ready");
        (server, Client::new(ready["base_url"].as_str().expect("an address").to_owned()))
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every row of every read model, in an order that does not depend on how they were written.
async fn dump(pool: &PgPool) -> Vec<(&'static str, Vec<String>)> {
    let mut dump = Vec::new();
    for table in tables().into_iter().flat_map(|(_, tables)| tables) {
        let sql = format!("SELECT t::text FROM read_models.{table} t ORDER BY 1");
        dump.push((table, sqlx::query_scalar(&sql).fetch_all(pool).await.expect("the rows")));
    }
    dump
}

fn assert_same(before: &[(&str, Vec<String>)], after: &[(&str, Vec<String>)]) {
    for ((table, before), (_, after)) in before.iter().zip(after) {
        assert_eq!(before, after, "{table}");
    }
}

/// Waits until the read models have seen everything.
async fn caught_up(pool: &PgPool) {
    let behind = "SELECT count(*) FROM ledger.heads h LEFT JOIN read_models.cursors c USING (tenant_id)
                   WHERE h.head_position > coalesce(c.position, 0)";
    for _ in 0..2_000 {
        if sqlx::query_scalar::<_, i64>(behind).fetch_one(pool).await.expect("a count") == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the read models did not catch up within 10 s");
}

/// Rebuilt as it was, nothing parked, and the chain in order.
async fn proven(program: &Program, pool: &PgPool) {
    let parked: i64 =
        sqlx::query_scalar("SELECT count(*) FROM read_models.parked").fetch_one(pool).await.expect("a count");
    assert_eq!(parked, 0, "events that could not be folded");
    let live = dump(pool).await;
    program.run(&["projections", "rebuild", "--all"]);
    assert_same(&live, &dump(pool).await);
    program.run(&["ledger", "verify"]);
}

/// What must be there before something else of the same ledger makes sense comes first.
fn rank(fixture: &Fixture) -> usize {
    let first = ["TenantCreated", "GroupCreated", "UserCreated", "TagCreated", "ContactProfileSeen"];
    let then = ["AccountConnected", "MessageReceived", "MessageQueued", "MessageEchoed"];
    let order = first.iter().chain(&then);
    order.clone().position(|name| *name == fixture.name).unwrap_or(order.count())
}

/// The stream of an example. What befell a group befell another one, so that there is one that lets
/// its members read.
fn stream(fixture: &Fixture) -> &'static str {
    match (&*fixture.aggregate, &*fixture.name) {
        ("Chat" | "Contact", _) => "351912000111",
        ("Tenant", _) => "tenant",
        ("Media", _) => "0190f3a2-6000-7c00-8000-000000000001",
        ("Group", name) if name != "GroupCreated" => "another",
        _ => "one",
    }
}

/// Appends stored payloads to a tenant's ledger as an earlier release did: byte for byte, in their own versions. The
/// chain is computed here once more, from what the README says of it.
async fn store(pool: &PgPool, tenant: TenantId, events: &[&Fixture]) {
    let mut hash = [0_u8; 32];
    for (position, event) in (1_i64..).zip(events) {
        let (kind, name, version) = (&*event.aggregate, &*event.name, &*event.version);
        let id = stream(event);
        let same = |of: &&&Fixture| of.aggregate == event.aggregate && stream(of) == id;
        let sequence = events[..position as usize].iter().filter(same).count() as i64;
        let payload = event.payload.trim();
        let metadata = r#"{"actor":{"kind":"system","part":"test"},"family":"test","correlation_id":"fixture"}"#;
        let micros = 1_700_000_000_000_000 + position;
        let digest = |text: &str| <[u8; 32]>::from(Sha256::digest(text.as_bytes()));
        let mut sha = Sha256::new();
        sha.update(hash);
        sha.update(position.to_be_bytes());
        let text = |sha: &mut Sha256, text: &str| {
            sha.update((text.len() as u64).to_be_bytes());
            sha.update(text.as_bytes());
        };
        [kind, id].iter().for_each(|of| text(&mut sha, of));
        sha.update(sequence.to_be_bytes());
        [name, version].iter().for_each(|of| text(&mut sha, of));
        sha.update(micros.to_be_bytes());
        sha.update(micros.to_be_bytes());
        sha.update(digest(payload));
        sha.update(digest(metadata));
        hash = sha.finalize().into();
        let at = chrono::DateTime::from_timestamp_micros(micros).expect("a time");
        sqlx::query(
            "INSERT INTO ledger.events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
                 event_version, payload, metadata, occurred_at, recorded_at, payload_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::json, $9::text::json, $10, $10, $11, $12)",
        )
        .bind(tenant.0)
        .bind(position)
        .bind(kind)
        .bind(id)
        .bind(sequence)
        .bind(name)
        .bind(version)
        .bind(payload)
        .bind(metadata)
        .bind(at)
        .bind(digest(payload).as_slice())
        .bind(hash.as_slice())
        .execute(pool)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", event.path.display()));
    }
    sqlx::query("INSERT INTO ledger.heads VALUES ($1, $2, $3)")
        .bind(tenant.0)
        .bind(events.len() as i64)
        .bind(hash.as_slice())
        .execute(pool)
        .await
        .expect("the head");
}

#[tokio::test]
async fn events_of_every_version_start_project_serve_verify_and_rebuild() {
    let database = database().await;
    let mut all = fixtures();
    all.sort_by_key(rank);
    // Examples of one case share ids with those of another, so each case is a tenant's ledger of its own.
    let case = |fixture: &Fixture| {
        let name = fixture.path.file_stem().expect("a name").to_string_lossy().into_owned();
        name.split('.').nth(3).map(str::to_owned)
    };
    let mut cases: Vec<Option<String>> = all.iter().map(case).collect();
    cases.sort();
    cases.dedup();
    let mut stored = 0;
    for of in &cases {
        let slug = of.as_deref().map_or("acme".to_owned(), |of| format!("acme-{}", of.replace('_', "-")));
        let needed = ["TenantCreated", "MessageReceived", "BulkMessageCreated"];
        let has = |name: &str| all.iter().any(|known| known.name == name && case(known) == *of);
        let belongs = |known: &&Fixture| {
            case(known) == *of || (case(known).is_none() && needed.contains(&&*known.name) && !has(&known.name))
        };
        let events: Vec<&Fixture> = all.iter().filter(belongs).collect();
        stored += events.len();
        store(&database.pool, TenantId::of_slug(&slug), &events).await;
    }
    let earlier = all.iter().filter(|fixture| fixture.name == "RuleAdded" && fixture.version == "1").count();
    assert!(earlier > 0 && stored >= all.len());
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM ledger.events").fetch_one(&database.pool).await.expect("a count");
    assert_eq!(usize::try_from(count), Ok(stored));

    let program = Program::on(&database);
    let (server, http) = program.serve();
    caught_up(&database.pool).await;
    let token = program.visitor("acme");
    let get = async |path: &str| http.call(Method::GET, path, Some(&token), None).await.expect(200);
    assert_eq!(get("chats/").await["count"], 1);
    assert!(get("messages/").await["count"].as_i64().is_some_and(|count| count >= 3));
    assert!(get("users/").await["count"].as_i64().is_some_and(|count| count >= 1));
    // What was stored as `position` is a rule's place, and both versions are rules of one engine.
    let places: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, place FROM read_models.rules WHERE tenant_id = $1 ORDER BY id")
            .bind(TenantId::of_slug("acme").0)
            .fetch_all(&database.pool)
            .await
            .expect("rules");
    assert_eq!(places.iter().map(|(_, place)| *place).collect::<Vec<_>>(), [1, 1], "{places:?}");
    drop(server);
    proven(&program, &database.pool).await;
}

#[tokio::test]
async fn a_stock_repository_is_given_the_present_shape_by_our_upcasters() {
    use cqrs_es::{EventStore, persist::PersistedEventStore};
    use postgres_es::PostgresEventRepository;

    let database = database().await;
    let (all, tenant) = (fixtures(), TenantId::of_slug("acme"));
    let events: Vec<&Fixture> = all.iter().filter(|of| of.aggregate == "RuleEngine").collect();
    store(&database.pool, tenant, &events).await;
    let repository = PostgresEventRepository::new(database.pool.clone());
    let stock = PersistedEventStore::<_, EventSourced<RuleEngine>>::new_event_store(repository);
    let id = format!("{tenant}/one");
    assert!(stock.load_events(&id).await.is_err(), "without them an earlier shape cannot be read");
    let read = stock.with_upcasters(RuleEngineEvent::upcasters()).load_events(&id).await.expect("every version");
    let known =
        |of: &&Fixture| AnyEvent::read(&of.aggregate, &of.name, &of.version, of.payload.trim()).expect("an event");
    let read: Vec<AnyEvent> = read.into_iter().map(|envelope| envelope.payload.into()).collect();
    assert_eq!(read, events.iter().map(known).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_database_of_release_0_1_is_upgraded_and_goes_on_as_it_was() {
    let database = empty_database().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut migrator = Migrator::new(root.join("migrations")).await.expect("the migrations");
    // Release 0.1 ended with these.
    migrator.migrations = Cow::Owned(migrator.iter().filter(|of| of.version <= 30).cloned().collect());
    migrator.run(&database.pool).await.expect("as release 0.1 was");
    let filled = std::fs::read_to_string(root.join("tests/it/fixtures/databases/0.1.sql")).expect("the dump");
    database.pool.execute(sqlx::raw_sql(&filled)).await.expect("as release 0.1 left it");
    let texts =
        async |sql: &str| -> Vec<String> { sqlx::query_scalar(sql).fetch_all(&database.pool).await.expect("rows") };
    let (chats, rules) = (
        "SELECT concat_ws(' ', wa_id, last_message_id, incoming_total, message_total, assigned_user, assigned_group)
           FROM read_models.chats ORDER BY 1",
        "SELECT concat_ws(' ', id, place, tagged_with, assign_to_user, assign_to_group) FROM read_models.rules ORDER BY 1",
    );
    let (chats_before, rules_before) = (texts(chats).await, texts(rules).await);
    assert!(chats_before.len() >= 4 && rules_before.len() == 3);

    let program = Program::on(&database);
    let token = program.visitor("demo");
    assert_eq!(texts(chats).await, chats_before);
    assert_eq!(texts(rules).await, rules_before);
    let (server, http) = program.serve();
    let get = async |path: &str| http.call(Method::GET, path, Some(&token), None).await.expect(200);
    assert_eq!(get("chats/").await["count"], chats_before.len());
    assert_eq!(get("chats/351912000303/").await["contact"]["wa_id"], "351912000303");
    let found = get("messages/?search=customer").await;
    assert!(found["count"].as_i64().is_some_and(|count| count >= 9), "{found}");
    drop(server);
    let views = "SELECT tenant || ' ' || count(*) FROM analytics.chats GROUP BY tenant";
    assert_eq!(texts(views).await, [format!("demo {}", chats_before.len())]);
    proven(&program, &database.pool).await;
    assert_eq!(texts(rules).await, rules_before, "events of version 1 make the same rules");
}
