//! The tables of a generation: made beside the ones that answer, given their indexes when they are full, moved into
//! place, kept for a while, dropped.

use sqlx::{Connection, PgConnection, PgPool, Row};

use super::projection::{Early, Projection, Table};

/// Sessions that build find the tables of the new generation first, and those that are not built anew behind them.
const SEARCH_PATH: &str = "read_models_next, read_models";

/// Within a transaction: its statements find the tables that answer.
pub(super) const ANSWERING: &str = "SET LOCAL search_path = read_models";

/// A connection of its own for building: it may take as long as it needs, and loses nothing that matters in a crash,
/// for rows and cursor are lost together.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn builder(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut db = pool.acquire().await?.detach();
    sqlx::query("SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)")
        .bind([
            "search_path",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "synchronous_commit",
            "maintenance_work_mem",
        ])
        .bind([SEARCH_PATH, "0", "0", "off", "128MB"])
        .execute(&mut db)
        .await?;
    Ok(db)
}

/// Which read models are built together.
#[derive(Clone, Copy)]
pub(super) struct Generation<'a> {
    pub projections: &'a [&'static dyn Projection],
}

/// An index of a table that answers, as the statement that makes it on the table that is being built.
pub(super) struct Index {
    pub table: &'static str,
    pub name: String,
    statement: String,
}

impl Generation<'_> {
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.projections.iter().map(|projection| projection.name()).collect()
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &'static Table> {
        self.projections.iter().flat_map(|projection| projection.tables())
    }

    fn table_names(&self) -> Vec<&'static str> {
        self.tables().map(|table| table.name).collect()
    }

    /// Whether a rebuild of just these read models, by just this code, was begun and not ended.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn is_begun(&self, db: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let mut begun = unfinished(&mut *db).await?;
        let mut wanted = self.table_names();
        begun.sort_unstable();
        wanted.sort_unstable();
        if begun != wanted {
            return Ok(false);
        }
        let definitions: Vec<String> = self.projections.iter().map(|of| super::definition::of(*of)).collect();
        sqlx::query_scalar(
            "SELECT NOT EXISTS (
                 SELECT FROM read_models_next.cursors c
                 LEFT JOIN unnest($1::text[], $2::text[]) AS d (name, definition) ON d.name = c.projection
                 WHERE c.definition IS DISTINCT FROM d.definition)
             AND NOT EXISTS (
                 SELECT FROM unnest($3::text[]) AS t (name),
                     LATERAL ((SELECT attname, atttypid, attnotnull FROM pg_attribute
                         WHERE attrelid = ('read_models.' || t.name)::regclass AND attnum > 0 AND NOT attisdropped)
                     EXCEPT (SELECT attname, atttypid, attnotnull FROM pg_attribute
                         WHERE attrelid = ('read_models_next.' || t.name)::regclass AND attnum > 0)) missing)",
        )
        .bind(self.names())
        .bind(definitions)
        .bind(wanted)
        .fetch_one(db)
        .await
    }

    /// Makes the empty tables, with the indexes alone that folding needs. What another rebuild left is dropped.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn begin(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut tx = db.begin().await?;
        discard(&mut tx).await?;
        for table in self.tables() {
            let name = table.name;
            sqlx::query(&format!(
                "CREATE TABLE read_models_next.{name} (LIKE read_models.{name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS
                 INCLUDING STORAGE INCLUDING GENERATED INCLUDING COMMENTS)"
            ))
            .execute(&mut *tx)
            .await?;
            let rest: Vec<String> = sqlx::query_scalar(
                "SELECT format('ALTER TABLE read_models_next.%I SET (%s)', c.relname,
                     array_to_string(c.reloptions, ', ')) FROM pg_class c
                 WHERE c.oid = ('read_models.' || $1)::regclass AND c.reloptions IS NOT NULL
                 UNION ALL
                 SELECT format('COMMENT ON TABLE read_models_next.%I IS %L', $1, obj_description(c.oid, 'pg_class'))
                 FROM pg_class c WHERE c.oid = ('read_models.' || $1)::regclass",
            )
            .bind(name)
            .fetch_all(&mut *tx)
            .await?;
            for statement in rest {
                sqlx::query(&statement).execute(&mut *tx).await?;
            }
        }
        for index in self.missing(&mut tx).await? {
            let table = self.tables().find(|table| table.name == index.table);
            let early = table.is_some_and(|table| match table.early {
                Early::All => true,
                Early::Named(names) => names.contains(&index.name.as_str()),
            });
            if early {
                index.make(&mut tx).await?;
            }
        }
        tx.commit().await
    }

    /// The indexes that the tables do not have yet, the cheapest way to look a row up first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn missing(&self, db: &mut PgConnection) -> Result<Vec<Index>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT t.relname AS \"table\", x.relname AS name, CASE
                 WHEN k.oid IS NOT NULL THEN format('ALTER TABLE read_models_next.%I ADD CONSTRAINT %I %s', t.relname,
                     k.conname, pg_get_constraintdef(k.oid))
                 ELSE replace(pg_get_indexdef(x.oid), format(' ON read_models.%I ', t.relname),
                     format(' ON read_models_next.%I ', t.relname)) END AS statement
             FROM pg_index i
             JOIN pg_class t ON t.oid = i.indrelid AND t.relnamespace = 'read_models'::regnamespace
             JOIN pg_class x ON x.oid = i.indexrelid
             LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.contype IN ('p', 'u')
             WHERE t.relname = ANY($1) AND NOT EXISTS (SELECT FROM pg_class n
                 WHERE n.relnamespace = 'read_models_next'::regnamespace AND n.relname = x.relname)
             ORDER BY i.indisprimary DESC, t.relname, x.relname",
        )
        .bind(self.table_names())
        .fetch_all(db)
        .await?;
        let mut indexes = Vec::with_capacity(rows.len());
        for row in rows {
            let table: String = row.try_get("table")?;
            let table = self.tables().find(|known| known.name == table).map_or("", |known| known.name);
            indexes.push(Index { table, name: row.try_get("name")?, statement: row.try_get("statement")? });
        }
        Ok(indexes)
    }

    /// Gives tables the primary keys that they do not have yet.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn key(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        for index in self.missing(&mut *db).await? {
            if index.name == format!("{}_pkey", index.table) {
                index.make(&mut *db).await?;
            }
        }
        Ok(())
    }
}

impl Index {
    /// Makes it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn make(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(&self.statement).execute(db).await?;
        Ok(())
    }
}

/// The tables of a rebuild that was begun and not ended.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn unfinished(db: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    tables_of(db, "read_models_next", &["cursors", "counters"]).await
}

async fn tables_of(db: &mut PgConnection, schema: &str, but: &[&str]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = $1::regnamespace AND relkind = 'r' AND relname <> ALL($2)",
    )
    .bind(schema)
    .bind(but)
    .fetch_all(db)
    .await
}

/// Drops what a rebuild has built so far.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn discard(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    for table in unfinished(&mut *db).await? {
        sqlx::query(&format!("DROP TABLE read_models_next.\"{table}\"")).execute(&mut *db).await?;
    }
    sqlx::query("DELETE FROM read_models_next.counters").execute(&mut *db).await?;
    sqlx::query("DELETE FROM read_models_next.cursors").execute(db).await?;
    Ok(())
}

/// Drops generations that no longer answer, of all read models or of those whose tables are named; with `age`, only
/// if they have not answered for so many seconds. How many tables that were.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn drop_before(
    db: &mut PgConnection,
    only: Option<&[&str]>,
    age: Option<i64>,
) -> Result<usize, sqlx::Error> {
    let mut dropped = 0;
    for table in tables_of(&mut *db, "read_models_before", &["cursors"]).await? {
        let Some(projection) = super::ALL.iter().find(|of| of.tables().iter().any(|known| known.name == table)) else {
            continue;
        };
        if only.is_some_and(|only| !only.contains(&table.as_str())) {
            continue;
        }
        let kept: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM read_models_before.cursors
                 WHERE projection = $1 AND retired_at > now() - make_interval(secs => $2))",
        )
        .bind(projection.name())
        .bind(age.map_or(-1.0, |age| age as f64))
        .fetch_one(&mut *db)
        .await?;
        if age.is_some() && kept {
            continue;
        }
        sqlx::query(&format!("DROP TABLE read_models_before.\"{table}\"")).execute(&mut *db).await?;
        dropped += 1;
    }
    Ok(dropped)
}
