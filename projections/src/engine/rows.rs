//! New rows of a table, column by column, and the two ways in which they get there: one statement that is planned once
//! while live, `COPY` while a generation is built.

use chatledger_domain::TenantId;
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{copy::Copy, projection::Stage};

enum Column<'a> {
    Uuids(Vec<Option<Uuid>>),
    Texts(Vec<Option<&'a str>>),
    Jsons(Vec<Option<&'a str>>),
    Integers(Vec<Option<i64>>),
    Booleans(Vec<bool>),
}

impl<'a> Column<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Uuids(values) => values.len(),
            Self::Texts(values) | Self::Jsons(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Booleans(values) => values.len(),
        }
    }

    /// The type of the array that carries it. JSON travels as text and is cast where it is stored.
    fn array(&self) -> &'static str {
        match self {
            Self::Uuids(_) => "uuid[]",
            Self::Texts(_) | Self::Jsons(_) => "text[]",
            Self::Integers(_) => "bigint[]",
            Self::Booleans(_) => "boolean[]",
        }
    }

    fn copy(&self, row: usize, copy: &mut Copy) {
        match self {
            Self::Uuids(values) => copy.uuid(values[row]),
            Self::Texts(values) | Self::Jsons(values) => copy.text(values[row]),
            Self::Integers(values) => copy.integer(values[row]),
            Self::Booleans(values) => copy.boolean(values[row]),
        }
    }

    fn bind<'q>(&'q self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments>
    where
        'a: 'q,
    {
        match self {
            Self::Uuids(values) => query.bind(values),
            Self::Texts(values) | Self::Jsons(values) => query.bind(values),
            Self::Integers(values) => query.bind(values),
            Self::Booleans(values) => query.bind(values),
        }
    }
}

/// Rows that no stored row stands in the way of. Columns that are not named are null.
pub(crate) struct Rows<'a> {
    table: &'static str,
    columns: Vec<(&'static str, Column<'a>)>,
}

impl<'a> Rows<'a> {
    /// Of a table; every column that follows has a value for each row.
    pub(crate) fn of(table: &'static str) -> Self {
        Self { table, columns: Vec::new() }
    }

    fn with(mut self, name: &'static str, column: Column<'a>) -> Self {
        debug_assert!(self.columns.iter().all(|(_, other)| other.len() == column.len()), "{name} has another length");
        self.columns.push((name, column));
        self
    }

    /// A column of ids.
    pub(crate) fn uuids<T: Into<Option<Uuid>>>(self, name: &'static str, values: impl IntoIterator<Item = T>) -> Self {
        self.with(name, Column::Uuids(values.into_iter().map(Into::into).collect()))
    }

    /// A column of text without NUL.
    pub(crate) fn texts<T: Into<Option<&'a str>>>(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.with(name, Column::Texts(values.into_iter().map(Into::into).collect()))
    }

    /// A column of JSON, kept byte for byte.
    pub(crate) fn jsons<T: Into<Option<&'a str>>>(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.with(name, Column::Jsons(values.into_iter().map(Into::into).collect()))
    }

    /// A column of whole numbers.
    pub(crate) fn integers<T: Into<Option<i64>>>(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.with(name, Column::Integers(values.into_iter().map(Into::into).collect()))
    }

    /// A column of yes and no.
    pub(crate) fn booleans(self, name: &'static str, values: impl IntoIterator<Item = bool>) -> Self {
        self.with(name, Column::Booleans(values.into_iter().collect()))
    }

    fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Writes them.
    ///
    /// # Errors
    /// When the database refuses a value or cannot be reached.
    pub(crate) async fn insert(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        stage: Stage,
    ) -> Result<(), sqlx::Error> {
        if self.len() == 0 {
            return Ok(());
        }
        match stage {
            Stage::Live => self.insert_now(db, tenant).await,
            Stage::Building => self.copy(db, tenant).await,
        }
    }

    async fn insert_now(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        let sql = self.sql();
        let mut query = sqlx::query(&sql).bind(tenant.0);
        for (_, column) in &self.columns {
            query = column.bind(query);
        }
        query.execute(db).await?;
        Ok(())
    }

    fn sql(&self) -> String {
        let (mut names, mut values, mut arrays) = (String::new(), String::new(), String::new());
        for ((name, column), number) in self.columns.iter().zip(2..) {
            let cast = if matches!(column, Column::Jsons(_)) { "::json" } else { "" };
            names.push_str(&format!(", {name}"));
            values.push_str(&format!(", {name}{cast}"));
            arrays.push_str(&format!("{}${number}::{}", if number == 2 { "" } else { ", " }, column.array()));
        }
        let aliases = names.trim_start_matches(", ");
        let table = self.table;
        format!("INSERT INTO {table} (tenant_id{names}) SELECT $1{values} FROM unnest({arrays}) AS u ({aliases})")
    }

    async fn copy(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let mut copy = Copy::begin(db, self.table, &names).await?;
        for row in 0..self.len() {
            copy.row();
            copy.uuid(Some(tenant.0));
            for (_, column) in &self.columns {
                column.copy(row, &mut copy);
            }
            copy.send_some().await?;
        }
        copy.finish().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_cast_where_it_is_stored() {
        let rows = Rows::of("t").texts("a", [Some("x")]).jsons("b", [None]).integers("c", [1]);
        assert_eq!(
            rows.sql(),
            "INSERT INTO t (tenant_id, a, b, c) SELECT $1, a, b::json, c \
             FROM unnest($2::text[], $3::text[], $4::bigint[]) AS u (a, b, c)"
        );
    }
}
