//! Reads the address book: saved contacts, and customers who only wrote, where the reader may read their chat.

use chatledger_application::ports::contacts::ContactEntry;
use chatledger_domain::{
    Actor, TenantId,
    contact::{EmailAddress, PhoneNumber},
};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};

use super::apply::digits;
use crate::{
    inbox::{counted, only_readable, reads_all},
    text::pattern,
};

/// Whether a saved name or email address of the reader's tenant matches.
pub(crate) async fn any_saved_matches(db: &mut PgConnection, pattern: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT FROM read_models.search_contacts($1))";
    sqlx::query_scalar(sql).bind(pattern).fetch_one(db).await
}

/// Where a contact stands in the order: the key of its name, then its id.
pub(super) type Key = (String, String);

/// What is looked for.
pub(super) struct Wanted<'a> {
    pub tenant: TenantId,
    pub actor: &'a Actor,
    pub search: Option<&'a str>,
    /// Only this one.
    pub wa_id: Option<&'a str>,
}

impl Wanted<'_> {
    /// Appends the conditions on saved contacts `s`.
    fn saved(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" FROM read_models.contacts s WHERE s.tenant_id = ").push_bind(self.tenant.0);
        if let Some(wa_id) = self.wa_id {
            sql.push(" AND s.wa_id = ").push_bind(wa_id.to_owned());
        }
        if self.search.is_some() {
            sql.push(" AND s.wa_id IN (SELECT s.wa_id");
            self.saved_match(sql);
            sql.push(" UNION SELECT p.wa_id");
            self.written_match(sql);
            sql.push(" OFFSET 0)");
        }
    }

    /// Appends the conditions on persons `p` that are not saved.
    fn written(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        match self.search {
            Some(_) => self.written_match(sql),
            None => self.readable(sql),
        }
        if let Some(wa_id) = self.wa_id {
            sql.push(" AND p.wa_id = ").push_bind(wa_id.to_owned());
        }
        sql.push(
            " AND NOT EXISTS (SELECT FROM read_models.contacts k
                 WHERE k.tenant_id = p.tenant_id AND k.wa_id = p.wa_id)",
        );
    }

    fn readable(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" FROM read_models.persons p");
        if !reads_all(self.actor) {
            sql.push(" JOIN read_models.chats c ON c.tenant_id = p.tenant_id AND c.wa_id = p.wa_id");
        }
        sql.push(" WHERE p.tenant_id = ").push_bind(self.tenant.0);
        only_readable(sql, self.actor);
    }

    fn saved_match(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let search = self.search.unwrap_or_default();
        sql.push(" FROM read_models.contacts s WHERE s.tenant_id = ").push_bind(self.tenant.0);
        sql.push(" AND (s.search LIKE ").push_bind(pattern(search));
        if let Some(number) = number(search) {
            sql.push(" OR s.digits LIKE ").push_bind(number);
        }
        sql.push(")");
    }

    fn written_match(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let search = self.search.unwrap_or_default();
        self.readable(sql);
        sql.push(" AND (p.search LIKE ").push_bind(pattern(search));
        if let Some(number) = number(search) {
            sql.push(" OR p.search LIKE ").push_bind(number);
        }
        sql.push(")");
    }
}

/// The pattern of a search that may be a number, however it is written.
pub(crate) fn number(search: &str) -> Option<String> {
    let is_number = search.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-()./".contains(c));
    let digits = digits(search);
    (is_number && !digits.is_empty()).then(|| pattern(&digits))
}

/// How many there are.
pub(super) async fn count(db: &mut PgConnection, wanted: &Wanted<'_>) -> Result<i64, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT count(*)");
    let saved = if wanted.search.is_none() && wanted.wa_id.is_none() {
        counted(&mut *db, wanted.tenant, "contacts").await?
    } else {
        wanted.saved(&mut sql);
        sql.build_query_scalar().fetch_one(&mut *db).await?
    };
    let written: i64 = if wanted.search.is_none() && wanted.wa_id.is_none() && reads_all(wanted.actor) {
        // All who wrote, less those who are saved as well: there are fewer saved contacts to look at.
        let both = "SELECT count(*) FROM read_models.contacts s
                    JOIN read_models.persons p ON p.tenant_id = s.tenant_id AND p.wa_id = s.wa_id
                    WHERE s.tenant_id = $1";
        let both: i64 = sqlx::query_scalar(both).bind(wanted.tenant.0).fetch_one(&mut *db).await?;
        counted(&mut *db, wanted.tenant, "persons").await? - both
    } else {
        let mut sql = QueryBuilder::new("SELECT count(*)");
        wanted.written(&mut sql);
        sql.build_query_scalar().fetch_one(db).await?
    };
    Ok(saved + written)
}

/// Contacts by name, then id, after a place; at most `limit`.
pub(super) async fn contacts(
    db: &mut PgConnection,
    wanted: &Wanted<'_>,
    after: Option<&Key>,
    limit: i64,
) -> Result<Vec<(Key, ContactEntry)>, sqlx::Error> {
    // Each half by its own index, then both merged.
    let part = |sql: &mut QueryBuilder<'_, Postgres>, of: &str| {
        if let Some((name, wa_id)) = after {
            sql.push(format!(" AND ({of}.name_key, {of}.wa_id) > (")).push_bind(name.clone()).push(", ");
            sql.push_bind(wa_id.clone()).push(")");
        }
        sql.push(format!(" ORDER BY {of}.name_key, {of}.wa_id LIMIT ")).push_bind(limit);
    };
    let mut sql = QueryBuilder::new(
        "SELECT s.wa_id, s.name, s.name_key, s.phone_numbers::text AS phones, s.email_addresses::text AS emails",
    );
    wanted.saved(&mut sql);
    part(&mut sql, "s");
    let mut rows = sql.build().fetch_all(&mut *db).await?;
    let mut sql = QueryBuilder::new("SELECT p.wa_id, p.name, p.name_key, '[]'::text AS phones, '[]'::text AS emails");
    wanted.written(&mut sql);
    part(&mut sql, "p");
    rows.extend(sql.build().fetch_all(db).await?);
    let mut found = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found)
}

fn entry(row: &PgRow) -> Result<(Key, ContactEntry), sqlx::Error> {
    let wa_id: String = row.try_get("wa_id")?;
    let is_number = wa_id.bytes().all(|b| b.is_ascii_digit());
    let own = if is_number { format!("+{wa_id}") } else { wa_id.clone() };
    let name: String = row.try_get("name")?;
    let mut phone_numbers: Vec<PhoneNumber> = list(row.try_get("phones")?)?;
    let email_addresses: Vec<EmailAddress> = list(row.try_get("emails")?)?;
    // The number of the chat is there even where nobody saved it: clients find the chat by it.
    if is_number && !phone_numbers.iter().any(|phone| digits(&phone.phone_number) == wa_id) {
        phone_numbers.insert(0, PhoneNumber { phone_number: own.clone(), description: "WhatsApp".to_owned() });
    }
    let key = (row.try_get("name_key")?, wa_id);
    let name = if name.trim().is_empty() { own } else { name };
    Ok((key, ContactEntry { name, phone_numbers, email_addresses }))
}

fn list<T: serde::de::DeserializeOwned>(json: &str) -> Result<Vec<T>, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
