//! The values that views hold, as a file takes them.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

/// A column of a view.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The type of a column. Views keep to these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uuid,
    Text,
    Json,
    Integer,
    Boolean,
    Time,
    Date,
}

/// A value; `None` in its place is null.
pub(super) enum Value {
    Uuid(Uuid),
    /// Also JSON, as its own text.
    Text(String),
    Integer(i64),
    Boolean(bool),
    Time(DateTime<Utc>),
    Date(NaiveDate),
}

impl Kind {
    /// By the name that Postgres gives the type.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Uuid,
            "text" => Self::Text,
            "json" => Self::Json,
            "bigint" => Self::Integer,
            "boolean" => Self::Boolean,
            "timestamp with time zone" => Self::Time,
            "date" => Self::Date,
            _ => return None,
        })
    }

    pub(super) fn read(self, row: &PgRow, at: usize) -> Result<Option<Value>, sqlx::Error> {
        Ok(match self {
            Self::Uuid => row.try_get::<Option<_>, _>(at)?.map(Value::Uuid),
            Self::Text => row.try_get::<Option<_>, _>(at)?.map(Value::Text),
            // `json` comes over the wire as its own text, also where no tree can hold it.
            Self::Json => row.try_get_unchecked::<Option<_>, _>(at)?.map(Value::Text),
            Self::Integer => row.try_get::<Option<_>, _>(at)?.map(Value::Integer),
            Self::Boolean => row.try_get::<Option<_>, _>(at)?.map(Value::Boolean),
            Self::Time => row.try_get::<Option<_>, _>(at)?.map(Value::Time),
            Self::Date => row.try_get::<Option<_>, _>(at)?.map(Value::Date),
        })
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uuid(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
            Self::Integer(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::Time(value) => f.write_str(&value.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            Self::Date(value) => value.fmt(f),
        }
    }
}
