//! Files made from the views by the real program: read back, and compared with the views.

use std::{collections::BTreeMap, fs::File, path::Path};

use chrono::{DateTime, NaiveDate, SecondsFormat};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use serde_json::Value;
use sqlx::{Executor, PgPool};
use tempfile::TempDir;
use uuid::Uuid;

use super::{chatledger, rows, said, scenario::filled, succeeded, view_names};
use crate::harness::postgres::database;

fn export(url: &str, view: &str, format: &str, file: &Path, more: &[&str]) -> String {
    let file = file.to_string_lossy();
    let arguments = ["analytics", "export", view, "--format", format, "--output", &file];
    succeeded(&chatledger(url, &[&arguments, more].concat()))
}

/// The names and types of a view's columns.
async fn columns(pool: &PgPool, view: &str) -> Vec<(String, String)> {
    let sql = format!(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
          WHERE attrelid = 'analytics.{view}'::regclass AND attnum > 0 ORDER BY attnum"
    );
    rows(pool, &sql).await.into_iter().map(|mut row| (row.remove(0), row.remove(0))).collect()
}

/// A view's rows, each value as the files are to say it; sorted, null as `~`.
async fn expected(pool: &PgPool, view: &str, columns: &[(String, String)]) -> Vec<Vec<String>> {
    let value = |(name, kind): &(String, String)| match kind.as_str() {
        "timestamp with time zone" => format!(r#"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#),
        "boolean" => format!("CASE WHEN {name} THEN 'true' ELSE 'false' END"),
        _ => name.clone(),
    };
    let list: Vec<String> = columns.iter().map(value).collect();
    sorted(rows(pool, &format!("SELECT {} FROM analytics.{view}", list.join(", "))).await)
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

fn read_parquet(file: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let reader = SerializedFileReader::new(File::open(file).expect("the file")).expect("Parquet");
    let names = reader.metadata().file_metadata().schema().get_fields().iter().map(|of| of.name().to_owned()).collect();
    let row = |row: Result<parquet::record::Row, _>| {
        row.expect("a row").get_column_iter().map(|(_, field)| text(field)).collect()
    };
    (names, reader.get_row_iter(None).expect("rows").map(row).collect())
}

fn text(field: &Field) -> String {
    match field {
        Field::Null => "~".to_owned(),
        Field::Bool(is) => is.to_string(),
        Field::Long(number) => number.to_string(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) if bytes.len() == 16 => Uuid::from_slice(bytes.data()).expect("sixteen bytes").to_string(),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).expect("a text"),
        Field::TimestampMicros(at) => {
            DateTime::from_timestamp_micros(*at).expect("a time").to_rfc3339_opts(SecondsFormat::AutoSi, true)
        }
        Field::Date(day) => NaiveDate::from_epoch_days(*day).expect("a day").to_string(),
        other => panic!("no view has {other:?}"),
    }
}

#[tokio::test]
async fn every_view_is_the_same_in_sql_in_csv_and_in_parquet() {
    let (database, _) = filled().await;
    let folder = TempDir::new().expect("a folder");
    for view in view_names(&database.pool).await {
        let columns = columns(&database.pool, &view).await;
        let expected = expected(&database.pool, &view, &columns).await;
        let names: Vec<&String> = columns.iter().map(|(name, _)| name).collect();

        let csv_file = folder.path().join(format!("{view}.csv"));
        let told = export(&database.url, &view, "csv", &csv_file, &[]);
        assert!(told.contains(&format!("{} row(s)", expected.len())), "{told}");
        let bytes = std::fs::read(&csv_file).expect("the file");
        assert!(bytes.ends_with(b"\r\n"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert!(reader.headers().expect("names").iter().eq(names.iter().copied()), "{view}");
        let line = |record: Result<csv::StringRecord, _>| record.expect("a line").iter().map(str::to_owned).collect();
        // An empty field is null or an empty text: Parquet tells them apart.
        let blank =
            |row: &Vec<String>| row.iter().map(|of| if of == "~" { String::new() } else { of.clone() }).collect();
        let all: Vec<Vec<String>> = reader.records().map(line).collect();
        assert_eq!(sorted(all), sorted(expected.iter().map(blank).collect()), "{view}");

        let parquet_file = folder.path().join(format!("{view}.parquet"));
        export(&database.url, &view, "parquet", &parquet_file, &[]);
        let (named, read) = read_parquet(&parquet_file);
        assert!(named.iter().eq(names.iter().copied()), "{view}");
        assert_eq!(sorted(read), expected, "{view}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 2 * view_names(&database.pool).await.len(), "no unfinished file stays");
}

#[tokio::test]
async fn an_export_is_cut_by_tenant_and_time_and_comes_in_order() {
    let (database, facts) = filled().await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("messages.parquet");
    let day = |ago: i64| {
        let at = DateTime::from_timestamp(crate::harness::inbox::now() - ago * 86_400, 0).expect("a time");
        at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
    };
    let (since, until) = (day(14), day(7));
    let [from, to] = [since, until].map(|at| at.format("%Y-%m-%d").to_string());
    let cut = ["--tenant", "acme", "--since", &from, "--until", &to];
    export(&database.url, "messages", "parquet", &file, &cut);
    let (names, read) = read_parquet(&file);
    let position = names.iter().position(|name| name == "position").expect("a column");
    let mut wanted: Vec<_> =
        facts.said.iter().filter(|said| (since.timestamp()..until.timestamp()).contains(&said.at)).collect();
    wanted.sort_by_key(|said| (said.at, said.position));
    let positions: Vec<String> = wanted.iter().map(|said| said.position.to_string()).collect();
    assert!(positions.len() > 20);
    assert_eq!(read.iter().map(|row| row[position].clone()).collect::<Vec<_>>(), positions);

    let days = folder.path().join("days.csv");
    export(&database.url, "messages_by_day", "csv", &days, &cut);
    let text = std::fs::read_to_string(&days).expect("the file");
    let first = format!(",acme,{from},");
    assert!(text.lines().nth(1).is_some_and(|line| line.contains(&first)) && !text.contains(&to), "{text}");
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused_in_words_and_leaves_no_file() {
    let database = database().await;
    let folder = TempDir::new().expect("a folder");
    let refused = |view: &str, file: &Path, more: &[&str], words: &str| {
        let file = file.to_string_lossy();
        let arguments = ["analytics", "export", view, "--format", "csv", "--output", &file];
        let output = chatledger(&database.url, &[&arguments, more].concat());
        assert!(!output.status.success() && said(&output).contains(words), "{view}: {}", said(&output));
    };
    let file = folder.path().join("a.csv");
    refused("nonsense", &file, &[], "there are: agent_load, assignment_events, chats");
    refused("messages; DROP TABLE x", &file, &[], "no view is called");
    refused("readers", &file, &[], "no view is called readers");
    refused("users", &file, &["--since", "2026-01-01"], "has no time");
    refused("messages", &file, &["--since", "yesterday"], "neither a day");
    refused("messages", &file, &["--tenant", "nobody"], "no tenant is called nobody");
    refused("messages", &folder.path().join("missing/a.csv"), &[], "cannot be written");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    let views = succeeded(&chatledger(&database.url, &["analytics", "views"]));
    assert!(views.lines().count() >= 16 && views.contains("Every message in either direction"), "{views}");
}

#[tokio::test]
async fn a_large_view_goes_out_in_pieces_with_progress() {
    let (database, _) = filled().await;
    let folder = TempDir::new().expect("a folder");
    // More rows than one group of Parquet holds.
    database
        .pool
        .execute(
            "INSERT INTO read_models.messages (tenant_id, message_id, wa_id, timestamp, position, from_us, is_failed,
                 kind, sent, delivered, read, payload, search)
             SELECT t.tenant_id, gen_random_uuid(), '351912000000', 1700000000 + n, 1000000 + n, false, false, 'text', 0,
                 0, 0, '{}', 'number ' || n
             FROM read_models.tenants t, generate_series(1, 60000) n WHERE t.slug = 'acme'",
        )
        .await
        .expect("rows");
    let file = folder.path().join("messages.parquet");
    let path = file.to_string_lossy();
    let arguments =
        ["analytics", "export", "messages", "--format", "parquet", "--output", &path, "--until", "2024-06-01"];
    let output = chatledger(&database.url, &arguments);
    assert!(succeeded(&output).contains("60000 row(s)"));
    let progress: Vec<Value> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["progress"] == "export")
        .collect();
    assert!(progress.len() >= 10 && progress.iter().all(|line| line["total"] == 60_000), "{progress:?}");
    assert!(progress.last().is_some_and(|line| line["rows_per_second"].is_number()));
    let reader = SerializedFileReader::new(File::open(&file).expect("the file")).expect("Parquet");
    assert_eq!(reader.num_row_groups(), 2);
    let (names, read) = read_parquet(&file);
    let at: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    for (n, row) in (1..).zip(&read) {
        assert_eq!((&*row[at["text_lower"]], &*row[at["is_failed"]]), (&*format!("number {n}"), "false"));
    }
}
