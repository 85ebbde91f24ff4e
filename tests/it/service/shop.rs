//! The sandbox's shop as its services and agents see it, and customers who come to it.

use chatledger_api::bootstrap::Login;
use chatledger_application::contacts::UpsertContact;
use chatledger_domain::{TenantId, WaId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    http::Answer,
    inbox::{Inbox, contact, text_message},
};

pub const RUI: &str = "351912000111";
pub const ANA: &str = "351912000222";
pub const EVA: &str = "351912000333";
/// Who never came.
pub const NOBODY: &str = "351999999999";

/// A shop with a token for everything and one of an agent.
pub struct Shop {
    pub inbox: Inbox,
    pub admin: String,
    pub agent: String,
}

impl Shop {
    pub async fn start() -> Self {
        let inbox = Inbox::start().await;
        let admin = bearer(&inbox, &inbox.admin).await;
        let agent = bearer(&inbox, &inbox.agent).await;
        Self { inbox, admin, agent }
    }

    /// A call below the base of the API, `shopId` added.
    pub async fn call(&self, method: Method, token: &str, path: &str, body: Option<Value>) -> Answer {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}shopId={}", self.inbox.tenant);
        self.bare(method, token, &path, body).await
    }

    /// A call as it is.
    pub async fn bare(&self, method: Method, token: &str, path: &str, body: Option<Value>) -> Answer {
        let http = &self.inbox.http;
        let mut request = http.raw.request(method, http.url(&format!("whatsapp/{path}"))).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        http.send(request).await
    }

    /// What is asked for, which must come.
    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, &self.admin, path, None).await.expect(200)["data"].take()
    }

    /// What an agent is told.
    pub async fn get_as_agent(&self, path: &str) -> Answer {
        self.call(Method::GET, &self.agent, path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, &self.admin, path, Some(body)).await
    }

    /// The ids of a list of customers.
    pub async fn listed(&self, path: &str) -> Vec<String> {
        wa_ids(&self.get(path).await)
    }

    /// The business wrote from the phone app.
    pub async fn phone_wrote(&self, to: &str, id: &str, timestamp: i64) {
        let echo = json!({"from": "351210000000", "to": to, "id": id, "timestamp": timestamp.to_string(),
                          "type": "text", "text": {"body": "From the phone"}});
        let call = self.inbox.call(json!({"message_echoes": [echo]})).to_string();
        let call = call.replace(r#""field":"messages""#, r#""field":"message_echoes""#);
        self.inbox.deliver(&call).await.expect(200);
        self.inbox.settle().await;
    }

    /// A customer with a name wrote.
    pub async fn named(&self, from: &str, name: &str, timestamp: i64) {
        let message = text_message(from, &format!("wamid.{from}.{timestamp}"), timestamp, "Hello");
        self.inbox.bring(json!({"contacts": [contact(from, name)], "messages": [message]})).await;
        self.inbox.settle().await;
    }

    /// Somebody is saved in the address book.
    pub async fn save(&self, wa_id: &str, name: &str) {
        let tools = self.inbox.tools().await;
        let wa_id = WaId::parse(wa_id).expect("an id");
        let contact = UpsertContact { wa_id, name: Some(name.to_owned()), phone_numbers: None, email_addresses: None };
        tools.application.import_contact(TenantId(self.inbox.tenant), contact).await.expect("saved");
        tools.close().await;
        self.inbox.settle().await;
    }

    /// The admin gives a chat to the agent.
    pub async fn give_to_agent(&self, chat: &str) {
        let body = json!({"assigned_to_user": self.inbox.agent.id});
        self.inbox.patch(&self.inbox.admin, &format!("chat_assignment/{chat}/"), body).await.expect(200);
    }

    /// How many events of a name there are.
    pub async fn events(&self, name: &str) -> i64 {
        self.inbox.count(&format!("SELECT count(*) FROM ledger.events WHERE event_type = '{name}'")).await
    }
}

/// The ids of customers.
pub fn wa_ids(data: &Value) -> Vec<String> {
    let customers = data["customers"].as_array().expect("a list");
    customers.iter().map(|customer| customer["waId"].as_str().expect("an id").to_owned()).collect()
}

/// A token for a user's password.
pub async fn bearer(inbox: &Inbox, login: &Login) -> String {
    let body = json!({"username": login.username, "password": login.password, "shopId": inbox.tenant});
    let made = inbox.http.call(Method::POST, "whatsapp/auth/token", None, Some(body)).await.expect(200);
    made["data"]["accessToken"].as_str().expect("a token").to_owned()
}
