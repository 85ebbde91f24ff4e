//! What analysts are promised: views that stay as they are, roles that read them and nothing else, answers that are
//! right, files that hold what the views hold.

mod columns;
mod export;
mod questions;
mod roles;
mod scenario;

use std::process::{Command, Output};

use sqlx::{Connection, Executor, PgConnection, PgPool, Row, ValueRef, postgres::PgRow};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use crate::harness::process::binary;

/// Runs `chatledger …` on a database of the tests.
fn chatledger(url: &str, arguments: &[&str]) -> Output {
    chatledger_with(url, arguments, &[])
}

/// The same with more environment.
fn chatledger_with(url: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let data = TempDir::new().expect("a folder");
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data-dir").arg(data.path()).env("DATABASE_URL", url);
    command.env("CHATLEDGER_SECRETS__MASTER_KEY", "5a".repeat(32));
    command.env("CHATLEDGER_LOGS__FILTER", "warn").envs(environment.iter().copied());
    command.output().expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// What it printed; it must have succeeded.
#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A name that no other test uses: roles belong to the whole server.
fn role_name() -> String {
    format!("analyst_{}", Uuid::new_v4().simple())
}

/// A role made by the command, and the connection that its own words lead to.
async fn reader(url: &str, role: &str, which: &[&str]) -> PgConnection {
    let output = succeeded(&chatledger(url, &[&["analytics", "grant", role], which].concat()));
    let password = output.lines().find_map(|line| line.strip_prefix("password, shown once: ")).expect("a password");
    let address = output.lines().find_map(|line| line.strip_prefix("connect: psql ")).expect("an address");
    let mut address: Url = address.trim_matches('"').parse().expect("a URL");
    address.set_password(Some(password)).expect("set");
    let mut connection = PgConnection::connect(address.as_str()).await.expect("the role may log in");
    connection.execute("SET timezone = 'UTC'").await.expect("a setting");
    connection
}

/// Removes a role; what it was given must be all that stands in its way.
async fn drop_role(url: &str, role: &str) {
    succeeded(&chatledger(url, &["analytics", "revoke", role, "--drop"]));
}

/// The rows of a query, every value as Postgres writes it; `~` for null.
async fn rows<'e>(db: impl Executor<'e, Database = sqlx::Postgres>, sql: &'e str) -> Vec<Vec<String>> {
    let rows = sqlx::raw_sql(sql).fetch_all(db).await.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    rows.iter().map(texts).collect()
}

fn texts(row: &PgRow) -> Vec<String> {
    let text = |at: usize| {
        let value = row.try_get_raw(at).expect("a column");
        if value.is_null() { "~".to_owned() } else { value.as_str().expect("a text").to_owned() }
    };
    (0..row.len()).map(text).collect()
}

/// The names of the views.
async fn view_names(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = 'analytics'::regnamespace AND relkind = 'v'
                ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(pool).await.expect("the catalogue")
}
