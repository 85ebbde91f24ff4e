//! Both generations at one moment, row by row.

use std::{collections::HashMap, time::Duration};

use chatledger_domain::TenantId;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{Progress, Rebuild, RebuildError, Step, swap::hold};
use crate::{engine::generation::builder, unavailable};

/// So many differing rows of a table are shown.
const SHOWN: i64 = 3;

/// A table of a tenant that is not the same in both generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The tenant.
    pub tenant: TenantId,
    /// Rows in the generation that answers.
    pub live: i64,
    /// Rows in the new one.
    pub rebuilt: i64,
    /// A few rows that only one of them has: `-` of the one that answers, `+` of the new one.
    pub examples: Vec<String>,
}

/// In a few words, without anybody's data.
pub(super) fn words(differences: &[Difference]) -> String {
    let word = |of: &Difference| format!("{} of tenant {} ({} and {} rows)", of.table, of.tenant, of.live, of.rebuilt);
    differences.iter().map(word).collect::<Vec<_>>().join(", ")
}

impl Rebuild<'_> {
    /// Where they differ, in all ledgers in which the generation that answers is in step. Live projection is held up
    /// only while a common moment is found.
    pub(super) async fn compare(
        &self,
        db: &mut PgConnection,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Vec<Difference>, RebuildError> {
        let mut guard = builder(self.pool).await.map_err(unavailable)?;
        let mut reader = builder(self.pool).await.map_err(unavailable)?;
        loop {
            // While this is held, live projection writes nothing; what is folded meanwhile is seen by the reader.
            let mut held = guard.begin().await.map_err(unavailable)?;
            let mut tx = db.begin().await.map_err(unavailable)?;
            if hold(&mut held).await? && self.close_gap(&mut tx).await? {
                tx.commit().await.map_err(unavailable)?;
                begin_look(&mut reader).await.map_err(unavailable)?;
                held.rollback().await.map_err(unavailable)?;
                break;
            }
            tx.rollback().await.map_err(unavailable)?;
            held.rollback().await.map_err(unavailable)?;
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.catch_up(db, &mut |_| {}).await?;
        }
        let differences = self.look(&mut reader, progress).await.map_err(unavailable);
        guard.close().await.map_err(unavailable)?;
        reader.close().await.map_err(unavailable)?;
        Ok(differences?)
    }

    async fn look(
        &self,
        db: &mut PgConnection,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Vec<Difference>, sqlx::Error> {
        let in_step: Vec<Uuid> = sqlx::query_scalar(
            "SELECT n.tenant_id FROM read_models_next.cursors n
             LEFT JOIN read_models.cursors c USING (tenant_id, projection)
             GROUP BY n.tenant_id HAVING bool_and(n.position IS NOT DISTINCT FROM c.position)",
        )
        .fetch_all(&mut *db)
        .await?;
        let tables = self.tables();
        let total = i64::try_from(tables.len()).unwrap_or_default();
        let mut differences = Vec::new();
        for (table, done) in tables.into_iter().zip(0..) {
            progress(Progress { step: Step::Compare, done, total });
            let live = sums(db, "read_models", table, &in_step).await?;
            let rebuilt = sums(db, "read_models_next", table, &in_step).await?;
            for tenant in &in_step {
                let (live, rebuilt) = (live.get(tenant), rebuilt.get(tenant));
                if live != rebuilt {
                    let rows = |sum: Option<&(i64, String)>| sum.map_or(0, |(rows, _)| *rows);
                    let (tenant, live, rebuilt) = (TenantId(*tenant), rows(live), rows(rebuilt));
                    let examples = examples(db, table, tenant).await?;
                    differences.push(Difference { table, tenant, live, rebuilt, examples });
                }
            }
        }
        progress(Progress { step: Step::Compare, done: total, total });
        Ok(differences)
    }
}

/// From here on the reader sees everything as it is now.
async fn begin_look(reader: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "SET enable_seqscan = on",
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SELECT FROM read_models.cursors LIMIT 1",
    ] {
        sqlx::query(statement).execute(&mut *reader).await?;
    }
    Ok(())
}

/// Rows and a sum of their hashes, whatever their order, by tenant.
async fn sums(
    db: &mut PgConnection,
    schema: &str,
    table: &str,
    tenants: &[Uuid],
) -> Result<HashMap<Uuid, (i64, String)>, sqlx::Error> {
    let sql = format!(
        "SELECT tenant_id, count(*), sum(hashtextextended(t::text, 0))::text FROM {schema}.{table} t
         WHERE tenant_id = ANY($1) GROUP BY tenant_id"
    );
    let rows: Vec<(Uuid, i64, String)> = sqlx::query_as(&sql).bind(tenants).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(tenant, rows, sum)| (tenant, (rows, sum))).collect())
}

/// A few rows that only one of them has, by their keys.
async fn examples(db: &mut PgConnection, table: &str, tenant: TenantId) -> Result<Vec<String>, sqlx::Error> {
    let key: Vec<String> = sqlx::query_scalar(
        "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indisprimary AND i.indrelid = ('read_models.' || $1)::regclass AND a.attname <> 'tenant_id'
         ORDER BY a.attnum",
    )
    .bind(table)
    .fetch_all(&mut *db)
    .await?;
    let key = if key.is_empty() { "'the row'".to_owned() } else { format!("concat_ws('/', {})", key.join(", ")) };
    let only = |sign: &str, of: &str, not: &str| {
        format!(
            "(SELECT '{sign}' || {key} FROM (SELECT * FROM {of}.{table} WHERE tenant_id = $1) t
              WHERE t::text NOT IN (SELECT o::text FROM {not}.{table} o WHERE tenant_id = $1) LIMIT {SHOWN})"
        )
    };
    let sql = format!(
        "{} UNION ALL {}",
        only("-", "read_models", "read_models_next"),
        only("+", "read_models_next", "read_models")
    );
    sqlx::query_scalar(&sql).bind(tenant.0).fetch_all(db).await
}
