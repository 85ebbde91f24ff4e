//! The number that a token speaks for, as Cloud tells it.

use chatledger_application::ports::whatsapp_account::{Account, AccountFault, FoundNumber};
use chatledger_domain::{
    RawJson,
    whatsapp_account::{Channel, Number},
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use crate::whatsapp::client::WhatsAppClient;

/// What is asked: the business account stands only among those whose health decides over the number.
const FIELDS: &str = "id,display_phone_number,verified_name,health_status";

#[derive(Deserialize)]
struct Told {
    id: String,
    display_phone_number: String,
    #[serde(default)]
    verified_name: Option<String>,
    #[serde(default)]
    health_status: Option<Health>,
}

#[derive(Deserialize)]
struct Health {
    #[serde(default)]
    entities: Vec<Entity>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(default)]
    entity_type: String,
    #[serde(default)]
    id: String,
}

pub(super) async fn of_cloud(
    client: &WhatsAppClient,
    phone_number_id: &str,
    access_token: &str,
) -> Result<FoundNumber, AccountFault> {
    let number = Number {
        phone_number_id: phone_number_id.to_owned(),
        display_phone_number: String::new(),
        channel: Channel::Cloud,
        waba_id: None,
    };
    let account = Account { number, access_token: access_token.to_owned() };
    let call = Call::new(client, &account, Method::GET, &[phone_number_id]).query("fields", FIELDS);
    let told: Told = match call.read().await {
        Ok(told) => told,
        Err(AccountFault::NotFound) => return Err(unknown("WhatsApp has no such number.")),
        Err(fault) => return Err(fault),
    };
    if told.id != phone_number_id {
        return Err(unknown("WhatsApp told of another number."));
    }
    let entities = told.health_status.map(|health| health.entities).unwrap_or_default();
    let waba_id = entities.into_iter().find(|entity| entity.entity_type == "WABA").map(|entity| entity.id);
    Ok(FoundNumber {
        display_phone_number: told.display_phone_number,
        verified_name: told.verified_name.filter(|name| !name.is_empty()),
        waba_id: waba_id.filter(|id| !id.is_empty()),
    })
}

/// As WhatsApp itself says of what there is not.
fn unknown(details: &str) -> AccountFault {
    let error = json!({ "code": 100, "title": "Unknown number", "details": details });
    AccountFault::Refused(RawJson::from(&json!([error])))
}
