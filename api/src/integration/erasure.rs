//! `/api/v1/contacts/{wa_id}/erase/`: forgetting a contact, for those who ask to be forgotten.

use actix_web::{HttpResponse, web};
use chatledger_application::ports::erasures::Erased;
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use crate::{
    error::ApiError,
    extract::{Admin, wa_id_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("POST", "/api/v1/contacts/{wa_id}/erase/", "erase_contact", || to(erase))];

/// What was forgotten. A repeat has nothing left to forget: zeros.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "wa_id": "351912000111", "events": 214, "files": 12, "unsent_messages": 1, "deliveries": 40, "quarantined": 0
}))]
pub struct ErasedContact {
    /// The id stays: it names the chat, without anything that was said in it.
    pub wa_id: String,
    /// Events of the record that were blanked. Their hashes stay, so the record can still be proved.
    pub events: u64,
    /// Files whose bytes are removed.
    pub files: u64,
    /// Messages that were waiting for WhatsApp and are not sent any more.
    pub unsent_messages: u64,
    /// Deliveries to webhooks that lost what they said. What a webhook took before is with its owner.
    pub deliveries: u64,
    /// Calls of WhatsApp that could not be recorded, named the contact, and were dropped.
    pub quarantined: u64,
}

impl ErasedContact {
    fn new(wa_id: String, erased: Erased) -> Self {
        let Erased { events, files, unsent, deliveries, quarantined, .. } = erased;
        Self { wa_id, events, files, unsent_messages: unsent, deliveries, quarantined }
    }
}

/// Forgets a contact: messages, files, profile, saved data, what was kept with taggings. Cannot be undone; again, it
/// changes nothing. Who tagged, assigned and answered when stays. What the contact writes later is a new beginning.
/// For admins.
#[utoipa::path(post, path = "/api/v1/contacts/{wa_id}/erase/", operation_id = "erase_contact", tag = "Contacts",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id.")),
    responses((status = 200, description = "It is forgotten.", body = ErasedContact)))]
pub async fn erase(Admin(caller): Admin, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let erased = state.application.erase_contact(&caller.context(), wa_id.clone()).await?;
    Ok(super::ok(&ErasedContact::new(wa_id.to_string(), erased)))
}
