//! Reads customers (R-CUS-1, R-CUS-2).

use std::collections::HashMap;

use chatledger_domain::{
    Actor, TenantId, WaId,
    contact::{Consent, OptIn},
};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};

use super::{CustomerFilter, CustomerProfileView, CustomerView, tagged};
use crate::{
    chats::{List, Reach, Sql, by_index, push_looked_up},
    contacts,
    inbox::{Answer, Inbox, counted, only_readable, reads_all, wa_id},
    measures, taggings,
    text::{lower, pattern},
    views::{Page, PageRequest},
};

/// The order of the list.
pub(super) const ORDER: &str = "a.last_contacted_at DESC NULLS LAST, a.id";
const COLUMNS: &str = "a.wa_id, a.id, a.last_contacted_at, k.profile_name, k.saved_name, k.opt_in, k.opt_in_source,
    k.opt_in_at, k.created_at";

impl Inbox {
    /// The customers that the actor may know of, those contacted last first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn customers(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: &CustomerFilter,
        part: PageRequest,
    ) -> Answer<Page<CustomerView>> {
        self.ask(tenant, async |db| customers(db, tenant, actor, filter, part).await).await
    }

    /// A customer, where the actor may know of it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn customer(&self, tenant: TenantId, actor: &Actor, wa_id: &WaId) -> Answer<Option<CustomerProfileView>> {
        self.ask(tenant, async |db| customer(db, tenant, actor, wa_id).await).await
    }

    /// The names of a customer's tags, in the order in which they were put on.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn customer_tags(&self, tenant: TenantId, wa_id: &WaId) -> Answer<Vec<String>> {
        self.ask(tenant, async |db| {
            let tags = taggings::of_chats(db, tenant, &[wa_id.as_str()]).await?.remove(wa_id.as_str());
            Ok(tags.unwrap_or_default().into_iter().map(|applied| applied.tag.name).collect())
        })
        .await
    }
}

/// Appends where the customers come from and which are wanted: rows `a` of `customer_activity`.
fn from(sql: &mut Sql, tenant: TenantId, actor: &Actor, filter: &CustomerFilter) {
    sql.push(" FROM ");
    if let Some(search) = filter.search.as_deref() {
        sql.push("(SELECT read_models.search_customers(").push_bind(pattern(search)).push(") AS wa_id");
        // A search for digits alone is the same twice.
        if let Some(number) = contacts::number(search).filter(|number| *number != pattern(search)) {
            sql.push(" UNION SELECT read_models.search_customers(").push_bind(number).push(")");
        }
        sql.push(" OFFSET 0) f");
        push_looked_up(sql, tenant, "read_models.customer_activity", "a", "f");
    } else {
        sql.push("read_models.customer_activity a");
    }
    sql.push(" WHERE a.tenant_id = ").push_bind(tenant.0);
    if !filter.tags.is_empty() {
        let names: Vec<String> = filter.tags.iter().map(|name| lower(name.trim())).collect();
        sql.push(
            " AND a.wa_id IN (SELECT x.wa_id FROM read_models.chat_taggings x
                 JOIN read_models.tags t ON t.tenant_id = x.tenant_id AND t.id = x.tag_id WHERE x.tenant_id = ",
        );
        sql.push_bind(tenant.0).push(" AND t.name_key = ANY(").push_bind(names).push("))");
    }
    // Looked up for each customer found: a join might begin with all the chats of a group.
    if let Some(reach) = Reach::of(actor, None, None) {
        reach.push_holds(sql, "a");
    }
}

/// The question for a page of the customers `a`: first which, by the narrow rows alone; names and the rest for those few.
pub(super) fn page(part: PageRequest, from: impl FnOnce(&mut Sql)) -> Sql {
    let mut sql =
        QueryBuilder::new(format!("SELECT {COLUMNS} FROM (SELECT a.tenant_id, a.wa_id, a.id, a.last_contacted_at"));
    from(&mut sql);
    sql.push(format!(" ORDER BY {ORDER} LIMIT ")).push_bind(part.limit).push(" OFFSET ").push_bind(part.offset);
    sql.push(") a JOIN read_models.customers k ON k.tenant_id = a.tenant_id AND k.wa_id = a.wa_id");
    sql.push(format!(" ORDER BY {ORDER}"));
    sql
}

async fn customers(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    filter: &CustomerFilter,
    part: PageRequest,
) -> Result<Page<CustomerView>, sqlx::Error> {
    if filter.search.is_none() && !filter.tags.is_empty() {
        let (count, rows) = tagged::customers(&mut *db, tenant, actor, &filter.tags, part).await?;
        return Ok(Page { count, rows: complete(db, tenant, &rows).await? });
    }
    if *filter != CustomerFilter::default() {
        let rows = page(part, |sql| from(sql, tenant, actor, filter)).build().fetch_all(&mut *db).await?;
        let count = match part.ends_with(rows.len()) {
            Some(count) => count,
            None => {
                let mut sql = QueryBuilder::new("SELECT count(*)");
                from(&mut sql, tenant, actor, filter);
                sql.build_query_scalar().fetch_one(&mut *db).await?
            }
        };
        return Ok(Page { count, rows: complete(db, tenant, &rows).await? });
    }
    let (count, rows) = match Reach::of(actor, None, None) {
        None => {
            let rows = page(part, |sql| from(sql, tenant, actor, filter)).build().fetch_all(&mut *db).await?;
            (counted(&mut *db, tenant, "customers").await?, rows)
        }
        // With whom there is a chat, that is a customer; and others than those with chats are shown to nobody restricted.
        Some(reach) => {
            let count = reach.count(&mut *db, tenant).await?.0;
            (count, of_chats(&mut *db, tenant, &reach, part, (count, count), |_| {}).await?)
        }
    };
    Ok(Page { count, rows: complete(db, tenant, &rows).await? })
}

/// A page of the customers of these chats, of which so many among so many are wanted.
pub(super) async fn of_chats(
    db: &mut PgConnection,
    tenant: TenantId,
    reach: &Reach,
    part: PageRequest,
    (count, among): (i64, i64),
    wanted: impl Fn(&mut Sql),
) -> Result<Vec<PgRow>, sqlx::Error> {
    let (table, time, id, kinds) = ("read_models.customer_activity", "last_contacted_at", "id", &["true"]);
    let list = List { table, time, id, kinds, since: i64::MIN, count, among, wanted };
    let page_of = |rows: &dyn Fn(&mut Sql)| {
        page(part, |sql| {
            sql.push(" FROM ");
            rows(sql);
            sql.push(" a");
        })
    };
    let mut tx = by_index(db).await?;
    let rows = reach.page(&mut tx, tenant, part, &list, page_of).await?;
    tx.commit().await?;
    Ok(rows)
}

async fn customer(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    wa_id: &WaId,
) -> Result<Option<CustomerProfileView>, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {COLUMNS} FROM read_models.customer_activity a
         JOIN read_models.customers k ON k.tenant_id = a.tenant_id AND k.wa_id = a.wa_id"
    ));
    if !reads_all(actor) {
        sql.push(" JOIN read_models.chats c ON c.tenant_id = a.tenant_id AND c.wa_id = a.wa_id");
    }
    sql.push(" WHERE a.tenant_id = ").push_bind(tenant.0);
    sql.push(" AND a.wa_id = ").push_bind(wa_id.as_str().to_owned());
    only_readable(&mut sql, actor);
    let rows = sql.build().fetch_all(&mut *db).await?;
    let Some(customer) = complete(&mut *db, tenant, &rows).await?.pop() else { return Ok(None) };
    let response_seconds = measures::response_seconds_of(db, tenant, wa_id.as_str()).await?;
    Ok(Some(CustomerProfileView { customer, response_seconds }))
}

/// Adds what stands in other read models.
async fn complete(db: &mut PgConnection, tenant: TenantId, rows: &[PgRow]) -> Result<Vec<CustomerView>, sqlx::Error> {
    let ids = rows.iter().map(|row| row.try_get("wa_id")).collect::<Result<Vec<&str>, _>>()?;
    let mut tags = taggings::of_chats(&mut *db, tenant, &ids).await?;
    let conversations = conversations(db, tenant, &ids).await?;
    rows.iter()
        .map(|row| {
            let id: &str = row.try_get("wa_id")?;
            let saved: Option<String> = row.try_get("saved_name")?;
            let name = saved.filter(|name| !name.is_empty());
            let tags = tags.remove(id).unwrap_or_default();
            Ok(CustomerView {
                id: row.try_get("id")?,
                wa_id: wa_id(id)?,
                name: name.map_or_else(|| row.try_get("profile_name"), Ok)?,
                tags: tags.into_iter().map(|applied| applied.tag.name).collect(),
                consent: consent(row)?,
                conversations: conversations.get(id).copied().unwrap_or_default(),
                last_contacted_at: row.try_get("last_contacted_at")?,
                created_at: row.try_get("created_at")?,
            })
        })
        .collect()
}

fn consent(row: &PgRow) -> Result<Option<Consent>, sqlx::Error> {
    let status = row.try_get::<Option<&str>, _>("opt_in")?.and_then(OptIn::named);
    let (source, at): (Option<String>, Option<i64>) = (row.try_get("opt_in_source")?, row.try_get("opt_in_at")?);
    let known = status.zip(source).zip(at);
    Ok(known.map(|((status, source), timestamp)| Consent { status, source, timestamp }))
}

/// How many conversations there were with some customers.
async fn conversations(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, i64>, sqlx::Error> {
    let sql = "SELECT wa_id, count(*) AS conversations FROM read_models.conversations
               WHERE tenant_id = $1 AND wa_id = ANY($2) GROUP BY wa_id";
    let rows = sqlx::query(sql).bind(tenant.0).bind(wa_ids).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get("wa_id")?, row.try_get("conversations")?))).collect()
}
