//! Finds contacts in every address book at once; one that fails or dawdles is left out (R-CON-1, R-CON-2, R-CON-4).

use std::{future::Future, sync::Arc, time::Duration};

use chatledger_domain::WaId;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::{
        Unavailable,
        contacts::{ContactEntry, ContactPage, ContactProvider, ContactQuery, ProviderOf, Reader},
    },
};

/// How long an address book may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the last page ended in one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The provider's id.
    #[serde(rename = "p")]
    pub provider: String,
    /// Where to go on; `None` where there is no more.
    #[serde(rename = "a")]
    pub after: Option<String>,
    /// How many it had; `None` where it cannot tell.
    #[serde(rename = "c")]
    pub count: Option<i64>,
}

/// A contact, and the address book it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundContact {
    /// The contact.
    pub contact: ContactEntry,
    /// The address book.
    pub provider: ProviderOf,
}

/// A page of contacts out of all address books.
#[derive(Clone, Debug)]
pub struct FoundContacts {
    /// Those of the first provider, then those of the second …
    pub contacts: Vec<FoundContact>,
    /// All of them together; `None` if one provider cannot tell.
    pub count: Option<i64>,
    /// Where to go on; `None` at the end of all.
    pub next: Option<Vec<Place>>,
}

impl Application {
    /// Contacts in every address book, `limit` of each.
    ///
    /// # Errors
    /// The directory's fault; never a provider's.
    pub async fn find_contacts(
        &self,
        context: &Context,
        search: Option<&str>,
        places: Option<&[Place]>,
        limit: i64,
    ) -> Result<FoundContacts, ApplicationError> {
        let slug = self.slug_of(context).await?;
        let reader = Reader { tenant: context.tenant, slug: &slug, actor: &context.actor };
        let asked = self.contact_providers.iter().map(|provider| async move {
            let of = provider.of(context.tenant);
            let place = places.map(|places| places.iter().find(|place| place.provider == of.id));
            let after = match place {
                // Ended before, or configured since the first page.
                Some(None | Some(Place { after: None, .. })) => {
                    let count = place.flatten().map_or(Some(0), |place| place.count);
                    return (of, ContactPage { count, ..ContactPage::default() });
                }
                Some(Some(place)) => place.after.as_deref(),
                None => None,
            };
            let query = ContactQuery { search, after, limit };
            let page = patient(&of, provider.search(reader, query)).await.unwrap_or_default();
            (of, page)
        });
        let mut found = FoundContacts { contacts: Vec::new(), count: Some(0), next: None };
        let mut next = Vec::new();
        for (of, page) in join_all(asked).await {
            let ContactPage { contacts, next: after, count } = page;
            found.count = found.count.zip(count).map(|(all, more)| all.saturating_add(more));
            next.push(Place { provider: of.id.clone(), after, count });
            found.contacts.extend(contacts.into_iter().map(|contact| FoundContact { contact, provider: of.clone() }));
        }
        found.next = next.iter().any(|place| place.after.is_some()).then_some(next);
        Ok(found)
    }

    /// What the address books know of one number.
    ///
    /// # Errors
    /// The directory's fault; never a provider's.
    pub async fn contacts_of(&self, context: &Context, wa_id: &WaId) -> Result<Vec<FoundContact>, ApplicationError> {
        let slug = self.slug_of(context).await?;
        let reader = Reader { tenant: context.tenant, slug: &slug, actor: &context.actor };
        let asked = self.contact_providers.iter().map(|provider: &Arc<dyn ContactProvider>| async move {
            let of = provider.of(context.tenant);
            let found = patient(&of, provider.by_wa_id(reader, wa_id)).await.unwrap_or_default();
            found.into_iter().map(move |contact| FoundContact { contact, provider: of.clone() })
        });
        Ok(join_all(asked).await.into_iter().flatten().collect())
    }

    async fn slug_of(&self, context: &Context) -> Result<String, ApplicationError> {
        Ok(self.directory.by_id(context.tenant).await?.map(|entry| entry.slug).unwrap_or_default())
    }
}

/// What a provider answers in time; `None` where it does not.
async fn patient<T>(of: &ProviderOf, answer: impl Future<Output = Result<T, Unavailable>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(provider = of.name, ?error, "a contact provider failed");
            None
        }
        Err(_) => {
            tracing::warn!(provider = of.name, "a contact provider did not answer in time");
            None
        }
    }
}
