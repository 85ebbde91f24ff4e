//! A database for each test: one private cluster for all of them, and a copy of one migrated template for each.

use std::{path::PathBuf, sync::mpsc, thread};

use chatledger_infrastructure::postgres::{Embedded, EmbeddedError, connect, migrate};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

/// What every database of the tests is called at first, so that leftovers are known.
const PREFIX: &str = "chatledger_test_";

/// A migrated database of one test's own.
pub struct TestDatabase {
    pub pool: PgPool,
    pub url: String,
}

/// A new database. Its pool belongs to the test's runtime; share only the URL.
pub async fn database() -> TestDatabase {
    let server = server().await;
    let name = format!("{PREFIX}{}", Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server.url).await.expect("the server lets us in");
    let create = format!("CREATE DATABASE {name} TEMPLATE {}", server.template);
    // Other tests copy the template at the same time; that never fails, but takes turns.
    admin.execute(&*create).await.expect("a copy of the template");
    admin.close().await.expect("closed");
    let url = with_database(&server.url, &name);
    TestDatabase { pool: connect(&url, 16).expect("a URL"), url }
}

/// A new database with nothing in it, for those who migrate it themselves.
pub async fn empty_database() -> TestDatabase {
    let server = server().await;
    let name = format!("{PREFIX}{}", Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server.url).await.expect("the server lets us in");
    admin.execute(&*format!("CREATE DATABASE {name}")).await.expect("a database");
    admin.close().await.expect("closed");
    let url = with_database(&server.url, &name);
    TestDatabase { pool: connect(&url, 4).expect("a URL"), url }
}

/// The same server with another database.
pub fn with_database(url: &str, name: &str) -> String {
    let mut url: Url = url.parse().expect("a URL");
    url.set_path(name);
    url.into()
}

struct Server {
    url: String,
    template: String,
}

async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let (url, ours) = match std::env::var("DATABASE_URL") {
                Ok(url) => (url, false),
                Err(_) => (tokio::task::spawn_blocking(embedded).await.expect("a thread"), true),
            };
            let template = format!("{PREFIX}template_{}", Uuid::new_v4().simple());
            let mut admin = PgConnection::connect(&url).await.expect("the server lets us in");
            if ours {
                drop_leftovers(&mut admin).await;
            }
            admin.execute(&*format!("CREATE DATABASE {template}")).await.expect("a database");
            let pool = connect(&with_database(&url, &template), 1).expect("a URL");
            migrate(&pool).await.expect("migrated");
            pool.close().await;
            Server { url, template }
        })
        .await
}

/// Starts the cluster in a thread that stays: it must outlive the runtime of the test that asks first. When the
/// process ends, the cluster's own watch stops it.
fn embedded() -> String {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let cluster = runtime.block_on(first_free());
        tell.send(cluster.url().to_owned()).expect("somebody waits");
        loop {
            thread::park();
        }
    });
    told.recv().expect("a cluster")
}

/// Clusters are kept for the next run; another run at the same time takes another.
async fn first_free() -> Embedded {
    for slot in 0..16 {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{slot}"));
        match Embedded::start(&folder).await {
            Ok(cluster) => return cluster,
            Err(EmbeddedError::InUse(_)) => {}
            Err(error) => panic!("no Postgres for the tests: {error}"),
        }
    }
    panic!("too many test runs at once");
}

async fn drop_leftovers(admin: &mut PgConnection) {
    let pattern = format!("{PREFIX}%");
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE $1")
        .bind(pattern)
        .fetch_all(&mut *admin)
        .await
        .expect("the list of databases");
    for name in names {
        admin.execute(&*format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("dropped");
    }
}
