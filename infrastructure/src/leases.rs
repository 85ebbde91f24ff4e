//! Who follows a tenant's ledger for a reactor: one server at a time.
//!
//! A lease lasts some seconds and is renewed long before its end, so the tenants of a dead server are free soon. A
//! server that slept past its lease knows by its own clock that it must not go on; what it wrote nevertheless is refused
//! by the fence, which grows with every change of holder. Whoever writes for a reactor names the fence that it holds.

use std::time::{Duration, Instant};

use chatledger_application::ports::Unavailable;
use chatledger_domain::{Position, TenantId};
use sqlx::{PgPool, Row, postgres::types::PgInterval};
use uuid::Uuid;

/// The tenants of one reactor that this server holds.
#[derive(Clone, Debug)]
pub struct Leases {
    pool: PgPool,
    reactor: &'static str,
    lease: Duration,
    holder: Uuid,
}

/// A tenant that is ours for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub tenant: TenantId,
    /// Names our time of holding it: the same as long as nobody else had it in between.
    pub fence: i64,
    /// How far the reactor has read, as it is stored.
    pub position: Position,
    /// Until when, by this server's own clock.
    pub until: Instant,
}

/// Marks that a reactor has looked at this database before. No tenant has this id.
const SEEN: Uuid = Uuid::nil();

impl Leases {
    /// Holds nothing yet. `lease` is how long a server may be silent before another takes its tenants over.
    #[must_use]
    pub fn new(pool: PgPool, reactor: &'static str, lease: Duration) -> Self {
        Self { pool, reactor, lease, holder: Uuid::new_v4() }
    }

    /// Renews what is ours and takes what is free, of the tenants named; gives back all that is ours now.
    ///
    /// The first look of a reactor at a database begins at the heads given: what was before is not told. Tenants that
    /// come later begin at 0, so that nothing is missed between their first event and our seeing them. So look once
    /// before requests are let in.
    ///
    /// # Errors
    /// The database's fault. What was ours is ours until its time is over.
    pub async fn renew(&self, heads: &[(TenantId, Position)]) -> Result<Vec<Held>, Unavailable> {
        let until = Instant::now() + self.lease;
        let mut tenants: Vec<Uuid> = heads.iter().map(|(tenant, _)| tenant.0).collect();
        let mut positions: Vec<i64> = heads.iter().map(|(_, head)| head.0).collect();
        tenants.push(SEEN);
        positions.push(0);
        // Those of others are not even locked; in order, so that servers do not lock each other out.
        let rows = sqlx::query(
            "INSERT INTO outbound.cursors AS c (tenant_id, reactor, position, holder, fence, lease_until) \
             SELECT h.tenant_id, $2, \
                 CASE WHEN EXISTS (SELECT FROM outbound.cursors WHERE tenant_id = $6 AND reactor = $2) \
                     THEN 0 ELSE h.head END, \
                 $4, 1, now() + $5 \
             FROM unnest($1::uuid[], $3::bigint[]) AS h (tenant_id, head) \
             WHERE NOT EXISTS (SELECT FROM outbound.cursors o WHERE o.tenant_id = h.tenant_id AND o.reactor = $2 \
                 AND (o.holder <> $4 AND o.lease_until > now() OR o.tenant_id = $6)) \
             ORDER BY h.tenant_id \
             ON CONFLICT (tenant_id, reactor) DO UPDATE \
                 SET holder = $4, lease_until = excluded.lease_until, \
                     fence = c.fence + (c.holder IS DISTINCT FROM $4)::int \
                 WHERE c.holder IS NULL OR c.holder = $4 OR c.lease_until IS NULL OR c.lease_until <= now() \
             RETURNING tenant_id, fence, position",
        )
        .bind(&tenants)
        .bind(self.reactor)
        .bind(&positions)
        .bind(self.holder)
        .bind(interval(self.lease))
        .bind(SEEN)
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        let held = rows.into_iter().map(|row| {
            let (tenant, position) = (TenantId(row.try_get(0)?), Position(row.try_get(2)?));
            Ok(Held { tenant, fence: row.try_get(1)?, position, until })
        });
        let held: Result<Vec<Held>, sqlx::Error> = held.collect();
        Ok(held.map_err(unavailable)?.into_iter().filter(|held| held.tenant.0 != SEEN).collect())
    }

    /// Lets go of everything, so that another server need not wait. What we write afterwards counts until then.
    pub async fn release(&self) {
        let free = "UPDATE outbound.cursors SET holder = NULL, lease_until = NULL WHERE reactor = $1 AND holder = $2";
        if let Err(error) = sqlx::query(free).bind(self.reactor).bind(self.holder).execute(&self.pool).await {
            tracing::debug!(%error, reactor = self.reactor, "leases run out by themselves");
        }
    }
}

fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2) }
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the database", error)
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::postgres::{Embedded, connect, migrate};

    const LEASE: Duration = Duration::from_millis(600);

    /// Whether a write under this fence counts.
    async fn counts(pool: &PgPool, held: &Held) -> bool {
        let write = "UPDATE outbound.cursors SET position = position + 1 \
                     WHERE tenant_id = $1 AND reactor = 'test' AND fence = $2";
        let done = sqlx::query(write).bind(held.tenant.0).bind(held.fence).execute(pool).await.unwrap();
        done.rows_affected() == 1
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_server_at_a_time_holds_a_tenant() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Embedded::start(dir.path()).await.unwrap();
        let pool = connect(cluster.url(), 4).unwrap();
        migrate(&pool).await.unwrap();
        let (old, new) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let heads = [(old, Position(7)), (new, Position(3))];
        let [one, two] = ["test"; 2].map(|reactor| Leases::new(pool.clone(), reactor, LEASE));

        let first = one.renew(&heads[..1]).await.unwrap();
        assert_eq!(first.iter().map(|held| held.position).collect::<Vec<_>>(), [Position(7)], "the past is not told");
        let second = two.renew(&heads).await.unwrap();
        assert_eq!(second.iter().map(|held| (held.tenant, held.position)).collect::<Vec<_>>(), [(new, Position(0))]);
        assert!(counts(&pool, &first[0]).await);

        sleep(LEASE / 2).await;
        let again = one.renew(&heads).await.unwrap();
        assert_eq!(again.iter().map(|held| (held.tenant, held.fence)).collect::<Vec<_>>(), [(old, first[0].fence)]);
        sleep(LEASE * 2 / 3).await;
        assert_eq!(two.renew(&heads).await.unwrap().len(), 1, "the other is kept by its renewal");

        // The first server is silent for longer than its lease.
        sleep(LEASE).await;
        let mut taken = two.renew(&heads).await.unwrap();
        taken.sort_by_key(|held| held.tenant.0);
        assert_eq!((taken.len(), taken[0].position), (2, Position(8)));
        assert!(taken[0].fence > first[0].fence);
        assert!(Instant::now() > again[0].until, "the first knows by its own clock");
        assert!(!counts(&pool, &first[0]).await, "what it writes late changes nothing");
        assert!(one.renew(&heads).await.unwrap().is_empty());

        two.release().await;
        let back = one.renew(&heads).await.unwrap();
        assert_eq!(back.len(), 2, "no waiting after a release");
        pool.close().await;
        cluster.stop().await;
    }
}
