//! The built-in address book (R-CON-1).

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    contacts::{ContactEntry, ContactPage, ContactProvider, ContactQuery, ProviderOf, Reader},
};
use chatledger_domain::{TenantId, WaId};
use sqlx::PgPool;

use super::query::{Key, Wanted, contacts, count};
use crate::unavailable;

/// The provider `internal`: the tenant's own contacts.
#[derive(Clone, Debug)]
pub struct InternalContacts {
    pool: PgPool,
}

impl InternalContacts {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ContactProvider for InternalContacts {
    fn of(&self, tenant: TenantId) -> ProviderOf {
        ProviderOf { kind: "internal", name: "Contacts".to_owned(), id: tenant.to_string() }
    }

    async fn search(&self, reader: Reader<'_>, query: ContactQuery<'_>) -> Result<ContactPage, Unavailable> {
        let ContactQuery { search, after, limit } = query;
        let wanted = Wanted { tenant: reader.tenant, actor: reader.actor, search, wa_id: None };
        let after: Option<Key> = after.and_then(|after| serde_json::from_str(after).ok());
        let mut db = self.pool.acquire().await.map_err(unavailable)?;
        let count = count(&mut db, &wanted).await.map_err(unavailable)?;
        // One more tells whether there is more.
        let mut found = contacts(&mut db, &wanted, after.as_ref(), limit + 1).await.map_err(unavailable)?;
        let kept = usize::try_from(limit).unwrap_or_default();
        let more = found.len() > kept;
        found.truncate(kept);
        let last = found.last().filter(|_| more);
        let next = last.and_then(|(key, _)| serde_json::to_string(key).ok());
        let contacts = found.into_iter().map(|(_, contact)| contact).collect();
        Ok(ContactPage { contacts, next, count: Some(count) })
    }

    async fn by_wa_id(&self, reader: Reader<'_>, wa_id: &WaId) -> Result<Vec<ContactEntry>, Unavailable> {
        let wanted = Wanted { tenant: reader.tenant, actor: reader.actor, search: None, wa_id: Some(wa_id.as_str()) };
        let mut db = self.pool.acquire().await.map_err(unavailable)?;
        let found = contacts(&mut db, &wanted, None, 1).await.map_err(unavailable)?;
        Ok(found.into_iter().map(|(_, contact)| contact).collect())
    }
}
