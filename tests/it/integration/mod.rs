//! The contract of the Integration API, rule by rule, through the real HTTP door.
//!
//! Each test is named after its rule in the contract.

mod accounts;
mod activation;
mod addresses;
mod api_tokens;
mod assignment;
mod auth;
mod bulk;
mod chats;
mod consistency;
mod contacts;
mod conventions;
mod deactivation;
mod filters;
mod general;
mod group_permissions;
mod groups;
mod headers;
mod media;
mod messages_list;
mod pagination;
mod passwords;
mod permissions;
mod photo;
mod plugins;
mod profile;
mod provider;
mod received;
mod resolve;
mod rule_engine;
mod saved_responses;
mod secrets;
mod sessions;
mod source_document;
mod tags;
mod templates;
mod tenant_settings;
mod tenants;
mod throttles;
mod users;
mod users_groups;
mod web_inbox;
mod webhooks;
mod window;

use std::fmt;

use chatledger_api::bootstrap::Login;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, json, value::RawValue};

use crate::harness::{
    http::Answer,
    inbox::{Inbox, contact, text_message},
};

const RUI: &str = "351912000111";
const ANA: &str = "351912000222";
const EVA: &str = "351912000333";
/// Whose chat there is not.
const NOBODY: &str = "351999999999";

const FORBIDDEN: &str = r#"{"detail":"You do not have permission to perform this action."}"#;
const NOT_FOUND: &str = r#"{"detail":"Not found."}"#;
const NOT_PROVIDED: &str = r#"{"detail":"Authentication credentials were not provided."}"#;

/// Every list.
const LISTS: [&str; 13] = [
    "chats/",
    "messages/",
    "persons/",
    "tags/",
    "users/",
    "groups/",
    "templates/",
    "chat_assignment_events/",
    "chat_tagging_events/",
    "message_tagging_events/",
    "saved_responses/",
    "bulk_messages/",
    "bulk_message_elements/",
];

/// A JSON object's keys and values as they came, in order.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// The keys of a JSON object, in order, joined by blanks.
fn keys(json: &str) -> String {
    let Pairs(pairs) = serde_json::from_str(json).expect("an object");
    pairs.into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(" ")
}

/// The text of a value below these keys; of a list, its first element.
fn inside(json: &str, path: &[&str]) -> String {
    path.iter().fold(json.to_owned(), |json, key| {
        if json.starts_with('[') {
            let list: Vec<Box<RawValue>> = serde_json::from_str(&json).expect("a list");
            return list[key.parse::<usize>().expect("an index")].get().to_owned();
        }
        let Pairs(pairs) = serde_json::from_str(&json).expect("an object");
        let found = pairs.into_iter().find(|(name, _)| name == key);
        found.unwrap_or_else(|| panic!("{key} is missing in {json}")).1.get().to_owned()
    })
}

/// A field of every result of a page.
fn column(page: &Value, pointer: &str) -> Vec<Value> {
    let results = page["results"].as_array().unwrap_or_else(|| panic!("no page: {page}"));
    results.iter().map(|row| row.pointer(pointer).cloned().unwrap_or_default()).collect()
}

/// The bodies of the text messages of a page.
fn bodies(page: &Value) -> Vec<Value> {
    column(page, "/waba_payload/text/body")
}

impl Inbox {
    /// A page, which must come.
    async fn page(&self, by: &Login, path: &str) -> Value {
        self.get(by, path).await.expect(200)
    }

    /// How many a list says there are.
    async fn total(&self, by: &Login, path: &str) -> i64 {
        self.page(by, path).await["count"].as_i64().expect("a number")
    }

    /// The admin creates a tag; its id.
    async fn tag(&self, name: &str) -> i64 {
        let tag = self.post(&self.admin, "tags/", json!({ "name": name })).await.expect(201);
        tag["id"].as_i64().expect("a number")
    }

    /// The admin tags a chat; the tagging's id.
    async fn tag_chat(&self, tag: i64, chat: &str) -> i64 {
        let made = self.post(&self.admin, "chat_tagging/", json!({"tag": tag, "chat": chat})).await.expect(201);
        made["id"].as_i64().expect("a number")
    }

    /// The admin tags a message; the tagging's id.
    async fn tag_message(&self, tag: i64, message: &str) -> i64 {
        let body = json!({"tag": tag, "message": message});
        let made = self.post(&self.admin, "message_tagging/", body).await.expect(201);
        made["id"].as_i64().expect("a number")
    }

    /// Changes a chat's assignment.
    async fn assign(&self, by: &Login, chat: &str, change: Value) -> Answer {
        self.patch(by, &format!("chat_assignment/{chat}/"), change).await
    }

    /// The admin gives a chat to a user.
    async fn give(&self, chat: &str, user: &Login) {
        self.assign(&self.admin, chat, json!({"assigned_to_user": user.id})).await.expect(200);
    }

    /// The id of a group.
    async fn group(&self, name: &str) -> i64 {
        let groups = self.page(&self.admin, "groups/").await;
        let found = groups["results"].as_array().expect("a list").iter().find(|group| group["name"] == name);
        found.expect("the group is there")["id"].as_i64().expect("a number")
    }

    /// The admin sets one permission of a user.
    async fn allow(&self, user: &Login, permission: &str, value: impl Into<Value>) {
        let body = json!({"permissions": {permission: value.into()}});
        self.patch(&self.admin, &format!("users/{}/", user.id), body).await.expect(200);
    }

    /// A customer with a name wrote.
    async fn named(&self, from: &str, name: &str, text: &str, timestamp: i64) -> String {
        let id = format!("wamid.{from}.{timestamp}");
        let message = text_message(from, &id, timestamp, text);
        self.bring(json!({"contacts": [contact(from, name)], "messages": [message]})).await;
        self.settle().await;
        id
    }

    /// A call whose credential, headers and body the test writes itself.
    async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let method = method.parse().expect("a method");
        let mut request = self.http.raw.request(method, self.http.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.http.send(request.body(body.to_owned())).await
    }
}

/// The value of `Authorization`.
fn credential(login: &Login) -> String {
    format!("Token {}", login.token)
}
