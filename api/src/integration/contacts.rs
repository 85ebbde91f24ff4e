//! `/api/v1/contacts/`: the address books, and which numbers are on WhatsApp (R-CON-*).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::ports::contacts::{NumberCheck, NumbersToCheck};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    State,
    wire::{ContactPage, ContactProviderResult, KnownContact, Person},
};
use crate::{
    docs::params::ContactParams,
    error::ApiError,
    extract::{Body, Caller, Fields, Query, Valid, text, wa_id_in_path},
    origin,
    page_token::PageTokens,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/contacts/", "list_contacts", || to(list)),
    Endpoint::new("POST", "/api/v1/contacts/verify/", "verify_contacts", || to(verify)),
    Endpoint::new("GET", "/api/v1/contacts/{wa_id}/", "get_contact", || to(get)),
];

/// The most numbers in one check.
const MAX_NUMBERS: usize = 1_000;

/// Contacts of all address books. There is no way back: paging begins at the beginning.
#[utoipa::path(get, path = "/api/v1/contacts/", operation_id = "list_contacts", tag = "Contacts",
    params(ContactParams),
    responses((status = 200, description = "Contacts.", body = ContactPage)))]
pub async fn list(
    caller: Caller,
    state: State,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let search = query.search();
    let tokens = PageTokens::new(&state.settings.media_key, caller.tenant, search.as_deref());
    let places = query.get("pages").map(|token| tokens.read(token));
    if places == Some(None) {
        query.refuse("pages", "This is not a link of this list.");
    }
    let limit = query.page()?.request().limit;
    let places = places.flatten();
    let found = state.application.find_contacts(&caller.context(), search.as_deref(), places.as_deref(), limit).await?;
    let next = found.next.as_deref().map(|places| {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("limit", &limit.to_string()).append_pair("pages", &tokens.make(places));
        search.as_deref().map(|search| pairs.append_pair("search", search));
        format!("{}/api/v1/contacts/?{}", origin::base_url(&request), pairs.finish())
    });
    let results = found.contacts.iter().map(ContactProviderResult::new).collect();
    Ok(super::ok(&ContactPage { count: found.count.unwrap_or(-1), next, results }))
}

/// What is known of a number.
#[utoipa::path(get, path = "/api/v1/contacts/{wa_id}/", operation_id = "get_contact", tag = "Contacts",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id.")),
    responses((status = 200, description = "The customer and its contacts.", body = KnownContact)))]
pub async fn get(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let person = state.inbox.person(caller.tenant, &caller.actor, &wa_id).await?;
    let found = state.application.contacts_of(&caller.context(), &wa_id).await?;
    if person.is_none() && found.is_empty() {
        return Err(ApiError::NotFound);
    }
    let contact_provider_results = found.iter().map(ContactProviderResult::new).collect();
    Ok(super::ok(&KnownContact { person: person.as_ref().map(Person::new), contact_provider_results }))
}

/// Numbers to be checked.
#[derive(ToSchema)]
#[schema(example = json!({"contacts": ["+351 912 000 111"], "blocking": "wait", "force_check": true}))]
pub struct NumbersInput {
    /// At most 1000 numbers, as people write them.
    pub contacts: Vec<String>,
    /// `wait` for WhatsApp's answer, or `no_wait`.
    pub blocking: Option<String>,
    /// Whether WhatsApp should look again.
    pub force_check: Option<bool>,
}

/// A number that was checked.
#[derive(Serialize, ToSchema)]
pub struct CheckedNumber<'a> {
    /// The number as it was given.
    pub input: &'a str,
    /// Its WhatsApp id, where it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wa_id: Option<&'a str>,
    /// `valid`, `invalid`, `processing` or `failed`.
    pub status: String,
}

/// Numbers that were checked.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "contacts": [{"input": "+351 912 000 111", "wa_id": "351912000111", "status": "valid"}]
}))]
pub struct CheckedNumbers<'a> {
    /// In the order in which they were given.
    pub contacts: Vec<CheckedNumber<'a>>,
}

/// Checks whether numbers are on WhatsApp. The Cloud API cannot be asked: there a plausible number is valid.
#[utoipa::path(post, path = "/api/v1/contacts/verify/", operation_id = "verify_contacts", tag = "Contacts",
    request_body = NumbersInput,
    responses((status = 200, description = "The numbers, in their order.", body = CheckedNumbers)))]
pub async fn verify(caller: Caller, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let force = if fields.has("force_check") { fields.boolean("force_check") } else { Some(false) };
    let read = (numbers(&mut fields), waits(&mut fields), force);
    let (inputs, wait, force) = fields.finish(read)?;
    let asked = NumbersToCheck { inputs: inputs.clone(), wait, force };
    let checks = state.application.verify_contacts(&caller.context(), asked).await?;
    let checked = |(input, check): (_, &'_ NumberCheck)| (input, check.clone());
    let checks: Vec<_> = inputs.iter().zip(&checks).map(checked).collect();
    let contacts = checks.iter().map(|(input, check)| CheckedNumber {
        input,
        wa_id: if let NumberCheck::Valid(wa_id) = check { Some(wa_id) } else { None },
        status: check.to_string(),
    });
    Ok(super::ok(&CheckedNumbers { contacts: contacts.collect() }))
}

fn numbers(fields: &mut Fields) -> Valid<Vec<String>> {
    let (_, value) = fields.json("contacts")?;
    let Value::Array(items) = value else {
        fields.refuse("contacts", text::not_a_list(&value));
        return None;
    };
    if items.len() > MAX_NUMBERS {
        fields.refuse("contacts", format!("Ensure this field has no more than {MAX_NUMBERS} elements."));
        return None;
    }
    let mut numbers = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Value::String(number) => numbers.push(number),
            _ => fields.refuse(&format!("contacts.{index}"), text::STRING),
        }
    }
    Some(numbers)
}

fn waits(fields: &mut Fields) -> Valid<bool> {
    match fields.optional_text("blocking", usize::MAX)?.as_deref() {
        None | Some("no_wait") => Some(false),
        Some("wait") => Some(true),
        Some(other) => {
            fields.refuse("blocking", format!("\"{other}\" is not a valid choice."));
            None
        }
    }
}
