//! Folds contacts and messages into customers.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::{
    AnyEvent, TenantId,
    chat::ChatEvent,
    contact::{Consent, ContactEvent, OptIn},
};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    customer::{Customer, Happened},
    tags::Tagged,
};
use crate::{
    engine::{
        Batch, Carried, Projection, ProjectionError, ROWS, Rows, Stage, Table, checked_wa_id, count_rows, in_order,
        recount,
    },
    text::lower,
};

/// The read model `customers`.
pub(crate) struct Customers;

/// A customer's id on the wire, the same after every rebuild.
fn id_of(tenant: TenantId, wa_id: &str) -> Uuid {
    Uuid::new_v5(&tenant.0, format!("customer\n{wa_id}").as_bytes())
}

/// The text that is searched: the name that is shown, and the id.
fn search_text(customer: &Customer, wa_id: &str) -> String {
    format!("{}\n{}", lower(customer.name()), wa_id.to_lowercase())
}

/// What events say of customers.
#[derive(Default)]
struct Changes {
    happened: HashMap<String, Happened>,
    /// Whether any was forgotten.
    forgets: bool,
    /// Bytes of names and sources, more or less.
    texts: usize,
    tags: Tagged,
}

impl Changes {
    fn fold(&mut self, recorded: &Recorded) -> Result<(), ProjectionError> {
        let at = recorded.occurred_at.timestamp();
        match &recorded.event {
            AnyEvent::Chat(ChatEvent::MessageReceived(e)) => {
                // Never later than its receipt.
                self.of(recorded)?.contacted(e.timestamp.min(e.received_at), at);
            }
            AnyEvent::Chat(ChatEvent::MessageQueued(e)) => self.of(recorded)?.contacted(e.timestamp, at),
            AnyEvent::Chat(ChatEvent::MessageEchoed(e)) => self.of(recorded)?.contacted(e.timestamp, at),
            AnyEvent::Chat(ChatEvent::ChatTagged(e)) => self.tags.put(checked_wa_id(recorded)?, e.tag.id, true),
            AnyEvent::Chat(ChatEvent::ChatUntagged(e)) => self.tags.put(checked_wa_id(recorded)?, e.tag.id, false),
            AnyEvent::Chat(ChatEvent::ChatAssigned(e)) => self.tags.assign(checked_wa_id(recorded)?, e.change()),
            AnyEvent::Contact(ContactEvent::ContactProfileSeen(e)) => {
                self.texts += e.name.as_ref().map_or(0, String::len);
                self.of(recorded)?.seen(e.name.as_deref(), at);
            }
            AnyEvent::Contact(ContactEvent::ContactUpserted(e)) => {
                self.texts += e.name.as_ref().map_or(0, String::len);
                self.of(recorded)?.saved(e.name.as_deref(), at);
            }
            AnyEvent::Contact(ContactEvent::OptInChanged(e)) => self.of(recorded)?.opted(e, at),
            AnyEvent::Contact(ContactEvent::ContactErased(_)) => {
                self.of(recorded)?.forgotten();
                self.forgets = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn of(&mut self, recorded: &Recorded) -> Result<&mut Happened, ProjectionError> {
        Ok(self.happened.entry(checked_wa_id(recorded)?.to_owned()).or_default())
    }

    /// Merges it into the rows that are there.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ProjectionError> {
        let mut more = 0;
        let (mut contacted, mut changed) = (Vec::new(), Vec::new());
        for (wa_id, happened) in in_order(&self.happened) {
            match happened.only_contacted() {
                Some(times) => contacted.push((wa_id, times)),
                None => changed.push((wa_id, happened)),
            }
        }
        for contacted in contacted.chunks(ROWS) {
            more += touch(&mut *db, tenant, contacted).await?;
        }
        for changed in changed.chunks(ROWS) {
            more += change(&mut *db, tenant, changed).await?;
        }
        let contacted: Vec<&str> = self.happened.keys().map(String::as_str).collect();
        self.tags.merge(&mut *db, tenant, &contacted).await?;
        self.count(db, tenant, more).await
    }

    async fn count(&self, db: &mut PgConnection, tenant: TenantId, more: i64) -> Result<(), ProjectionError> {
        if self.forgets {
            recount(db, tenant, Customers.name(), more).await?;
        } else {
            count_rows(db, tenant, Customers.name(), more).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Carried for Changes {
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        batch.events.iter().try_for_each(|recorded| self.fold(recorded))
    }

    fn weight(&self) -> usize {
        self.happened.len() * (Happened::default().weight() + 120) + self.texts + self.tags.weight()
    }

    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError> {
        let changes = std::mem::take(self);
        if !first {
            return changes.merge(db, tenant).await;
        }
        let happened = in_order(&changes.happened);
        let rows: Vec<(&str, Customer)> =
            happened.iter().filter_map(|(wa_id, happened)| Some((*wa_id, happened.applied_to(None)?))).collect();
        for rows in rows.chunks(ROWS) {
            let columns = Columns::of(tenant, rows.iter().map(|(wa_id, customer)| (*wa_id, customer)));
            columns.customers().insert(&mut *db, tenant, Stage::Building).await?;
            columns.activity().insert(&mut *db, tenant, Stage::Building).await?;
        }
        changes.tags.insert(&mut *db, tenant, &rows, id_of).await?;
        changes.count(db, tenant, i64::try_from(rows.len()).unwrap_or(i64::MAX)).await
    }
}

#[async_trait]
impl Projection for Customers {
    fn name(&self) -> &'static str {
        "customers"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[
            Table::growing("customers"),
            Table::growing("customer_activity"),
            Table::growing("customer_tags"),
            Table::growing("customer_holders"),
            Table::growing("customer_tag_shares"),
        ];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("customer.rs"),
            include_str!("tags.rs"),
            include_str!("../../../domain/src/chat/assignment.rs"),
            include_str!("../../../domain/src/contact/opt_in.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut changes = Changes::default();
        changes.take(batch)?;
        changes.merge(db, batch.tenant).await
    }

    fn carried(&self) -> Option<Box<dyn Carried>> {
        Some(Box::new(Changes::default()))
    }
}

/// Customers with whom nothing happened but messages; how many are new. Nearly all of what is folded comes this way, and
/// touches one narrow row each.
async fn touch(db: &mut PgConnection, tenant: TenantId, contacted: &[(&str, (i64, i64))]) -> Result<i64, sqlx::Error> {
    let fresh = sqlx::query(
        "WITH written AS (
             INSERT INTO customer_activity AS a (tenant_id, wa_id, id, last_contacted_at)
             SELECT $1, wa_id, id, last FROM unnest($2::text[], $3::uuid[], $4::bigint[]) AS u (wa_id, id, last)
             ON CONFLICT (tenant_id, wa_id) DO UPDATE SET last_contacted_at = excluded.last_contacted_at
             WHERE a.last_contacted_at IS NULL OR a.last_contacted_at < excluded.last_contacted_at
             RETURNING a.wa_id, xmax = 0 AS fresh)
         SELECT wa_id FROM written WHERE fresh",
    )
    .bind(tenant.0)
    .bind(contacted.iter().map(|(wa_id, _)| *wa_id).collect::<Vec<&str>>())
    .bind(contacted.iter().map(|(wa_id, _)| id_of(tenant, wa_id)).collect::<Vec<Uuid>>())
    .bind(contacted.iter().map(|(_, (_, last))| *last).collect::<Vec<i64>>())
    .fetch_all(&mut *db)
    .await?;
    if fresh.is_empty() {
        return Ok(0);
    }
    let mut rows: Vec<(&str, Customer)> = Vec::with_capacity(fresh.len());
    for row in &fresh {
        let wa_id: &str = row.try_get("wa_id")?;
        let at = contacted.binary_search_by_key(&wa_id, |(other, _)| *other);
        let created_at = at.map_or(0, |at| contacted[at].1.0);
        rows.push((wa_id, Customer { created_at, ..Customer::default() }));
    }
    let columns = Columns::of(tenant, rows.iter().map(|(wa_id, customer)| (*wa_id, customer)));
    columns.customers().insert(db, tenant, Stage::Live).await?;
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}

/// Customers with whom more happened; how many more there are.
async fn change(db: &mut PgConnection, tenant: TenantId, changed: &[(&str, &Happened)]) -> Result<i64, sqlx::Error> {
    let wa_ids: Vec<&str> = changed.iter().map(|(wa_id, _)| *wa_id).collect();
    let mut known = read(&mut *db, tenant, &wa_ids).await?;
    let before = known.len();
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (wa_id, happened) in changed {
        let row = known.remove(*wa_id);
        let was_there = row.is_some();
        match happened.applied_to(row) {
            Some(customer) => rows.push((*wa_id, customer)),
            None if was_there => gone.push(*wa_id),
            None => {}
        }
    }
    if !rows.is_empty() {
        Columns::of(tenant, rows.iter().map(|(wa_id, customer)| (*wa_id, customer))).put(&mut *db, tenant).await?;
    }
    for table in ["customers", "customer_activity"] {
        if !gone.is_empty() {
            let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND wa_id = ANY($2)");
            sqlx::query(&sql).bind(tenant.0).bind(&gone).execute(&mut *db).await?;
        }
    }
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    Ok(count(rows.len()) - count(before))
}

/// The rows that are there.
async fn read(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, Customer>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT k.wa_id, k.created_at, k.profile_name, k.saved_name, k.opt_in, k.opt_in_source, k.opt_in_at,
                a.last_contacted_at
         FROM customers k JOIN customer_activity a ON a.tenant_id = k.tenant_id AND a.wa_id = k.wa_id
         WHERE k.tenant_id = $1 AND k.wa_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let opt_in: Option<&str> = row.try_get("opt_in")?;
            let source: Option<String> = row.try_get("opt_in_source")?;
            let at: Option<i64> = row.try_get("opt_in_at")?;
            let consent = opt_in.and_then(OptIn::named).zip(source).zip(at);
            let customer = Customer {
                created_at: row.try_get("created_at")?,
                last_contacted_at: row.try_get("last_contacted_at")?,
                profile_name: row.try_get("profile_name")?,
                saved_name: row.try_get("saved_name")?,
                consent: consent.map(|((status, source), timestamp)| Consent { status, source, timestamp }),
            };
            Ok((row.try_get("wa_id")?, customer))
        })
        .collect()
}

/// Customers column by column.
struct Columns<'a> {
    rows: Vec<(&'a str, &'a Customer)>,
    ids: Vec<Uuid>,
    searches: Vec<String>,
}

impl<'a> Columns<'a> {
    fn of(tenant: TenantId, rows: impl Iterator<Item = (&'a str, &'a Customer)>) -> Self {
        let rows: Vec<(&'a str, &'a Customer)> = rows.collect();
        let ids = rows.iter().map(|(wa_id, _)| id_of(tenant, wa_id)).collect();
        let searches = rows.iter().map(|(wa_id, customer)| search_text(customer, wa_id)).collect();
        Self { rows, ids, searches }
    }

    fn each<T>(&self, of: impl Fn(&'a Customer) -> T) -> Vec<T> {
        self.rows.iter().map(|(_, customer)| of(customer)).collect()
    }

    fn wa_ids(&self) -> Vec<&'a str> {
        self.rows.iter().map(|(wa_id, _)| *wa_id).collect()
    }

    fn customers(&self) -> Rows<'_> {
        Rows::of("customers")
            .texts("wa_id", self.wa_ids())
            .uuids("id", self.ids.iter().copied())
            .texts("profile_name", self.each(|customer| customer.profile_name.as_str()))
            .texts("saved_name", self.each(|customer| customer.saved_name.as_deref()))
            .texts("search", self.searches.iter().map(String::as_str))
            .texts("opt_in", self.each(|customer| customer.consent.as_ref().map(|word| word.status.as_str())))
            .texts("opt_in_source", self.each(|customer| customer.consent.as_ref().map(|word| word.source.as_str())))
            .integers("opt_in_at", self.each(|customer| customer.consent.as_ref().map(|word| word.timestamp)))
            .integers("created_at", self.each(|customer| customer.created_at))
    }

    fn activity(&self) -> Rows<'_> {
        Rows::of("customer_activity")
            .texts("wa_id", self.wa_ids())
            .uuids("id", self.ids.iter().copied())
            .integers("last_contacted_at", self.each(|customer| customer.last_contacted_at))
    }

    /// Writes them, whether they are there or not.
    async fn put(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO customers (tenant_id, wa_id, id, profile_name, saved_name, search, opt_in, opt_in_source,
                 opt_in_at, created_at)
             SELECT $1, u.* FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::text[], $9::bigint[], $10::bigint[]) AS u
             ON CONFLICT (tenant_id, wa_id) DO UPDATE SET profile_name = excluded.profile_name,
                 saved_name = excluded.saved_name, search = excluded.search, opt_in = excluded.opt_in,
                 opt_in_source = excluded.opt_in_source, opt_in_at = excluded.opt_in_at,
                 created_at = excluded.created_at",
        )
        .bind(tenant.0)
        .bind(self.wa_ids())
        .bind(&self.ids)
        .bind(self.each(|customer| customer.profile_name.as_str()))
        .bind(self.each(|customer| customer.saved_name.as_deref()))
        .bind(&self.searches)
        .bind(self.each(|customer| customer.consent.as_ref().map(|word| word.status.as_str())))
        .bind(self.each(|customer| customer.consent.as_ref().map(|word| word.source.as_str())))
        .bind(self.each(|customer| customer.consent.as_ref().map(|word| word.timestamp)))
        .bind(self.each(|customer| customer.created_at))
        .execute(&mut *db)
        .await?;
        sqlx::query(
            "INSERT INTO customer_activity AS a (tenant_id, wa_id, id, last_contacted_at)
             SELECT $1, u.* FROM unnest($2::text[], $3::uuid[], $4::bigint[]) AS u
             ON CONFLICT (tenant_id, wa_id) DO UPDATE SET last_contacted_at = excluded.last_contacted_at
             WHERE a.last_contacted_at IS DISTINCT FROM excluded.last_contacted_at",
        )
        .bind(tenant.0)
        .bind(self.wa_ids())
        .bind(&self.ids)
        .bind(self.each(|customer| customer.last_contacted_at))
        .execute(db)
        .await?;
        Ok(())
    }
}
