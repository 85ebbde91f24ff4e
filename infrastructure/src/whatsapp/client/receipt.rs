//! The call that shows a customer that its message was read.

use async_trait::async_trait;
use chatledger_application::ports::receipts::{NotTold, ReadReceipts};
use chatledger_domain::whatsapp_account::{Channel, Number};
use reqwest::Method;
use serde_json::json;

use super::{WhatsAppClient, reason_of, request};

#[async_trait]
impl ReadReceipts for WhatsAppClient {
    async fn tell_read(&self, number: &Number, access_token: &str, waba_id: &str) -> Result<(), NotTold> {
        let fault = |fault: &str| NotTold(fault.to_owned());
        let (name, credential) = request::credential(number.channel, access_token).map_err(fault)?;
        let (method, url, body) = match number.channel {
            Channel::Onpremises => {
                let url = request::url(&self.endpoints.onpremises_url, &["v1", "messages", waba_id]);
                (Method::PUT, url, json!({"status": "read"}))
            }
            Channel::Cloud | Channel::D360 => {
                let url = request::messages_url(&self.endpoints, number);
                (Method::POST, url, json!({"messaging_product": "whatsapp", "status": "read", "message_id": waba_id}))
            }
        };
        let call = self.http.request(method, url.map_err(fault)?).header(name, credential).json(&body);
        let answer = call.send().await.map_err(|error| NotTold(reason_of(&error)))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(NotTold(format!("HTTP {}", status.as_u16()))) }
    }
}
