//! A view as a file: read row by row and written row by row, so that memory does not grow with it.

mod parquet;
mod sheet;
mod value;

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection, PgPool};

use self::{
    sheet::Sheet,
    value::{Column, Kind},
};
use super::AnalyticsError;

/// The columns that say when something happened; the first that a view has is the one to cut by.
const TIMES: [&str; 8] =
    ["occurred_at", "asked_at", "tagged_at", "last_message_at", "hour", "day", "week", "last_written_at"];

/// What the file is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180: commas, CRLF, a line of names. Null is an empty field; times are RFC 3339 in UTC.
    Csv,
    /// Apache Parquet, compressed with Snappy.
    Parquet,
}

/// What is exported.
pub struct Export<'a> {
    /// The view's name.
    pub view: &'a str,
    /// What the file is like.
    pub format: Format,
    /// Where it goes. Appears under this name when it is whole.
    pub file: &'a Path,
    /// Only this tenant's rows, by its short name.
    pub tenant: Option<&'a str>,
    /// Only what happened at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only what happened before this time.
    pub until: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// How many rows.
    pub rows: i64,
    /// How large the file is.
    pub bytes: u64,
}

/// A view, to be listed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub comment: String,
}

/// All views.
///
/// # Errors
/// When the database fails.
pub async fn views(pool: &PgPool) -> Result<Vec<View>, AnalyticsError> {
    let sql = "SELECT c.relname::text AS name, coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
                 FROM pg_class c WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v' ORDER BY 1";
    Ok(sqlx::query_as(sql).fetch_all(pool).await?)
}

/// Writes a view to a file. All of it is as of one moment, however long it takes.
///
/// # Errors
/// When there is no such view, it has no time to cut by, or database or file fail. Then there is no file.
pub async fn export(
    pool: &PgPool,
    url: &str,
    export: &Export<'_>,
    mut progress: impl FnMut(i64, i64),
) -> Result<Exported, AnalyticsError> {
    let known: Vec<String> = views(pool).await?.into_iter().map(|view| view.name).collect();
    if !known.iter().any(|name| name == export.view) {
        return Err(AnalyticsError::UnknownView { view: export.view.to_owned(), known });
    }
    let columns = columns(pool, export.view).await?;
    let question = Question::new(export, &columns)?;
    // A connection of its own: this may take longer than ordinary statements are allowed to.
    let mut connection = PgConnection::connect(url).await?;
    let unfinished = PathBuf::from(format!("{}.part", export.file.display()));
    let written = question.write(&mut connection, export, &columns, &unfinished, &mut progress).await;
    let named = written.and_then(|rows| {
        let named = fs::rename(&unfinished, export.file).and_then(|()| fs::metadata(export.file));
        let bytes = named.map_err(|source| at(export.file, source))?.len();
        Ok(Exported { rows, bytes })
    });
    if named.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(&unfinished);
    }
    // What a closed connection cannot do any more is done already.
    let _ = connection.close().await;
    named
}

async fn columns(pool: &PgPool, view: &str) -> Result<Vec<Column>, AnalyticsError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          WHERE c.relnamespace = 'analytics'::regnamespace AND c.relname = $1 AND a.attnum > 0 AND NOT a.attisdropped
          ORDER BY a.attnum",
    )
    .bind(view)
    .fetch_all(pool)
    .await?;
    let column = |(name, kind): (String, String)| {
        let unknown = || AnalyticsError::Format(format!("the column {name} is of type {kind}").into());
        Ok(Column { kind: Kind::of(&kind).ok_or_else(unknown)?, name })
    };
    rows.into_iter().map(column).collect()
}

/// What is asked of the view.
struct Question {
    filter: String,
    order: String,
}

impl Question {
    fn new(export: &Export<'_>, columns: &[Column]) -> Result<Self, AnalyticsError> {
        let has = |name: &&str| columns.iter().any(|column| column.name == **name);
        let time = TIMES.iter().copied().find(|name| has(name));
        let is_cut = export.since.is_some() || export.until.is_some();
        let moment = match time {
            None if is_cut => return Err(AnalyticsError::Timeless(export.view.to_owned())),
            None => "NULL::timestamptz".to_owned(),
            Some(name @ ("day" | "week")) => format!("({name}::timestamp AT TIME ZONE 'UTC')"),
            Some(name) => name.to_owned(),
        };
        let filter = format!(
            "($1::text IS NULL OR tenant = $1) AND ($2::timestamptz IS NULL OR {moment} >= $2) \
             AND ($3::timestamptz IS NULL OR {moment} < $3)"
        );
        let position = Some("position").filter(|name| has(name));
        let third = columns.get(2).map(|column| column.name.as_str());
        let order = ["tenant"].into_iter().chain(time).chain(position).chain(third).collect::<Vec<_>>().join(", ");
        Ok(Self { filter, order })
    }

    /// How many rows.
    async fn write(
        &self,
        connection: &mut PgConnection,
        export: &Export<'_>,
        columns: &[Column],
        file: &Path,
        progress: &mut impl FnMut(i64, i64),
    ) -> Result<i64, AnalyticsError> {
        sqlx::raw_sql("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET jit = off")
            .execute(&mut *connection)
            .await?;
        let mut tx = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let Self { filter, order } = self;
        let count = format!("SELECT count(*) FROM analytics.{} WHERE {filter}", export.view);
        let total: i64 = sqlx::query_scalar(&count)
            .bind(export.tenant)
            .bind(export.since)
            .bind(export.until)
            .fetch_one(&mut *tx)
            .await?;
        let mut sheet = Sheet::create(export.format, export.view, columns, file)?;
        let sql = format!("SELECT * FROM analytics.{} WHERE {filter} ORDER BY {order}", export.view);
        let mut rows = sqlx::query(&sql).bind(export.tenant).bind(export.since).bind(export.until).fetch(&mut *tx);
        let mut done = 0;
        progress(done, total);
        while let Some(row) = rows.try_next().await? {
            let values = columns.iter().enumerate().map(|(at, column)| column.kind.read(&row, at));
            sheet.row(&values.collect::<Result<Vec<_>, _>>()?)?;
            done += 1;
            if done % 1_000 == 0 {
                progress(done, total);
            }
        }
        sheet.finish()?;
        progress(done, total);
        Ok(done)
    }
}

fn at(file: &Path, source: std::io::Error) -> AnalyticsError {
    AnalyticsError::File { file: file.display().to_string(), source }
}
