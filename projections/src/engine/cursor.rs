//! How far each read model of each tenant is, and which streams it has parked.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chatledger_application::ports::{Unavailable, ledger::Ledger, ledger::Recorded};
use chatledger_domain::{Position, TenantId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    ALL, definition, names,
    projection::{COUNTING, Projection},
};
use crate::unavailable;

/// A read model further than this behind where most of a tenant's are catches up by itself, and nobody waits for it.
const NEAR: i64 = 2_000;

/// Streams by type and id.
pub(super) type Streams = HashSet<(String, String)>;

/// Parked streams by read model.
pub(super) type Parked = HashMap<String, Streams>;

/// One tenant's cursors, in the order of all projections.
#[derive(Clone, Debug)]
pub(super) struct Cursors {
    pub positions: Vec<i64>,
}

impl Cursors {
    /// Reads them, made where they are missing.
    pub(super) async fn load(db: &mut PgConnection, tenant: TenantId) -> Result<Self, sqlx::Error> {
        let mut found = read(&mut *db, tenant).await?;
        if names().iter().any(|name| !found.contains_key(*name)) {
            make(&mut *db, tenant).await?;
            found = read(&mut *db, tenant).await?;
        }
        Ok(Self { positions: in_order(&found) })
    }

    /// The position that every read model which keeps up has passed.
    pub(super) fn passed(&self) -> i64 {
        passed(&self.positions)
    }

    /// Those that keep up, and those far behind, each by its place among all projections.
    pub(super) fn groups(&self) -> [Vec<usize>; 2] {
        let near = keeping_up(&self.positions);
        let (near, far) = (0..self.positions.len()).partition(|at| near[*at]);
        [near, far]
    }

    /// The lowest position in a group.
    pub(super) fn lowest(&self, group: &[usize]) -> Option<i64> {
        group.iter().map(|at| self.positions[*at]).min()
    }
}

/// Which read models keep up: those near the position that half of all have reached. One that a release has added, or
/// that was set back, is not among them until it has come near; one that was built anew far ahead of all others is.
fn keeping_up(positions: &[i64]) -> Vec<bool> {
    let mut sorted = positions.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let reached = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    let mut near: Vec<bool> = positions.iter().map(|position| *position >= reached - NEAR).collect();
    let place = |name: &str| names().iter().position(|known| *known == name);
    for (counting, counted) in COUNTING {
        let (Some(counting), Some(counted)) = (place(counting), place(counted)) else { continue };
        // It waits for the rows that it is to count.
        near[counting] &= near[counted] || positions[counting] <= positions[counted];
    }
    near
}

fn passed(positions: &[i64]) -> i64 {
    let near = keeping_up(positions);
    positions.iter().zip(near).filter(|(_, near)| *near).map(|(position, _)| *position).min().unwrap_or_default()
}

fn in_order(found: &HashMap<String, i64>) -> Vec<i64> {
    names().iter().map(|name| found.get(*name).copied().unwrap_or_default()).collect()
}

/// Cursors at the ledger's beginning for read models that have none of this tenant.
pub(super) async fn make(db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
    let definitions: Vec<String> = ALL.iter().map(|projection| definition::of(*projection)).collect();
    sqlx::query(
        "INSERT INTO read_models.cursors (tenant_id, projection, generation, position, definition)
         SELECT $1, n.name, coalesce((SELECT max(c.generation) FROM read_models.cursors c
             WHERE c.projection = n.name), 1), 0, n.definition
         FROM unnest($2::text[], $3::text[]) AS n (name, definition) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(names())
    .bind(definitions)
    .execute(db)
    .await?;
    Ok(())
}

/// The position of each read model of a tenant.
pub(super) async fn read(db: &mut PgConnection, tenant: TenantId) -> Result<HashMap<String, i64>, sqlx::Error> {
    let sql = "SELECT projection, position FROM read_models.cursors WHERE tenant_id = $1";
    Ok(sqlx::query_as(sql).bind(tenant.0).fetch_all(db).await?.into_iter().collect())
}

/// The parked streams of a tenant.
pub(super) async fn parked(db: &mut PgConnection, tenant: TenantId) -> Result<Parked, sqlx::Error> {
    let sql = "SELECT projection, aggregate_type, aggregate_id FROM read_models.parked WHERE tenant_id = $1";
    let mut parked = Parked::new();
    for (projection, kind, id) in sqlx::query_as(sql).bind(tenant.0).fetch_all(db).await? {
        let streams: &mut Streams = parked.entry(projection).or_default();
        streams.insert((kind, id));
    }
    Ok(parked)
}

/// Moves cursors that all stand at one position, holds them until the transaction ends, and lets its statements find
/// the tables of the generation that answers. The streams that are parked at that moment; `None` where somebody else
/// has moved a cursor: then the transaction must be given up.
pub(super) async fn advance(
    db: &mut PgConnection,
    tenant: TenantId,
    projections: &[&dyn Projection],
    from: i64,
    to: i64,
) -> Result<Option<Parked>, sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|projection| projection.name()).collect();
    // Rows and cursors go down together in a crash and are applied again from the ledger, which is durable: so this
    // transaction need not wait for the disk. A batch takes what it takes: one that was cut off would come again as it is.
    let moved: Vec<i32> = sqlx::query_scalar(
        "WITH unhurried AS MATERIALIZED (
             SELECT set_config('synchronous_commit', 'off', true), set_config('search_path', 'read_models', true),
                 set_config('statement_timeout', '0', true))
         UPDATE read_models.cursors SET position = $4 FROM unhurried
         WHERE tenant_id = $1 AND projection = ANY($2) AND position = $3 RETURNING parked",
    )
    .bind(tenant.0)
    .bind(&names)
    .bind(from)
    .bind(to)
    .fetch_all(&mut *db)
    .await?;
    if moved.len() != names.len() {
        return Ok(None);
    }
    // Now that the cursors are held, nobody parks or frees a stream.
    Ok(Some(if moved.iter().any(|parked| *parked > 0) { parked(db, tenant).await? } else { Parked::new() }))
}

/// Leaves an event's stream out of a projection from now on. The cursor must be held.
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
    .execute(&mut *db)
    .await?;
    count_parked(db, event.tenant, projection).await
}

/// Notes beside the cursor how many streams are parked.
pub(super) async fn count_parked(db: &mut PgConnection, tenant: TenantId, projection: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE read_models.cursors c SET parked = (SELECT count(*) FROM read_models.parked p
             WHERE p.tenant_id = c.tenant_id AND p.projection = c.projection)
         WHERE tenant_id = $1 AND projection = $2",
    )
    .bind(tenant.0)
    .bind(projection)
    .execute(db)
    .await?;
    Ok(())
}

/// The position that every read model of a tenant which keeps up has passed, as the database knows it.
pub(crate) async fn applied(pool: &PgPool, tenant: TenantId) -> Result<i64, sqlx::Error> {
    let mut db = pool.acquire().await?;
    let found = read(&mut db, tenant).await?;
    Ok(passed(&in_order(&found)))
}

/// Tells the metrics what is parked, and which read models other code has built.
pub(super) async fn tell(pool: &PgPool) -> Result<(), sqlx::Error> {
    let rows: Vec<(String, i64, Vec<Option<String>>)> = sqlx::query_as(
        "SELECT projection, sum(parked), array_agg(DISTINCT definition) FROM read_models.cursors GROUP BY projection",
    )
    .fetch_all(pool)
    .await?;
    for projection in ALL {
        let Some((_, parked, by)) = rows.iter().find(|(name, ..)| name == projection.name()) else { continue };
        let ours = definition::of(*projection);
        let outdated = by.iter().flatten().any(|definition| *definition != ours);
        #[allow(clippy::cast_precision_loss)]
        metrics::gauge!("chatledger_projection_parked", "projection" => projection.name()).set(*parked as f64);
        let outdated = f64::from(u8::from(outdated));
        metrics::gauge!("chatledger_projection_outdated", "projection" => projection.name()).set(outdated);
    }
    Ok(())
}

/// The read models whose rows other code has folded than this program's. Rows from before this was noted count as ours.
///
/// # Errors
/// When the database cannot be reached.
pub async fn outdated(pool: &PgPool) -> Result<Vec<&'static str>, Unavailable> {
    let mut outdated = Vec::new();
    for projection in ALL {
        let ours = definition::of(*projection);
        let look = async || -> Result<bool, sqlx::Error> {
            sqlx::query("UPDATE read_models.cursors SET definition = $2 WHERE projection = $1 AND definition IS NULL")
                .bind(projection.name())
                .bind(&ours)
                .execute(pool)
                .await?;
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM read_models.cursors WHERE projection = $1 AND definition <> $2)",
            )
            .bind(projection.name())
            .bind(&ours)
            .fetch_one(pool)
            .await
        };
        if look().await.map_err(unavailable)? {
            outdated.push(projection.name());
        }
    }
    Ok(outdated)
}

/// How far one read model is for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The read model.
    pub projection: &'static str,
    /// The tenant.
    pub tenant: TenantId,
    /// How often it was built.
    pub generation: i32,
    /// The newest position that it has folded.
    pub position: Position,
    /// The ledger's newest position.
    pub head: Position,
    /// How many streams it has parked.
    pub parked: i32,
    /// Whether its rows were folded by another definition than this program's.
    pub outdated: bool,
    /// Whether writes wait for it: not while it is far behind the others, for it is new or was set back.
    pub keeps_up: bool,
}

/// How far every read model is for every tenant.
///
/// # Errors
/// When the database or the ledger cannot be reached.
pub async fn lag(pool: &PgPool, ledger: &Arc<dyn Ledger>) -> Result<Vec<Lag>, Unavailable> {
    let heads = ledger.heads().await.map_err(|error| Unavailable::new("the ledger", error))?;
    let rows: Vec<(Uuid, String, i32, i64, i32, Option<String>)> = sqlx::query_as(
        "SELECT tenant_id, projection, generation, position, parked, definition FROM read_models.cursors",
    )
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let found: HashMap<(Uuid, String), _> = rows
        .into_iter()
        .map(|(tenant, name, g, position, parked, by)| ((tenant, name), (g, position, parked, by)))
        .collect();
    let mut lags = Vec::new();
    for (tenant, head) in heads {
        let mut of_tenant = Vec::with_capacity(ALL.len());
        for projection in ALL {
            let row = found.get(&(tenant.0, projection.name().to_owned())).cloned();
            let (generation, position, parked, by) = row.unwrap_or((1, 0, 0, None));
            let outdated = by.is_some_and(|by| by != definition::of(*projection));
            let (projection, position) = (projection.name(), Position(position));
            of_tenant.push(Lag { projection, tenant, generation, position, head, parked, outdated, keeps_up: true });
        }
        let positions: Vec<i64> = of_tenant.iter().map(|lag| lag.position.0).collect();
        let near = keeping_up(&positions).into_iter();
        lags.extend(of_tenant.into_iter().zip(near).map(|(lag, keeps_up)| Lag { keeps_up, ..lag }));
    }
    Ok(lags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> usize {
        names().iter().position(|known| *known == name).expect("a read model")
    }

    #[test]
    fn most_read_models_say_where_the_others_should_be() {
        let mut positions = vec![50_000; ALL.len()];
        positions[place("tags")] = 48_000;
        positions[place("chats")] = 0;
        let cursors = Cursors { positions: positions.clone() };
        let [near, far] = cursors.groups();
        assert_eq!((near.len(), far), (ALL.len() - 1, vec![place("chats")]));
        assert_eq!((cursors.passed(), cursors.lowest(&near)), (48_000, Some(48_000)));
        // One that is far ahead does not make laggards of all others.
        let mut positions = vec![0; ALL.len()];
        positions[place("messages")] = 50_000;
        let cursors = Cursors { positions };
        assert_eq!((cursors.groups()[0].len(), cursors.passed()), (ALL.len(), 0));
    }

    #[test]
    fn who_counts_rows_of_a_read_model_that_is_far_behind_waits_for_it() {
        let mut positions = vec![50_000; ALL.len()];
        positions[place("messages")] = 10;
        let far = vec![place("messages"), place("received_marks")];
        assert_eq!(Cursors { positions: positions.clone() }.groups()[1], far);
        // The other way round nobody waits.
        positions.swap(far[0], far[1]);
        assert_eq!(Cursors { positions }.groups()[1], far[1..]);
    }
}
