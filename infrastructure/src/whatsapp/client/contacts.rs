//! Asks the on-premises API which numbers are on WhatsApp (R-CON-3).

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    contacts::{ContactCheck, NumberCheck, NumbersToCheck},
};
use chatledger_domain::whatsapp_account::Number;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;

use super::{WhatsAppClient, reason_of};

/// The most of an answer that is read, in bytes: a thousand numbers.
const MAX_ANSWER: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Answer {
    contacts: Vec<Contact>,
}

#[derive(Deserialize)]
struct Contact {
    input: String,
    status: String,
    wa_id: Option<String>,
}

#[async_trait]
impl ContactCheck for WhatsAppClient {
    async fn check(
        &self,
        _: &Number,
        access_token: &str,
        numbers: &NumbersToCheck,
    ) -> Result<Vec<NumberCheck>, Unavailable> {
        let fault = |reason: String| Unavailable::new("WhatsApp", reason);
        let mut key = HeaderValue::from_str(access_token).map_err(|error| Unavailable::new("WhatsApp", error))?;
        key.set_sensitive(true);
        let body = json!({
            "blocking": if numbers.wait { "wait" } else { "no_wait" },
            "contacts": numbers.inputs,
            "force_check": numbers.force,
        });
        let request = self.http.post(format!("{}/v1/contacts", self.endpoints.onpremises_url));
        let sent = request.header("d360-api-key", key).json(&body).send().await;
        let mut response = sent.map_err(|error| fault(reason_of(&error)))?;
        if !response.status().is_success() {
            return Err(fault(format!("answered {}", response.status().as_u16())));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(reason_of(&error)))? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(fault("answered too much".to_owned()));
            }
            bytes.extend_from_slice(&chunk);
        }
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| Unavailable::new("WhatsApp", error))?;
        let told: HashMap<String, NumberCheck> = answer.contacts.into_iter().map(read).collect();
        // Its answers may come in another order, and a number asked twice is answered once.
        let of = |input: &String| told.get(input).cloned().unwrap_or(NumberCheck::Failed);
        Ok(numbers.inputs.iter().map(of).collect())
    }
}

fn read(contact: Contact) -> (String, NumberCheck) {
    let check = match (contact.status.as_str(), contact.wa_id) {
        ("valid", Some(wa_id)) => NumberCheck::Valid(wa_id),
        ("invalid", _) => NumberCheck::Invalid,
        ("processing", _) => NumberCheck::Processing,
        _ => NumberCheck::Failed,
    };
    (contact.input, check)
}
