//! How far each read model of each tenant is, and which streams it has parked.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chatledger_application::ports::{Unavailable, ledger::Ledger, ledger::Recorded};
use chatledger_domain::{Position, TenantId};
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::{names, projection::Projection};
use crate::unavailable;

/// The built copy that answers.
pub(super) const GENERATION: i32 = 1;

/// Streams by type and id.
pub(super) type Streams = HashSet<(String, String)>;

/// One tenant's cursors, in the order of all projections, and its parked streams.
#[derive(Clone, Debug)]
pub(super) struct Cursors {
    pub positions: Vec<i64>,
    pub parked: HashMap<String, Streams>,
}

impl Cursors {
    /// Reads them, made where they are missing.
    pub(super) async fn load(db: &mut PgConnection, tenant: TenantId) -> Result<Self, sqlx::Error> {
        let mut found = read(&mut *db, tenant, "").await?;
        if names().iter().any(|name| !found.contains_key(*name)) {
            make(&mut *db, tenant).await?;
            found = read(&mut *db, tenant, "").await?;
        }
        Ok(Self { positions: in_order(&found), parked: parked(db, tenant).await? })
    }

    /// The position that every read model has passed.
    pub(super) fn lowest(&self) -> i64 {
        self.positions.iter().copied().min().unwrap_or_default()
    }
}

/// Reads and locks all cursors of a tenant: nobody applies anything to it until the transaction ends.
pub(super) async fn lock(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<i64>, sqlx::Error> {
    make(&mut *db, tenant).await?;
    Ok(in_order(&read(db, tenant, "FOR UPDATE").await?))
}

fn in_order(found: &HashMap<String, i64>) -> Vec<i64> {
    names().iter().map(|name| found.get(*name).copied().unwrap_or_default()).collect()
}

async fn make(db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO read_models.cursors (tenant_id, projection, generation, position)
         SELECT $1, name, $3, 0 FROM unnest($2::text[]) AS name ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(names())
    .bind(GENERATION)
    .execute(db)
    .await?;
    Ok(())
}

async fn read(db: &mut PgConnection, tenant: TenantId, lock: &str) -> Result<HashMap<String, i64>, sqlx::Error> {
    let sql = format!(
        "SELECT projection, position FROM read_models.cursors WHERE tenant_id = $1 AND generation = $2
         ORDER BY projection {lock}"
    );
    let rows = sqlx::query_as(&sql).bind(tenant.0).bind(GENERATION).fetch_all(db).await?;
    Ok(rows.into_iter().collect())
}

/// The parked streams of a tenant, by projection.
pub(super) async fn parked(db: &mut PgConnection, tenant: TenantId) -> Result<HashMap<String, Streams>, sqlx::Error> {
    let sql = "SELECT projection, aggregate_type, aggregate_id FROM read_models.parked WHERE tenant_id = $1";
    let mut parked: HashMap<String, Streams> = HashMap::new();
    for (projection, kind, id) in sqlx::query_as(sql).bind(tenant.0).fetch_all(db).await? {
        let streams: &mut Streams = parked.entry(projection).or_default();
        streams.insert((kind, id));
    }
    Ok(parked)
}

/// Moves cursors that all stand at one position, and holds them until the transaction ends. `false`: somebody else
/// has moved one of them; the transaction must be given up.
pub(super) async fn advance(
    db: &mut PgConnection,
    tenant: TenantId,
    projections: &[&dyn Projection],
    from: i64,
    to: i64,
) -> Result<bool, sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|projection| projection.name()).collect();
    // Rows and cursors go down together in a crash and are applied again from the ledger, which is durable: so this
    // transaction need not wait for the disk.
    let moved = sqlx::query(
        "WITH unhurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
         UPDATE read_models.cursors SET position = $5 FROM unhurried
         WHERE tenant_id = $1 AND projection = ANY($2) AND generation = $3 AND position = $4",
    )
    .bind(tenant.0)
    .bind(&names)
    .bind(GENERATION)
    .bind(from)
    .bind(to)
    .execute(db)
    .await?;
    Ok(usize::try_from(moved.rows_affected()).is_ok_and(|moved| moved == names.len()))
}

/// Moves cursors that the transaction holds.
pub(super) async fn place(
    db: &mut PgConnection,
    tenant: TenantId,
    projections: &[&dyn Projection],
    at: i64,
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|projection| projection.name()).collect();
    sqlx::query(
        "UPDATE read_models.cursors SET position = $4
         WHERE tenant_id = $1 AND projection = ANY($2) AND generation = $3",
    )
    .bind(tenant.0)
    .bind(names)
    .bind(GENERATION)
    .bind(at)
    .execute(db)
    .await?;
    Ok(())
}

/// Leaves an event's stream out of a projection from now on.
pub(super) async fn park(
    db: &mut PgConnection,
    projection: &str,
    event: &Recorded,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO read_models.parked (tenant_id, projection, aggregate_type, aggregate_id, position, error)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(event.tenant.0)
    .bind(projection)
    .bind(event.stream.aggregate_type)
    .bind(event.stream.aggregate_id.as_str())
    .bind(event.position.0)
    .bind(error.replace('\0', ""))
    .execute(db)
    .await?;
    Ok(())
}

/// The position that every read model of a tenant has passed, as the database knows it.
pub(crate) async fn applied(pool: &PgPool, tenant: TenantId) -> Result<i64, sqlx::Error> {
    let mut db = pool.acquire().await?;
    let found = read(&mut db, tenant, "").await?;
    Ok(in_order(&found).into_iter().min().unwrap_or_default())
}

/// How far one read model is for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The read model.
    pub projection: &'static str,
    /// The tenant.
    pub tenant: TenantId,
    /// The newest position that it has folded.
    pub position: Position,
    /// The ledger's newest position.
    pub head: Position,
    /// How many streams it has parked.
    pub parked: i64,
}

/// How far every read model is for every tenant.
///
/// # Errors
/// When the database or the ledger cannot be reached.
pub async fn lag(pool: &PgPool, ledger: &Arc<dyn Ledger>) -> Result<Vec<Lag>, Unavailable> {
    let heads = ledger.heads().await.map_err(|error| Unavailable::new("the ledger", error))?;
    let tenants: Vec<Uuid> = heads.iter().map(|(tenant, _)| tenant.0).collect();
    let rows = sqlx::query(
        "SELECT c.tenant_id, c.projection, c.position, (SELECT count(*) FROM read_models.parked p
             WHERE p.tenant_id = c.tenant_id AND p.projection = c.projection) AS parked
         FROM read_models.cursors c WHERE c.tenant_id = ANY($1) AND c.generation = $2",
    )
    .bind(tenants)
    .bind(GENERATION)
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let mut found: HashMap<(Uuid, String), (i64, i64)> = HashMap::new();
    for row in rows {
        let read = || -> Result<_, sqlx::Error> {
            let key = (row.try_get("tenant_id")?, row.try_get("projection")?);
            Ok((key, (row.try_get("position")?, row.try_get("parked")?)))
        };
        let (key, value) = read().map_err(unavailable)?;
        found.insert(key, value);
    }
    let mut lags = Vec::new();
    for (tenant, head) in heads {
        for projection in names() {
            let (position, parked) = found.get(&(tenant.0, projection.to_owned())).copied().unwrap_or_default();
            lags.push(Lag { projection, tenant, position: Position(position), head, parked });
        }
    }
    Ok(lags)
}
