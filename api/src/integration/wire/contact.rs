//! Contacts of address books.

use chatledger_application::contacts::FoundContact;
use chatledger_domain::contact::initials;
use serde::Serialize;
use utoipa::ToSchema;

use super::Person;

/// A phone number.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhoneNumber<'a> {
    /// The number.
    pub phone_number: &'a str,
    /// What it is.
    pub description: &'a str,
}

/// An email address.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmailAddress<'a> {
    /// The address.
    pub email_address: &'a str,
    /// What it is.
    pub description: &'a str,
}

/// An address book.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactProvider<'a> {
    /// Its kind: `internal` or `http`.
    pub r#type: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its id.
    pub id: &'a str,
}

/// A contact in an address book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "Rui Costa", "initials": "RC",
    "phone_numbers": [{"phone_number": "+351912000111", "description": "mobile"}],
    "email_addresses": [{"email_address": "rui@costa.example", "description": "work"}],
    "contact_provider": {"type": "internal", "name": "Contacts", "id": "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11"}
}))]
pub struct ContactProviderResult<'a> {
    /// Its name.
    pub name: &'a str,
    /// First letters of first and last word of the name, else of its number.
    pub initials: String,
    /// Its phone numbers.
    pub phone_numbers: Vec<PhoneNumber<'a>>,
    /// Its email addresses.
    pub email_addresses: Vec<EmailAddress<'a>>,
    /// The address book.
    pub contact_provider: ContactProvider<'a>,
}

impl<'a> ContactProviderResult<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(found: &'a FoundContact) -> Self {
        let FoundContact { contact, provider } = found;
        let phone = |phone: &'a chatledger_domain::contact::PhoneNumber| PhoneNumber {
            phone_number: &phone.phone_number,
            description: &phone.description,
        };
        let email = |email: &'a chatledger_domain::contact::EmailAddress| EmailAddress {
            email_address: &email.email_address,
            description: &email.description,
        };
        Self {
            name: &contact.name,
            // A name that is a number stands for itself by its first digit, as in persons.
            initials: initials(contact.name.trim_start_matches('+'), ""),
            phone_numbers: contact.phone_numbers.iter().map(phone).collect(),
            email_addresses: contact.email_addresses.iter().map(email).collect(),
            contact_provider: ContactProvider { r#type: provider.kind, name: &provider.name, id: &provider.id },
        }
    }
}

/// Contacts of all address books.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactPage<'a> {
    /// All that match, in all address books; -1 where one cannot tell.
    pub count: i64,
    /// The link to the next part.
    pub next: Option<String>,
    /// The contacts of this part, address book by address book.
    pub results: Vec<ContactProviderResult<'a>>,
}

/// What is known of one number.
#[derive(Debug, Serialize, ToSchema)]
pub struct KnownContact<'a> {
    /// The customer, where the caller may read its chat.
    pub person: Option<Person<'a>>,
    /// The contacts with this number.
    pub contact_provider_results: Vec<ContactProviderResult<'a>>,
}
