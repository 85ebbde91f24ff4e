//! A tenant as a whole: into a file, out of it in another database with every hash and id as it was, and gone without a
//! trace while its server runs and others go on.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use chatledger_application::accounts::Requester;
use chatledger_domain::TenantId;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    forgetting::dump,
    harness::{
        inbox::Inbox,
        postgres::{TestDatabase, database},
        process::binary,
    },
};

const RUI: &str = "351912000111";
const SECRET: &str = "albatros";

/// A database with a folder for its files.
struct Place {
    database: TestDatabase,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        Self { database: database().await, folder: tempfile::tempdir().expect("a folder") }
    }

    async fn run(&self, arguments: &[&str]) -> (bool, String) {
        run(&self.database.url, self.folder.path(), arguments).await
    }
}

/// Runs the program on a database; whether it ended well, and what it said.
async fn run(url: &str, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data-dir").arg(folder).env("DATABASE_URL", url);
    command.env("CHATLEDGER_LOGS__FILTER", "error");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread").expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Every table that has tenants, and what each holds of one.
async fn rows_of(pool: &PgPool, tenant: TenantId, schemas: &[&str]) -> BTreeMap<String, Vec<String>> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT a.attisdropped
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND (cardinality($1::text[]) = 0 OR n.nspname = ANY($1)) ORDER BY 1",
    )
    .bind(schemas)
    .fetch_all(pool)
    .await
    .expect("tables");
    assert!(tables.len() > if schemas.is_empty() { 40 } else { 2 }, "{tables:?}");
    let mut found = BTreeMap::new();
    for table in tables {
        let sql = format!("SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = $1 ORDER BY 1");
        let rows: Vec<String> = sqlx::query_scalar(&sql).bind(tenant.0).fetch_all(pool).await.expect("rows");
        if !rows.is_empty() {
            found.insert(table, rows);
        }
    }
    found
}

/// What is folded, without how often it was built.
async fn folded(pool: &PgPool, tenant: TenantId) -> BTreeMap<String, Vec<String>> {
    let mut rows = rows_of(pool, tenant, &["read_models"]).await;
    rows.remove("read_models.cursors");
    rows
}

fn files(folder: &Path, tenant: TenantId) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = folder.join("media").join(tenant.to_string());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().into(), std::fs::read(entry.path()).expect("a file"))).collect()
}

/// An inbox with something of everything, and another beside it.
async fn lived_in() -> Inbox {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "207").await;
    inbox.customer_writes(RUI, &format!("{SECRET} \\u0000 and \u{1f426}")).await;
    inbox.customer_writes("351912000222", "Hello").await;
    let tag = inbox.post(&inbox.admin, "tags/", json!({"name": "VIP"})).await.expect(201)["id"].clone();
    inbox.post(&inbox.admin, "chat_tagging/", json!({"tag": tag, "chat": RUI})).await.expect(201);
    inbox
        .post(&inbox.admin, "messages/", json!({"wa_id": RUI, "type": "text", "text": {"body": SECRET}}))
        .await
        .expect(201);
    let bytes: Vec<u8> = (0..5_000_000_u32).flat_map(|n| n.to_le_bytes()).take(9_000_000).collect();
    for bytes in [bytes, SECRET.into()] {
        let part = Part::bytes(bytes).file_name("a.txt").mime_str("text/plain").expect("a type");
        let request = inbox.http.raw.post(inbox.http.url("media/"));
        let request = request.header("Authorization", format!("Token {}", inbox.admin.token));
        inbox.http.send(request.multipart(Form::new().part("file_encoded", part))).await.expect(201);
    }
    let erased = inbox.post(&inbox.admin, "contacts/351912000222/erase/", json!({})).await.expect(200);
    assert!(erased["events"].as_i64().expect("a number") > 0);
    inbox.settle().await;
    inbox
}

fn line_of(said: &str, start: &str) -> String {
    said.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_else(|| panic!("{said}")).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_goes_into_a_file_and_comes_out_elsewhere_as_it_was() {
    let inbox = lived_in().await;
    let (tenant, there) = (TenantId(inbox.tenant), Place::new().await);
    let archive = there.folder.path().join("demo.tar.gz");
    let archive = archive.to_str().expect("text");
    let (ok, exported) =
        run(&inbox.database_url, inbox.data_dir(), &["tenant", "export", "demo", "--output", archive]).await;
    assert!(ok, "{exported}");
    let (ok, imported) = there.run(&["tenant", "import", archive]).await;
    assert!(ok && imported.contains("its lists are complete"), "{imported}");
    assert_eq!(line_of(&exported, "head hash"), line_of(&imported, "head hash"));

    let (_, here) = run(&inbox.database_url, inbox.data_dir(), &["ledger", "verify", "--tenant", "demo"]).await;
    let (ok, elsewhere) = there.run(&["ledger", "verify", "--tenant", "demo"]).await;
    assert!(ok && elsewhere.contains("in order"), "{elsewhere}");
    assert_eq!(line_of(&here, "demo  in order"), line_of(&elsewhere, "demo  in order"));
    let pool = &there.database.pool;
    let ledger = async |pool: &PgPool| {
        let mut rows = rows_of(pool, tenant, &["ledger"]).await;
        rows.retain(|table, _| ["ledger.events", "ledger.heads", "ledger.claims"].contains(&table.as_str()));
        rows
    };
    assert_eq!(ledger(&inbox.pool).await, ledger(pool).await);
    assert_eq!(folded(&inbox.pool, tenant).await, folded(pool, tenant).await);
    let kept = files(inbox.data_dir(), tenant);
    assert_eq!(kept.len(), 2);
    assert!(kept == files(there.folder.path(), tenant), "every byte of every file");
    assert!(!dump(&there.database.url).await.contains(&inbox.admin.token), "secrets stay unless they are asked for");

    let (ok, said) = there.run(&["tenant", "import", archive]).await;
    assert!(!ok && said.contains("there already"), "{said}");
    let (ok, said) =
        run(&inbox.database_url, inbox.data_dir(), &["tenant", "export", "nobody", "--output", archive]).await;
    assert!(!ok && said.contains("no such tenant"), "{said}");
    assert!(Path::new(archive).is_file(), "what is not exported overwrites nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_whole_is_not_brought_in() {
    let inbox = lived_in().await;
    let (tenant, there) = (TenantId(inbox.tenant), Place::new().await);
    let archive = there.folder.path().join("demo.tar.gz");
    let output = archive.to_str().expect("text");
    let with_secrets = ["tenant", "export", "demo", "--with-secrets", "--output", output];
    let (ok, said) = run(&inbox.database_url, inbox.data_dir(), &with_secrets).await;
    assert!(ok, "{said}");
    let whole = std::fs::read(&archive).expect("a file");
    let mut altered = whole.clone();
    let at = whole.len() / 3;
    altered[at] ^= 1;
    // The same, but packed anew around an altered event: only hashes can tell.
    let forged = forge(&whole);
    for (bytes, why) in [
        (&whole[..whole.len() / 2], "damaged"),
        (&whole[..whole.len() - 2_000], "damaged"),
        (&altered, "damaged"),
        (&forged, "not as it was written"),
        (b"no archive".as_slice(), "damaged"),
    ] {
        let broken = there.folder.path().join("broken.tar.gz");
        std::fs::write(&broken, bytes).expect("written");
        let (ok, said) = there.run(&["tenant", "import", broken.to_str().expect("text")]).await;
        assert!(!ok && said.contains(why), "{why}: {said}");
        assert_eq!(rows_of(&there.database.pool, tenant, &[]).await, BTreeMap::new(), "{why}");
        assert!(files(there.folder.path(), tenant).is_empty(), "{why}");
    }
    let (ok, said) = there.run(&["tenant", "import", output]).await;
    assert!(ok, "{said}");
    let of_vault = async |pool: &PgPool| rows_of(pool, tenant, &["vault"]).await;
    assert_eq!(of_vault(&inbox.pool).await, of_vault(&there.database.pool).await);
}

/// The archive with one word of one event replaced.
fn forge(whole: &[u8]) -> Vec<u8> {
    let mut reader = tar::Archive::new(flate2::read::GzDecoder::new(whole));
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut writer = tar::Builder::new(packed);
    for entry in reader.entries().expect("entries") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").into_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("bytes");
        if name.starts_with("events") {
            let text = String::from_utf8(bytes).expect("text");
            assert!(text.contains(SECRET));
            bytes = text.replacen(SECRET, "albatroz", 1).into_bytes();
        }
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        writer.append_data(&mut header, name, bytes.as_slice()).expect("appended");
    }
    writer.into_inner().expect("whole").finish().expect("packed")
}

/// Begins a command and kills it after a while.
async fn killed(url: &str, folder: &Path, arguments: &[&str], after: Duration) {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data-dir").arg(folder).env("DATABASE_URL", url);
    let mut child =
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().expect("it runs");
    tokio::time::sleep(after).await;
    let _ = child.kill();
    child.wait().expect("gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_import_leaves_nothing_and_a_killed_deletion_is_finished_by_the_next() {
    let inbox = lived_in().await;
    let (tenant, there) = (TenantId(inbox.tenant), Place::new().await);
    let archive = there.folder.path().join("demo.tar.gz");
    let archive = archive.to_str().expect("text");
    let (ok, said) =
        run(&inbox.database_url, inbox.data_dir(), &["tenant", "export", "demo", "--output", archive]).await;
    assert!(ok, "{said}");
    let (url, folder) = (&there.database.url, there.folder.path());
    let mut whole = 0;
    for after in [40, 80, 120, 200, 300, 450, 700, 1_000] {
        killed(url, folder, &["tenant", "import", archive], Duration::from_millis(after)).await;
        // The database notices a client that is gone when it next speaks to it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rows = rows_of(&there.database.pool, tenant, &["ledger", "vault", "outbound"]).await;
        if rows.is_empty() {
            continue;
        }
        whole += 1;
        let (ok, said) = there.run(&["ledger", "verify", "--tenant", "demo"]).await;
        assert!(ok && said.contains("in order"), "neither nothing nor all: {said}");
        let delete = ["tenant", "delete", "demo", "--confirm", "demo"];
        killed(url, folder, &delete, Duration::from_secs(2)).await;
        assert!(!rows_of(&there.database.pool, tenant, &["ledger"]).await.is_empty());
        let (ok, said) = there.run(&delete).await;
        assert!(ok, "{said}");
        assert_eq!(rows_of(&there.database.pool, tenant, &[]).await, BTreeMap::new());
        if whole == 2 {
            break;
        }
    }
    let (ok, said) = there.run(&["tenant", "import", archive]).await;
    assert!(ok, "{said}");
    assert_eq!(folded(&inbox.pool, tenant).await, folded(&there.database.pool, tenant).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_tenant_leaves_nothing_and_its_server_lets_go_of_it() {
    let inbox = lived_in().await;
    let (tenant, other) = (TenantId(inbox.tenant), TenantId::of_slug("other"));
    let archive = inbox.data_dir().join("demo.tar.gz");
    let archive = archive.to_str().expect("text");
    let here = async |arguments: &[&str]| run(&inbox.database_url, inbox.data_dir(), arguments).await;
    let (ok, said) = here(&["tenant", "export", "demo", "--output", archive]).await;
    assert!(ok, "{said}");
    let lists = folded(&inbox.pool, tenant).await;
    let others = rows_of(&inbox.pool, other, &["ledger", "read_models", "vault"]).await;
    assert!(dump(&inbox.database_url).await.contains(SECRET));

    let (ok, said) = here(&["tenant", "delete", "demo", "--confirm", "dmeo"]).await;
    assert!(!ok && said.contains("--confirm"), "{said}");
    let (ok, said) = here(&["tenant", "delete", "nobody", "--confirm", "nobody"]).await;
    assert!(!ok && said.contains("no such tenant"), "{said}");
    // Customers go on writing all the while.
    let deleting = here(&["tenant", "delete", "demo", "--confirm", "demo"]);
    let writing = async {
        for number in 0..80 {
            let text = crate::harness::inbox::text_message(RUI, &format!("wamid.late.{number}"), 1_767_693_600, "late");
            inbox.deliver(&inbox.call(json!({"messages": [text]})).to_string()).await;
            inbox.get(&inbox.admin, "chats/").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ((ok, said), ()) = tokio::join!(deleting, writing);
    assert!(ok && said.contains("demo is deleted"), "{said}");
    assert_eq!(rows_of(&inbox.pool, tenant, &[]).await, BTreeMap::new());
    assert!(files(inbox.data_dir(), tenant).is_empty());
    let answer = inbox.get(&inbox.admin, "chats/").await;
    assert!(matches!(answer.status, 401 | 403 | 404), "{} {}", answer.status, answer.text);
    // Nothing comes back by itself.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rows_of(&inbox.pool, tenant, &[]).await, BTreeMap::new());
    let after = dump(&inbox.database_url).await;
    assert!(!after.contains(SECRET) && !after.contains(&tenant.to_string()), "a trace is left");
    assert_eq!(rows_of(&inbox.pool, other, &["ledger", "read_models", "vault"]).await, others, "others are untouched");
    let refused = sqlx::query("DELETE FROM ledger.events").execute(&inbox.pool).await;
    assert!(refused.is_err(), "the ledger is as append-only as before");

    // And it may come back, under the same server.
    let (ok, said) = here(&["tenant", "import", archive]).await;
    assert!(ok, "{said}");
    inbox.settle().await;
    assert_eq!(folded(&inbox.pool, tenant).await, lists);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_acc_2_a_number_that_was_given_up_is_known_as_such_where_its_tenant_goes() {
    let (inbox, there) = (Inbox::start().await, Place::new().await);
    let tools = inbox.tools().await;
    let by = Requester { name: "somebody".to_owned(), user: None, correlation_id: String::new() };
    tools.application.disconnect_account(TenantId(inbox.tenant), &by).await.expect("disconnected");
    tools.close().await;
    let archive = there.folder.path().join("demo.tar.gz");
    let archive = archive.to_str().expect("text");
    let (ok, said) =
        run(&inbox.database_url, inbox.data_dir(), &["tenant", "export", "demo", "--output", archive]).await;
    assert!(ok, "{said}");
    let (ok, said) = there.run(&["tenant", "import", archive]).await;
    assert!(ok, "{said}");
    let known: Vec<(String, Option<uuid::Uuid>)> = sqlx::query_as("SELECT phone_number_id, holder FROM ledger.numbers")
        .fetch_all(&there.database.pool)
        .await
        .unwrap();
    assert_eq!(known, [(inbox.phone_number_id.clone(), None)]);
}
