//! Folds saved contacts.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent,
    contact::{ContactEvent, ContactUpserted, EmailAddress, PhoneNumber},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, checked_wa_id, count_rows, recount},
    text::{clean, lower},
};

/// The read model `contacts`.
pub(crate) struct Contacts;

/// The order looks at so many characters of the name, as that of persons: an index cannot hold longer ones.
const KEY_LENGTH: usize = 200;

#[derive(Default)]
struct Rows<'a> {
    wa_ids: Vec<&'a str>,
    names: Vec<String>,
    keys: Vec<String>,
    phones: Vec<String>,
    emails: Vec<String>,
    searches: Vec<String>,
    digits: Vec<String>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, wa_id: &'a str, contact: &ContactUpserted) {
        let name = clean(contact.name.as_deref().unwrap_or_default()).trim().to_owned();
        let phone = |phone: &PhoneNumber| PhoneNumber {
            phone_number: clean(&phone.phone_number).into_owned(),
            description: clean(&phone.description).into_owned(),
        };
        let email = |email: &EmailAddress| EmailAddress {
            email_address: clean(&email.email_address).into_owned(),
            description: clean(&email.description).into_owned(),
        };
        let phones: Vec<PhoneNumber> = contact.phone_numbers.iter().map(phone).collect();
        let emails: Vec<EmailAddress> = contact.email_addresses.iter().map(email).collect();
        let addresses = emails.iter().map(|email| email.email_address.as_str());
        let numbers = phones.iter().map(|phone| phone.phone_number.as_str());
        self.searches.push(lower(&std::iter::once(name.as_str()).chain(addresses).collect::<Vec<_>>().join("\n")));
        self.digits.push(std::iter::once(wa_id).chain(numbers).map(digits).collect::<Vec<_>>().join("\n"));
        self.wa_ids.push(wa_id);
        self.keys.push(lower(&name).chars().take(KEY_LENGTH).collect());
        self.names.push(name);
        self.phones.push(serde_json::to_string(&phones).unwrap_or_else(|_| "[]".to_owned()));
        self.emails.push(serde_json::to_string(&emails).unwrap_or_else(|_| "[]".to_owned()));
    }

    /// How many contacts are new.
    async fn write(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "WITH written AS (
                 INSERT INTO contacts (tenant_id, wa_id, name, name_key, phone_numbers, email_addresses,
                     search, digits)
                 SELECT $1, wa_id, name, name_key, phones::json, emails::json, search, digits
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
                     AS u (wa_id, name, name_key, phones, emails, search, digits)
                 ON CONFLICT (tenant_id, wa_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
                     phone_numbers = excluded.phone_numbers, email_addresses = excluded.email_addresses,
                     search = excluded.search, digits = excluded.digits
                 RETURNING xmax = 0 AS fresh)
             SELECT count(*) FILTER (WHERE fresh) FROM written",
        )
        .bind(batch.tenant.0)
        .bind(&self.wa_ids)
        .bind(&self.names)
        .bind(&self.keys)
        .bind(&self.phones)
        .bind(&self.emails)
        .bind(&self.searches)
        .bind(&self.digits)
        .fetch_one(db)
        .await
    }
}

/// The digits of a number as people write it.
pub(super) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[async_trait]
impl Projection for Contacts {
    fn name(&self) -> &'static str {
        "contacts"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("contacts")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        // The last word on each contact holds all of it.
        let mut last = std::collections::BTreeMap::new();
        for recorded in &batch.events {
            match &recorded.event {
                AnyEvent::Contact(ContactEvent::ContactUpserted(contact)) => {
                    last.insert(checked_wa_id(recorded)?, Some(contact));
                }
                AnyEvent::Contact(ContactEvent::ContactErased(_)) => {
                    last.insert(checked_wa_id(recorded)?, None);
                }
                _ => {}
            }
        }
        let (mut rows, mut erased) = (Rows::default(), Vec::new());
        for (wa_id, contact) in last {
            match contact {
                Some(contact) => rows.push(wa_id, contact),
                None => erased.push(wa_id),
            }
        }
        let mut more = 0;
        if !rows.wa_ids.is_empty() {
            more += rows.write(&mut *db, batch).await?;
        }
        if !erased.is_empty() {
            let sql = "DELETE FROM contacts WHERE tenant_id = $1 AND wa_id = ANY($2)";
            let gone = sqlx::query(sql).bind(batch.tenant.0).bind(&erased).execute(&mut *db).await?.rows_affected();
            more -= i64::try_from(gone).unwrap_or(i64::MAX);
            return Ok(recount(db, batch.tenant, self.name(), more).await?);
        }
        count_rows(db, batch.tenant, self.name(), more).await?;
        Ok(())
    }
}
