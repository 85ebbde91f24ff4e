//! Reads the customers with one of some tags: among those of the tags, or among those of the actor's chats, whichever is
//! sooner done.

use chatledger_domain::{Actor, TenantId};
use sqlx::{PgConnection, QueryBuilder, postgres::PgRow};

use super::query::{ORDER, of_chats, page};
use crate::{
    chats::{Reach, Sql},
    text::lower,
    views::PageRequest,
};

/// A page of the customers with a tag of one of these names, and how many there are.
pub(super) async fn customers(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    names: &[String],
    part: PageRequest,
) -> Result<(i64, Vec<PgRow>), sqlx::Error> {
    let names: Vec<String> = names.iter().map(|name| lower(name.trim())).collect();
    let tags: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM read_models.tags WHERE tenant_id = $1 AND name_key = ANY($2)")
            .bind(tenant.0)
            .bind(&names)
            .fetch_all(&mut *db)
            .await?;
    let reach = Reach::of(actor, None, None);
    if reach.as_ref().is_some_and(Reach::is_nothing) {
        return Ok((0, Vec::new()));
    }
    let Totals { of_tags, own, chats } = totals(&mut *db, tenant, &tags, reach.as_ref()).await?;
    let count = match &reach {
        _ if tags.len() < 2 => own,
        Some(reach) if chats < of_tags => look_at_chats(&mut *db, tenant, &tags, reach).await?,
        _ => look(&mut *db, tenant, &tags, reach.as_ref()).await?,
    };
    if count <= part.offset {
        return Ok((count, Vec::new()));
    }
    if let Some(reach) = reach.as_ref().filter(|_| part.until_full(chats, count) < part.until_full(of_tags, count)) {
        let rows = of_chats(db, tenant, reach, part, (count, chats), |sql| push_carries(sql, "v", &tags)).await?;
        return Ok((count, rows));
    }
    let mut sql = page(part, |sql| push_first(sql, tenant, &tags, part.end(), reach.as_ref()));
    Ok((count, sql.build().fetch_all(db).await?))
}

/// Appends the customers with these tags, the first `many` among them; each of them once.
fn push_first(sql: &mut Sql, tenant: TenantId, tags: &[i64], many: i64, whose: Option<&Reach>) {
    for (at, tag) in tags.iter().enumerate() {
        sql.push(if at == 0 { " FROM (" } else { " UNION " });
        sql.push("(SELECT a.tenant_id, a.wa_id, a.id, a.last_contacted_at FROM read_models.customer_tags a");
        sql.push(" WHERE a.tenant_id = ").push_bind(tenant.0).push(" AND a.tag_id = ").push_bind(*tag);
        if let Some(reach) = whose {
            reach.push_holds(sql, "a");
        }
        sql.push(format!(" ORDER BY {ORDER} LIMIT ")).push_bind(many).push(")");
    }
    sql.push(") a");
}

/// Appends that a row's customer carries one of these tags.
fn push_carries(sql: &mut Sql, row: &str, tags: &[i64]) {
    sql.push(format!(
        " AND EXISTS (SELECT FROM read_models.customer_tags t WHERE t.tenant_id = {row}.tenant_id
             AND t.wa_id = {row}.wa_id AND t.tag_id = ANY("
    ));
    sql.push_bind(tags.to_vec()).push(") OFFSET 0)");
}

/// How many customers carry each of these tags, together.
#[derive(sqlx::FromRow)]
struct Totals {
    /// Of all.
    of_tags: i64,
    /// In the actor's chats.
    own: i64,
    /// How many chats these are; 0 where they are all.
    chats: i64,
}

async fn totals(
    db: &mut PgConnection,
    tenant: TenantId,
    tags: &[i64],
    whose: Option<&Reach>,
) -> Result<Totals, sqlx::Error> {
    let carriers = |sql: &mut Sql, only: &dyn Fn(&mut Sql)| {
        sql.push("(SELECT coalesce(sum(s.customers), 0)::bigint FROM read_models.customer_tag_shares s");
        sql.push(" WHERE s.tenant_id = ").push_bind(tenant.0);
        sql.push(" AND s.tag_id = ANY(").push_bind(tags.to_vec()).push(")");
        only(sql);
        sql.push(")");
    };
    let mut sql = QueryBuilder::new("SELECT *");
    match whose {
        None => sql.push(", of_tags AS own, 0::bigint AS chats FROM (SELECT "),
        Some(reach) => {
            sql.push(" FROM (SELECT ");
            carriers(&mut sql, &|sql| reach.push_only(sql, "s"));
            sql.push(" AS own, (SELECT k.chats FROM (");
            reach.push_count(&mut sql, tenant);
            sql.push(") k) AS chats, ")
        }
    };
    carriers(&mut sql, &|sql| {
        sql.push(" AND s.assigned_user = 0 AND s.assigned_group = 0");
    });
    sql.push(" AS of_tags) t").build_query_as().fetch_one(db).await
}

/// How many customers carry one of these tags, by looking at each.
async fn look(
    db: &mut PgConnection,
    tenant: TenantId,
    tags: &[i64],
    whose: Option<&Reach>,
) -> Result<i64, sqlx::Error> {
    let mut sql =
        QueryBuilder::new("SELECT count(DISTINCT a.wa_id) FROM read_models.customer_tags a WHERE a.tenant_id = ");
    sql.push_bind(tenant.0).push(" AND a.tag_id = ANY(").push_bind(tags.to_vec()).push(")");
    if let Some(reach) = whose {
        reach.push_holds(&mut sql, "a");
    }
    sql.build_query_scalar().fetch_one(db).await
}

/// How many of these chats' customers carry one of these tags, by looking at each.
async fn look_at_chats(
    db: &mut PgConnection,
    tenant: TenantId,
    tags: &[i64],
    reach: &Reach,
) -> Result<i64, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT count(*) FROM read_models.chats c WHERE c.tenant_id = ");
    sql.push_bind(tenant.0);
    reach.push_only(&mut sql, "c");
    push_carries(&mut sql, "c", tags);
    sql.build_query_scalar().fetch_one(db).await
}
