//! Folds which customers carry which tags, and how many carry each.

use std::collections::BTreeMap;

use chatledger_domain::{TagId, TenantId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::customer::Customer;
use crate::engine::{ROWS, Rows, Stage, recount};

/// The counter of a tag's customers.
pub(super) fn counter(tag: i64) -> String {
    format!("customers:tag:{tag}")
}

/// What changed of tags.
#[derive(Default)]
pub(super) struct Tagged {
    /// Whether a customer carries a tag in the end.
    carried: BTreeMap<(String, i64), bool>,
    /// How many more customers carry it. Each event is a change (R-TAG-6).
    more: BTreeMap<i64, i64>,
}

impl Tagged {
    /// A tag was put on or taken off.
    pub(super) fn put(&mut self, wa_id: &str, tag: TagId, carries: bool) {
        self.carried.insert((wa_id.to_owned(), tag.0), carries);
        *self.more.entry(tag.0).or_default() += if carries { 1 } else { -1 };
    }

    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        self.carried.len() * 120
    }

    fn those(&self, carry: bool) -> (Vec<&str>, Vec<i64>) {
        let those = self.carried.iter().filter(|(_, carries)| **carries == carry);
        those.map(|((wa_id, tag), _)| (wa_id.as_str(), *tag)).unzip()
    }

    /// Merges it into the rows that are there, once those of the customers are; `contacted` may have been contacted since.
    pub(super) async fn merge(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        contacted: &[&str],
    ) -> Result<(), sqlx::Error> {
        for contacted in contacted.chunks(ROWS) {
            sqlx::query(
                "UPDATE customer_tags t SET last_contacted_at = a.last_contacted_at FROM customer_activity a
                 WHERE t.tenant_id = $1 AND t.wa_id = ANY($2) AND a.tenant_id = t.tenant_id AND a.wa_id = t.wa_id
                   AND t.last_contacted_at IS DISTINCT FROM a.last_contacted_at",
            )
            .bind(tenant.0)
            .bind(contacted)
            .execute(&mut *db)
            .await?;
        }
        let (wa_ids, tags) = self.those(false);
        if !wa_ids.is_empty() {
            sqlx::query(
                "DELETE FROM customer_tags t USING unnest($2::text[], $3::bigint[]) AS u (wa_id, tag_id)
                 WHERE t.tenant_id = $1 AND t.wa_id = u.wa_id AND t.tag_id = u.tag_id",
            )
            .bind(tenant.0)
            .bind(wa_ids)
            .bind(tags)
            .execute(&mut *db)
            .await?;
        }
        let (wa_ids, tags) = self.those(true);
        if !wa_ids.is_empty() {
            sqlx::query(
                "INSERT INTO customer_tags (tenant_id, wa_id, tag_id, id, last_contacted_at)
                 SELECT a.tenant_id, a.wa_id, u.tag_id, a.id, a.last_contacted_at
                   FROM unnest($2::text[], $3::bigint[]) AS u (wa_id, tag_id)
                   JOIN customer_activity a ON a.tenant_id = $1 AND a.wa_id = u.wa_id
                 ON CONFLICT (tenant_id, wa_id, tag_id) DO NOTHING",
            )
            .bind(tenant.0)
            .bind(wa_ids)
            .bind(tags)
            .execute(&mut *db)
            .await?;
        }
        self.count(db, tenant).await
    }

    /// Stores it where nothing is there yet, with all customers in order of their WhatsApp ids.
    pub(super) async fn insert(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        customers: &[(&str, Customer)],
        id_of: fn(TenantId, &str) -> Uuid,
    ) -> Result<(), sqlx::Error> {
        let (wa_ids, tags) = self.those(true);
        let last = |wa_id: &&str| {
            let at = customers.binary_search_by_key(wa_id, |(other, _)| *other);
            at.ok().and_then(|at| customers[at].1.last_contacted_at)
        };
        Rows::of("customer_tags")
            .texts("wa_id", wa_ids.iter().copied())
            .integers("tag_id", tags)
            .uuids("id", wa_ids.iter().map(|wa_id| id_of(tenant, wa_id)))
            .integers("last_contacted_at", wa_ids.iter().map(last))
            .insert(&mut *db, tenant, Stage::Building)
            .await?;
        self.count(db, tenant).await
    }

    async fn count(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        for (tag, more) in &self.more {
            recount(&mut *db, tenant, &counter(*tag), *more).await?;
        }
        Ok(())
    }
}
