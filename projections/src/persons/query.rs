//! Reads persons.

use std::{collections::HashMap, sync::Arc};

use chatledger_domain::{Actor, RawJson, TenantId, UserId, WaId, window};
use serde_json::json;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};

use crate::{
    inbox::{counted, only_readable, raw_json, reads_all, wa_id},
    text::pattern,
    views::{Page, PageRequest, PersonView},
};

const COLUMNS: &str = "p.wa_id, p.profile::text AS profile, p.name, p.initials, p.last_message_timestamp,
    p.referred_at, p.resolved, coalesce(t.free_entry_window, false) AS free_entry_window";
const FROM: &str = "read_models.persons p LEFT JOIN read_models.tenants t ON t.tenant_id = p.tenant_id";

/// A person, and how far the asking user has received its messages.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub person: Arc<PersonView>,
    /// The user's received mark.
    pub mark: Option<i64>,
    /// How many incoming messages are at or below it.
    pub incoming_read: i64,
}

impl Known {
    /// A person of whom nothing is known.
    pub(crate) fn nobody(wa_id: WaId) -> Self {
        let initials = wa_id.as_str().chars().take(1).collect();
        let person = PersonView {
            profile: profile("", wa_id.as_str()),
            wa_id,
            name: String::new(),
            initials,
            last_message_timestamp: None,
            window_closes_at: None,
            resolved: false,
        };
        Self { person: Arc::new(person), mark: None, incoming_read: 0 }
    }
}

fn profile(name: &str, wa_id: &str) -> RawJson {
    RawJson::from(&json!({ "profile": { "name": name }, "wa_id": wa_id }))
}

fn view(row: &PgRow) -> Result<PersonView, sqlx::Error> {
    let wa_id = wa_id(row.try_get("wa_id")?)?;
    let name: String = row.try_get("name")?;
    let last_message_timestamp = row.try_get("last_message_timestamp")?;
    Ok(PersonView {
        profile: match row.try_get::<Option<String>, _>("profile")? {
            Some(seen) => raw_json(seen)?,
            None => profile(&name, wa_id.as_str()),
        },
        wa_id,
        name,
        initials: row.try_get("initials")?,
        last_message_timestamp,
        window_closes_at: window::closes_at(
            last_message_timestamp,
            row.try_get("referred_at")?,
            row.try_get("free_entry_window")?,
        ),
        resolved: row.try_get("resolved")?,
    })
}

/// Some persons, with the user's marks.
pub(crate) async fn persons_by_id(
    db: &mut PgConnection,
    tenant: TenantId,
    reader: UserId,
    wa_ids: &[&str],
) -> Result<HashMap<String, Known>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS}, r.mark, coalesce(r.incoming_read, 0) AS incoming_read FROM {FROM}
         LEFT JOIN read_models.received_marks r
             ON r.tenant_id = p.tenant_id AND r.wa_id = p.wa_id AND r.user_id = $3
         WHERE p.tenant_id = $1 AND p.wa_id = ANY($2)"
    );
    let rows = sqlx::query(&sql).bind(tenant.0).bind(wa_ids).bind(reader.0).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let known = Known {
                person: Arc::new(view(row)?),
                mark: row.try_get("mark")?,
                incoming_read: row.try_get("incoming_read")?,
            };
            Ok((known.person.wa_id.as_str().to_owned(), known))
        })
        .collect()
}

/// The persons of readable chats, by name. Who may read every chat also sees who has none.
pub(crate) async fn persons(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    search: Option<&str>,
    wa_id: Option<&WaId>,
    part: PageRequest,
) -> Result<Page<PersonView>, sqlx::Error> {
    let condition = |sql: &mut QueryBuilder<'_, Postgres>| {
        if !reads_all(actor) {
            sql.push(" JOIN read_models.chats c ON c.tenant_id = p.tenant_id AND c.wa_id = p.wa_id");
        }
        sql.push(" WHERE p.tenant_id = ").push_bind(tenant.0);
        if let Some(search) = search {
            sql.push(" AND p.wa_id IN (SELECT read_models.search_persons(").push_bind(pattern(search)).push("))");
        }
        if let Some(wa_id) = wa_id {
            sql.push(" AND p.wa_id = ").push_bind(wa_id.as_str().to_owned());
        }
        only_readable(sql, actor);
    };
    let count = if search.is_none() && wa_id.is_none() && reads_all(actor) {
        counted(&mut *db, tenant, "persons").await?
    } else {
        let mut sql = QueryBuilder::new("SELECT count(*) FROM read_models.persons p");
        condition(&mut sql);
        sql.build_query_scalar().fetch_one(&mut *db).await?
    };
    let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM {FROM}"));
    condition(&mut sql);
    sql.push(" ORDER BY p.name_key, p.wa_id LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
}
