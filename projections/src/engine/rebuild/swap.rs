//! The last part of a rebuild: the new generation meets the one that answers, and takes its place.

use std::{collections::HashMap, time::Duration};

use chatledger_application::ports::{Unavailable, ledger::Recorded};
use chatledger_domain::{Position, TenantId};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{Comparison, Progress, Rebuild, RebuildError, Step, from_ledger, poison};
use crate::{
    engine::{
        definition,
        projection::{Batch, Stage},
    },
    unavailable,
};

/// Events that are folded in one transaction while catching up.
const PAGE: i64 = 2_000;
/// So few events are folded while live projection waits.
const NEAR: i64 = 500;
/// Who reads a table may hold up the change of places, and be held up by it, for so long; then it is tried again.
const PATIENCE: &str = "100ms";
/// However many tables there are, those who read one of them are held up no longer in all.
const PATIENCE_IN_ALL: &str = "300ms";
/// Postgres' own upkeep of a table gives way to somebody who waits for a second.
const UPKEEP: &str = "5s";
/// So often it is tried, half a second apart.
const ATTEMPTS: i64 = 1_200;

/// Positions by tenant and read model.
type Positions = HashMap<TenantId, HashMap<String, i64>>;

impl Rebuild<'_> {
    /// Folds what came meanwhile, until the rest is small.
    pub(super) async fn catch_up(
        &self,
        db: &mut PgConnection,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<(), RebuildError> {
        let (mut done, mut first) = (0, None);
        loop {
            let gaps = self.gaps(db).await?;
            let left: i64 = gaps.iter().map(|(_, from, to)| to - from).sum();
            let total = *first.get_or_insert(left);
            progress(Progress { step: Step::CatchUp, done, total: total.max(done + left) });
            if left <= NEAR {
                return Ok(());
            }
            for (tenant, from, to) in gaps {
                let mut position = from;
                while position < to {
                    let mut tx = db.begin().await.map_err(unavailable)?;
                    let page = (to - position).min(PAGE);
                    position = self.step(&mut tx, tenant, position, page).await?;
                    tx.commit().await.map_err(unavailable)?;
                }
                done += to - from;
            }
        }
    }

    /// Each ledger in which the new generation is behind, from where to where.
    async fn gaps(&self, db: &mut PgConnection) -> Result<Vec<(TenantId, i64, i64)>, RebuildError> {
        let live = positions(db, "read_models.cursors").await.map_err(unavailable)?;
        let next = positions(db, "read_models_next.cursors").await.map_err(unavailable)?;
        let gap = |(tenant, live): (&TenantId, &HashMap<String, i64>)| {
            let from = next.get(tenant).and_then(|next| next.values().copied().min()).unwrap_or_default();
            let to = self.target(live);
            (from < to).then_some((*tenant, from, to))
        };
        Ok(live.iter().filter_map(gap).collect())
    }

    /// Folds some events into the new generation as they are folded while live: the position that is reached.
    async fn step(&self, db: &mut PgConnection, tenant: TenantId, from: i64, limit: i64) -> Result<i64, RebuildError> {
        let events = self.ledger.read(tenant, Position(from), limit).await.map_err(from_ledger)?;
        let events: Vec<&Recorded> = events.iter().collect();
        let end = events.last().map_or(from + limit, |event| event.position.0);
        let batch = Batch { tenant, events, stage: Stage::Live };
        for projection in self.generation.projections {
            let mut trial = db.begin().await.map_err(unavailable)?;
            if let Err(error) = projection.apply(&mut trial, &batch).await {
                trial.rollback().await.map_err(unavailable)?;
                return Err(poison(db, *projection, &batch, error).await?);
            }
            trial.commit().await.map_err(unavailable)?;
        }
        let definitions: Vec<String> = self.generation.projections.iter().map(|of| definition::of(*of)).collect();
        sqlx::query(
            "INSERT INTO read_models_next.cursors AS c (tenant_id, projection, position, definition, complete)
             SELECT $1, name, $4, definition, true FROM unnest($2::text[], $3::text[]) AS n (name, definition)
             ON CONFLICT (tenant_id, projection) DO UPDATE SET position = excluded.position",
        )
        .bind(tenant.0)
        .bind(self.generation.names())
        .bind(definitions)
        .bind(end)
        .execute(db)
        .await
        .map_err(unavailable)?;
        Ok(end)
    }

    /// Folds the last events while live projection is held up. `false`: there are too many left.
    pub(super) async fn close_gap(&self, tx: &mut PgConnection) -> Result<bool, RebuildError> {
        let gaps = self.gaps(tx).await?;
        if gaps.iter().map(|(_, from, to)| to - from).sum::<i64>() > 4 * NEAR {
            return Ok(false);
        }
        for (tenant, from, to) in gaps {
            let mut position = from;
            while position < to {
                position = self.step(tx, tenant, position, to - position).await?;
            }
        }
        Ok(true)
    }

    /// Lets both generations change places.
    pub(super) async fn swap(
        &self,
        db: &mut PgConnection,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<(), RebuildError> {
        for attempt in 0..ATTEMPTS {
            progress(Progress { step: Step::Swap, done: attempt, total: attempt + 1 });
            let mut tx = db.begin().await.map_err(unavailable)?;
            if self.keep_upkeep_out(&mut tx).await?
                && hold(&mut tx).await?
                && self.close_gap(&mut tx).await?
                && self.move_all(&mut tx).await?
            {
                tx.commit().await.map_err(unavailable)?;
                return Ok(());
            }
            tx.rollback().await.map_err(unavailable)?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            self.catch_up(db, &mut |_| {}).await?;
        }
        let why = "somebody reads its tables all the time; look for long queries in pg_stat_activity";
        Err(Unavailable::new("the read model", why).into())
    }

    /// Keeps Postgres' own upkeep away from the tables until the transaction ends: it would hold a table for long, and
    /// those who wait for the table with us would be held up. This lock itself holds up neither readers nor writers.
    async fn keep_upkeep_out(&self, tx: &mut PgConnection) -> Result<bool, RebuildError> {
        set_local(tx, "lock_timeout", UPKEEP).await?;
        for schema in ["read_models", "read_models_next"] {
            let names: Vec<String> = self.tables().iter().map(|table| format!("{schema}.{table}")).collect();
            let lock = format!("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE", names.join(", "));
            if !got(sqlx::query(&lock).execute(&mut *tx).await)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tables, counts and cursors. `false`: somebody reads a table and does not end.
    async fn move_all(&self, tx: &mut PgConnection) -> Result<bool, RebuildError> {
        let tables = self.tables();
        let names: Vec<String> = tables.iter().map(|table| format!("read_models.{table}")).collect();
        let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "));
        // One table is waited for after the other, and who reads the first waits until the last is got.
        set_local(tx, "statement_timeout", PATIENCE_IN_ALL).await?;
        if !got(sqlx::query(&lock).execute(&mut *tx).await)? {
            return Ok(false);
        }
        set_local(tx, "statement_timeout", "0").await?;
        move_tables(tx, &tables).await.map_err(unavailable)?;
        let names = self.generation.names();
        move_cursors(tx, &names).await.map_err(unavailable)?;
        forget(tx, &tables, &names).await.map_err(unavailable)?;
        Ok(true)
    }

    /// Drops the new generation again. Where it is as the other, this program could have built that one: that holds for
    /// the ledgers alone that were compared.
    pub(super) async fn discard(&self, db: &mut PgConnection, comparison: &Comparison) -> Result<(), RebuildError> {
        let mut tx = db.begin().await.map_err(unavailable)?;
        if comparison.differences.is_empty() {
            let definitions: Vec<String> = self.generation.projections.iter().map(|of| definition::of(*of)).collect();
            sqlx::query(
                "UPDATE read_models.cursors c SET definition = d.definition
                 FROM unnest($1::text[], $2::text[]) AS d (name, definition)
                 WHERE c.projection = d.name AND c.definition IS DISTINCT FROM d.definition AND c.tenant_id = ANY($3)",
            )
            .bind(self.generation.names())
            .bind(definitions)
            .bind(&comparison.compared)
            .execute(&mut *tx)
            .await
            .map_err(unavailable)?;
        }
        crate::engine::generation::discard(&mut tx).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)?;
        Ok(())
    }
}

/// Holds up live projection, of all tenants, until the transaction ends. `false`: it could not be held up.
pub(super) async fn hold(tx: &mut PgConnection) -> Result<bool, RebuildError> {
    set_local(tx, "lock_timeout", PATIENCE).await?;
    got(sqlx::query("LOCK TABLE read_models.cursors IN SHARE ROW EXCLUSIVE MODE").execute(tx).await)
}

async fn set_local(tx: &mut PgConnection, setting: &str, value: &str) -> Result<(), RebuildError> {
    let set = format!("SET LOCAL {setting} = '{value}'");
    sqlx::query(&set).execute(tx).await.map_err(unavailable)?;
    Ok(())
}

/// Whether a lock was got; `false` where somebody holds it too long, or holds it and waits for us.
fn got<T>(result: Result<T, sqlx::Error>) -> Result<bool, RebuildError> {
    // Not available in time, deadlock, statement out of time.
    const NOT_GOT: [&str; 3] = ["55P03", "40P01", "57014"];
    match result {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| NOT_GOT.contains(&&*code)) => Ok(false),
        Err(error) => Err(unavailable(error).into()),
    }
}

async fn positions(db: &mut PgConnection, cursors: &str) -> Result<Positions, sqlx::Error> {
    let rows: Vec<(Uuid, String, i64)> =
        sqlx::query_as(&format!("SELECT tenant_id, projection, position FROM {cursors}")).fetch_all(db).await?;
    let mut positions = Positions::new();
    for (tenant, projection, position) in rows {
        positions.entry(TenantId(tenant)).or_default().insert(projection, position);
    }
    Ok(positions)
}

/// The tables that answer become those before, the new ones answer: with the rights, policies and views of the others.
async fn move_tables(tx: &mut PgConnection, tables: &[&str]) -> Result<(), sqlx::Error> {
    // Views name tables by their identity, so they are made again from their text, which names them by name.
    let views: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT format('CREATE OR REPLACE VIEW %s %s AS %s', v.oid::regclass,
             coalesce('WITH (' || array_to_string(v.reloptions, ', ') || ')', ''), pg_get_viewdef(v.oid))
         FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
         WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND v.relkind = 'v'
             AND d.refobjid = ANY (SELECT ('read_models.' || name)::regclass FROM unnest($1::text[]) AS t (name))",
    )
    .bind(tables)
    .fetch_all(with_whole_names(tx).await?)
    .await?;
    for table in tables {
        let rights: Vec<String> = sqlx::query_scalar(
            "SELECT format('GRANT %s ON read_models.%I TO %s', a.privilege_type, c.relname,
                 CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
             FROM pg_class c, LATERAL aclexplode(c.relacl) a
             WHERE c.oid = ('read_models.' || $1)::regclass AND a.grantee <> c.relowner",
        )
        .bind(table)
        .fetch_all(&mut *tx)
        .await?;
        for statement in [
            format!("ALTER TABLE read_models.{table} SET SCHEMA read_models_before"),
            format!("ALTER TABLE read_models_next.{table} SET SCHEMA read_models"),
        ]
        .into_iter()
        .chain(rights)
        {
            sqlx::query(&statement).execute(&mut *tx).await?;
        }
    }
    for view in views {
        sqlx::query(&view).execute(&mut *tx).await?;
    }
    // Row by row, readers see their own tenant's alone, as before.
    sqlx::query("SELECT read_models.protect()").execute(tx).await?;
    Ok(())
}

/// Within this transaction, whatever Postgres says of a table says its schema as well.
async fn with_whole_names(tx: &mut PgConnection) -> Result<&mut PgConnection, sqlx::Error> {
    sqlx::query("SET LOCAL search_path = pg_catalog").execute(&mut *tx).await?;
    Ok(tx)
}

/// What answered until now and had not come to where somebody was forgotten does not come there any more.
async fn forget(tx: &mut PgConnection, tables: &[&str], names: &[&str]) -> Result<(), sqlx::Error> {
    let behind: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT b.tenant_id FROM read_models_before.cursors b WHERE b.projection = ANY($1) AND EXISTS (
             SELECT FROM ledger.events e WHERE e.tenant_id = b.tenant_id AND e.position > b.position
                 AND e.event_type = 'ContactErased')",
    )
    .bind(names)
    .fetch_all(&mut *tx)
    .await?;
    if behind.is_empty() {
        return Ok(());
    }
    for table in tables {
        let sql = format!("DELETE FROM read_models_before.{table} WHERE tenant_id = ANY($1)");
        sqlx::query(&sql).bind(&behind).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn move_cursors(tx: &mut PgConnection, names: &[&str]) -> Result<(), sqlx::Error> {
    for statement in [
        "DELETE FROM read_models_before.cursors WHERE projection = ANY($1)",
        "INSERT INTO read_models_before.cursors (tenant_id, projection, generation, position)
         SELECT tenant_id, projection, generation, position FROM read_models.cursors WHERE projection = ANY($1)",
        "INSERT INTO read_models.cursors AS c (tenant_id, projection, generation, position, definition)
         SELECT n.tenant_id, n.projection, 1 + coalesce((SELECT max(o.generation) FROM read_models.cursors o
             WHERE o.projection = n.projection), 0), n.position, n.definition
         FROM read_models_next.cursors n WHERE n.projection = ANY($1)
         ON CONFLICT (tenant_id, projection) DO UPDATE SET generation = excluded.generation,
             position = excluded.position, definition = excluded.definition, parked = 0",
        "DELETE FROM read_models.parked WHERE projection = ANY($1)",
        "DELETE FROM read_models.counters WHERE split_part(projection, ':', 1) = ANY($1)",
        "INSERT INTO read_models.counters SELECT * FROM read_models_next.counters
         WHERE split_part(projection, ':', 1) = ANY($1)",
        "DELETE FROM read_models_next.counters WHERE split_part(projection, ':', 1) = ANY($1)",
        "DELETE FROM read_models_next.cursors WHERE projection = ANY($1)",
    ] {
        sqlx::query(statement).bind(names).execute(&mut *tx).await?;
    }
    Ok(())
}
