//! Folds which customers carry which tags, and how many of each user's and group's customers carry each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chatledger_domain::{Assignment, GroupId, TagId, TenantId, UserId, chat::AssignmentChange};
use sqlx::PgConnection;
use uuid::Uuid;

use super::customer::Customer;
use crate::{
    chats::share_of,
    engine::{ROWS, Rows, Stage, in_order},
};

/// What happened to a chat.
#[derive(Default)]
struct Step {
    /// Whether it carries a tag in the end.
    tags: BTreeMap<i64, bool>,
    assigned: AssignmentChange,
}

/// Who has a chat, and what it carries.
#[derive(Clone, Default)]
struct State {
    by: Assignment,
    tags: BTreeSet<i64>,
}

impl State {
    fn after(&self, step: &Step) -> Self {
        let mut after = Self { by: step.assigned.applied_to(self.by), tags: self.tags.clone() };
        for (tag, carries) in &step.tags {
            if *carries {
                after.tags.insert(*tag)
            } else {
                after.tags.remove(tag)
            };
        }
        after
    }
}

/// By tag, user and group how many more customers carry it; user and group 0 for all.
#[derive(Default)]
struct Shares(BTreeMap<(i64, i64, i64), i64>);

impl Shares {
    fn add(&mut self, state: &State, times: i64) {
        for (user, group) in [Some((0, 0)), share_of(state.by)].into_iter().flatten() {
            for tag in &state.tags {
                *self.0.entry((*tag, user, group)).or_default() += times;
            }
        }
    }

    /// What changes, column by column.
    fn columns(&self) -> [Vec<i64>; 4] {
        let changes = || self.0.iter().filter(|(_, more)| **more != 0);
        [
            changes().map(|(key, _)| key.0).collect(),
            changes().map(|(key, _)| key.1).collect(),
            changes().map(|(key, _)| key.2).collect(),
            changes().map(|(_, more)| *more).collect(),
        ]
    }

    /// Adds it to what is stored. What comes to nothing leaves no row.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        let [tags, users, groups, more] = self.columns();
        if more.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO customer_tag_shares AS s (tenant_id, tag_id, assigned_user, assigned_group, customers)
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
             ON CONFLICT (tenant_id, tag_id, assigned_user, assigned_group) DO UPDATE SET
                 customers = s.customers + excluded.customers",
        )
        .bind(tenant.0)
        .bind(&tags)
        .bind(users)
        .bind(groups)
        .bind(&more)
        .execute(&mut *db)
        .await?;
        if more.iter().any(|more| *more < 0) {
            let empty = "DELETE FROM customer_tag_shares WHERE tenant_id = $1 AND tag_id = ANY($2) AND customers = 0";
            sqlx::query(empty).bind(tenant.0).bind(tags).execute(db).await?;
        }
        Ok(())
    }
}

/// What changed of tags and of who has the chats.
#[derive(Default)]
pub(super) struct Tagged {
    chats: HashMap<String, Step>,
}

impl Tagged {
    /// A tag was put on or taken off.
    pub(super) fn put(&mut self, wa_id: &str, tag: TagId, carries: bool) {
        self.of(wa_id).tags.insert(tag.0, carries);
    }

    /// The chat was given to somebody.
    pub(super) fn assign(&mut self, wa_id: &str, change: AssignmentChange) {
        let step = self.of(wa_id);
        step.assigned = step.assigned.then(change);
    }

    fn of(&mut self, wa_id: &str) -> &mut Step {
        self.chats.entry(wa_id.to_owned()).or_default()
    }

    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        self.chats.values().map(|step| 160 + 40 * step.tags.len()).sum()
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
        for chats in in_order(&self.chats).chunks(ROWS) {
            let wa_ids: Vec<&str> = chats.iter().map(|(wa_id, _)| *wa_id).collect();
            let mut known = known(&mut *db, tenant, &wa_ids).await?;
            let (mut shares, mut held) = (Shares::default(), Vec::new());
            let (mut begun, mut ended) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
            for (wa_id, step) in chats {
                let before = known.remove(*wa_id).unwrap_or_default();
                let after = before.after(step);
                shares.add(&before, -1);
                shares.add(&after, 1);
                begun.extend(after.tags.difference(&before.tags).map(|tag| (*wa_id, *tag)));
                ended.extend(before.tags.difference(&after.tags).map(|tag| (*wa_id, *tag)));
                if after.by != before.by {
                    held.push((*wa_id, after.by));
                }
            }
            write(&mut *db, tenant, begun, ended).await?;
            hold(&mut *db, tenant, &held).await?;
            shares.merge(&mut *db, tenant).await?;
        }
        Ok(())
    }

    /// Stores it where nothing is there yet, with all customers in order of their WhatsApp ids.
    pub(super) async fn insert(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        customers: &[(&str, Customer)],
        id_of: fn(TenantId, &str) -> Uuid,
    ) -> Result<(), sqlx::Error> {
        let (mut shares, mut held, mut carried) = (Shares::default(), Vec::new(), Vec::new());
        for (wa_id, step) in in_order(&self.chats) {
            let state = State::default().after(step);
            shares.add(&state, 1);
            carried.extend(state.tags.iter().map(|tag| (wa_id, *tag)));
            if state.by != Assignment::default() {
                held.push((wa_id, state.by));
            }
        }
        let last = |wa_id: &str| {
            let at = customers.binary_search_by_key(&wa_id, |(other, _)| *other);
            at.ok().and_then(|at| customers[at].1.last_contacted_at)
        };
        Rows::of("customer_tags")
            .texts("wa_id", carried.iter().map(|(wa_id, _)| *wa_id))
            .integers("tag_id", carried.iter().map(|(_, tag)| *tag))
            .uuids("id", carried.iter().map(|(wa_id, _)| id_of(tenant, wa_id)))
            .integers("last_contacted_at", carried.iter().map(|(wa_id, _)| last(wa_id)))
            .insert(&mut *db, tenant, Stage::Building)
            .await?;
        Rows::of("customer_holders")
            .texts("wa_id", held.iter().map(|(wa_id, _)| *wa_id))
            .integers("assigned_user", held.iter().map(|(_, by)| by.user.map(|user| user.0)))
            .integers("assigned_group", held.iter().map(|(_, by)| by.group.map(|group| group.0)))
            .insert(&mut *db, tenant, Stage::Building)
            .await?;
        let [tags, users, groups, more] = shares.columns();
        Rows::of("customer_tag_shares")
            .integers("tag_id", tags)
            .integers("assigned_user", users)
            .integers("assigned_group", groups)
            .integers("customers", more)
            .insert(db, tenant, Stage::Building)
            .await
    }
}

/// What is known of some chats.
async fn known(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, State>, sqlx::Error> {
    let mut known: HashMap<String, State> = HashMap::new();
    let holders: Vec<(String, Option<i64>, Option<i64>)> = sqlx::query_as(
        "SELECT wa_id, assigned_user, assigned_group FROM customer_holders WHERE tenant_id = $1 AND wa_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .fetch_all(&mut *db)
    .await?;
    for (wa_id, user, group) in holders {
        known.entry(wa_id).or_default().by = Assignment { user: user.map(UserId), group: group.map(GroupId) };
    }
    let tags: Vec<(String, i64)> =
        sqlx::query_as("SELECT wa_id, tag_id FROM customer_tags WHERE tenant_id = $1 AND wa_id = ANY($2)")
            .bind(tenant.0)
            .bind(wa_ids)
            .fetch_all(db)
            .await?;
    for (wa_id, tag) in tags {
        known.entry(wa_id).or_default().tags.insert(tag);
    }
    Ok(known)
}

/// Chats and tags.
type Pairs<'a> = (Vec<&'a str>, Vec<i64>);

/// Writes which chats carry which tags from now on, and which no more.
async fn write(db: &mut PgConnection, tenant: TenantId, begun: Pairs<'_>, ended: Pairs<'_>) -> Result<(), sqlx::Error> {
    if !ended.0.is_empty() {
        sqlx::query(
            "DELETE FROM customer_tags t USING unnest($2::text[], $3::bigint[]) AS u (wa_id, tag_id)
             WHERE t.tenant_id = $1 AND t.wa_id = u.wa_id AND t.tag_id = u.tag_id",
        )
        .bind(tenant.0)
        .bind(ended.0)
        .bind(ended.1)
        .execute(&mut *db)
        .await?;
    }
    if !begun.0.is_empty() {
        sqlx::query(
            "INSERT INTO customer_tags (tenant_id, wa_id, tag_id, id, last_contacted_at)
             SELECT a.tenant_id, a.wa_id, u.tag_id, a.id, a.last_contacted_at
               FROM unnest($2::text[], $3::bigint[]) AS u (wa_id, tag_id)
               JOIN customer_activity a ON a.tenant_id = $1 AND a.wa_id = u.wa_id",
        )
        .bind(tenant.0)
        .bind(begun.0)
        .bind(begun.1)
        .execute(db)
        .await?;
    }
    Ok(())
}

/// Writes who has the chats; nobody leaves no row.
async fn hold(db: &mut PgConnection, tenant: TenantId, held: &[(&str, Assignment)]) -> Result<(), sqlx::Error> {
    if held.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM customer_holders WHERE tenant_id = $1 AND wa_id = ANY($2)")
        .bind(tenant.0)
        .bind(held.iter().map(|(wa_id, _)| *wa_id).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    let held = || held.iter().filter(|(_, by)| *by != Assignment::default());
    sqlx::query(
        "INSERT INTO customer_holders (tenant_id, wa_id, assigned_user, assigned_group)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])",
    )
    .bind(tenant.0)
    .bind(held().map(|(wa_id, _)| *wa_id).collect::<Vec<_>>())
    .bind(held().map(|(_, by)| by.user.map(|user| user.0)).collect::<Vec<_>>())
    .bind(held().map(|(_, by)| by.group.map(|group| group.0)).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
