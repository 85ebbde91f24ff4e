//! One of everything that an id can name, made through the doors that make it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use chatledger_api::bootstrap::Login;
use reqwest::Method;
use serde_json::{Value, json};

use super::cases::{Case, Placeholder};

use crate::harness::{
    http::Answer,
    inbox::{Inbox, contact, now, text_message},
};

macro_rules! kinds {
    ($($kind:ident = $name:literal absent $absent:literal),+ $(,)?) => {
        /// What an id names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($kind),+ }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            pub fn read(name: &str) -> Self {
                Self::ALL.iter().copied().find(|kind| kind.name() == name).unwrap_or_else(|| panic!("no kind {name}"))
            }

            /// What nothing of this kind is called.
            pub fn absent(self) -> &'static str {
                match self { $(Self::$kind => $absent),+ }
            }
        }
    };
}

kinds! {
    Chat = "chat" absent "351988888888",
    Message = "message" absent "wamid.absent",
    OurMessage = "our_message" absent "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11",
    Text = "text" absent "nobodywrotethis",
    Customer = "customer" absent "nobodyhasthisname",
    Tag = "tag" absent "987654321",
    UsedTag = "used_tag" absent "987654321",
    ChatTagging = "chat_tagging" absent "987654321",
    MessageTagging = "message_tagging" absent "987654321",
    User = "user" absent "987654321",
    Group = "group" absent "987654321",
    BulkMessage = "bulk_message" absent "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e12",
    Webhook = "webhook" absent "987654321",
    Delivery = "delivery" absent "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e14",
    SavedResponse = "saved_response" absent "987654321",
    SavedText = "saved_text" absent "nobodysavedthis",
    Template = "template" absent "no_such_template",
    Media = "media" absent "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e13",
    Rule = "rule" absent "987654321",
    ApiToken = "api_token" absent "987654321",
}

/// Whose things they are, and how they are made there.
pub struct Side<'a> {
    pub inbox: &'a Inbox,
    pub admin: Login,
    /// WhatsApp's id of the tenant's number.
    pub number: String,
}

/// Things that belong together: the message is of the chat, the taggings are of both.
#[derive(Clone, Debug, Default)]
pub struct Things(BTreeMap<Kind, String>);

/// A PNG of one pixel.
const PHOTO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

static MADE: AtomicU64 = AtomicU64::new(1);

/// A number that was not given before.
pub fn fresh() -> u64 {
    MADE.fetch_add(1, Ordering::Relaxed)
}

impl Side<'_> {
    /// A thing of a kind, made where it is not there yet.
    pub async fn id(&self, things: &mut Things, kind: Kind) -> String {
        if let Some(made) = things.0.get(&kind) {
            return made.clone();
        }
        let made = Box::pin(self.make(things, kind)).await;
        things.0.insert(kind, made.clone());
        made
    }

    /// A case with things of this side wherever it names one: path and body.
    pub async fn filled(&self, things: &mut Things, case: &Case) -> (String, Option<Value>) {
        let (mut path, mut body) = (case.path.clone(), case.body.clone());
        if ["get_profile_photo", "delete_profile_photo"].contains(&case.route.operation) {
            let photo = Some(json!({ "file_encoded": PHOTO }));
            self.call(Method::POST, "settings/profile/photo/", photo).await.expect(200);
        }
        for placeholder in case.placeholders() {
            let value = match placeholder {
                Placeholder::Probed(kind) | Placeholder::Own(kind) => self.id(things, kind).await,
                Placeholder::New => format!("new{}", fresh()),
            };
            path = path.replace(&placeholder.text(), &value);
            body = body.map(|body| body.replace(&placeholder.text(), &value));
        }
        let json =
            |text: String| serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}: {text}", case.name()));
        (path, body.map(json))
    }

    async fn make(&self, things: &mut Things, kind: Kind) -> String {
        match kind {
            Kind::Chat | Kind::Message | Kind::Text | Kind::Customer => {
                self.customer_writes(things).await;
                things.0[&kind].clone()
            }
            Kind::OurMessage => {
                let chat = self.id(things, Kind::Chat).await;
                let page = self.call(Method::GET, &format!("messages/?wa_id={chat}&limit=1"), None).await.expect(200);
                page["results"][0]["id"].as_str().expect("an id").to_owned()
            }
            Kind::Tag => self.create("tags/", json!({"name": format!("tag {}", fresh())})).await,
            Kind::UsedTag => {
                self.id(things, Kind::MessageTagging).await;
                self.id(things, Kind::Tag).await
            }
            Kind::ChatTagging => {
                // A tag of its own: the other one may have come to the chat with the message.
                let tag = self.create("tags/", json!({"name": format!("tag {}", fresh())})).await;
                let chat = self.id(things, Kind::Chat).await;
                self.create("chat_tagging/", json!({"tag": number(&tag), "chat": chat})).await
            }
            Kind::MessageTagging => {
                let (tag, message) = (self.id(things, Kind::Tag).await, self.id(things, Kind::Message).await);
                self.create("message_tagging/", json!({"tag": number(&tag), "message": message})).await
            }
            Kind::User => self.user("user").await.0,
            Kind::Group => self.create("groups/", json!({"name": format!("group {}", fresh())})).await,
            Kind::BulkMessage => {
                let chat = self.id(things, Kind::Chat).await;
                let payload = json!({"type": "text", "text": {"body": "Hello"}});
                self.create("bulk_messages/", json!({"recipients": [{"recipient": chat}], "payload": payload})).await
            }
            Kind::Webhook => self.webhook().await,
            Kind::Delivery => {
                let webhook = self.id(things, Kind::Webhook).await;
                self.delivery(&webhook).await
            }
            Kind::SavedResponse | Kind::SavedText => {
                let text = format!("canarysaved{}", fresh());
                let id = self.create("saved_responses/", json!({"text": text})).await;
                things.0.extend([(Kind::SavedResponse, id), (Kind::SavedText, text)]);
                things.0[&kind].clone()
            }
            Kind::Template => {
                let name = format!("template_{}", fresh());
                let components = json!([{"type": "BODY", "text": "Hello"}]);
                let body = json!({"name": name, "category": "UTILITY", "language": "en_US", "components": components});
                self.call(Method::POST, "templates/", Some(body)).await.expect(201);
                name
            }
            Kind::Media => self.create("media/", json!({"file_encoded": "JVBERi0xLjQKJSVFT0YK"})).await,
            Kind::Rule => {
                let user = self.id(things, Kind::User).await;
                self.create("settings/rule_engine/rules/", json!({"assign_to_user": number(&user)})).await
            }
            Kind::ApiToken => self.create("settings/api_tokens/", json!({"name": format!("token {}", fresh())})).await,
        }
    }

    /// A new customer writes: chat, message, text and name in one.
    async fn customer_writes(&self, things: &mut Things) {
        let n = fresh();
        let chat = format!("3519{:08}", n);
        let (message, text, name) = (format!("wamid.made{n}"), format!("canarytext{n}"), format!("canaryname{n}"));
        let value = json!({"contacts": [contact(&chat, &name)],
                           "messages": [text_message(&chat, &message, now(), &text)]});
        let call = self.inbox.call(value).to_string().replace(&self.inbox.phone_number_id, &self.number);
        assert_eq!(self.inbox.deliver(&call).await.status, 200);
        self.inbox.settle().await;
        let made = [(Kind::Chat, chat), (Kind::Message, message), (Kind::Text, text), (Kind::Customer, name)];
        things.0.extend(made);
    }

    /// A new active user of a role: its id, and the token of a program.
    async fn user(&self, role: &str) -> (String, Option<String>) {
        let body = json!({"username": format!("{role}{}", fresh()), "profile": {"role": role}});
        let user = self.call(Method::POST, "users/", Some(body)).await.expect(201);
        let link = user["activation_url"].as_str().expect("a link");
        let path = link.split_once("/api/v1/").expect("a path").1;
        let activated = self.inbox.http.call(Method::GET, path, None, None).await.expect(200);
        (user["id"].to_string(), activated["token"].as_str().map(str::to_owned))
    }

    /// A webhook of a new program: a user has one at most.
    async fn webhook(&self) -> String {
        let (_, token) = self.user("app").await;
        let body = Some(json!({"url": "http://127.0.0.1:9009/hook"}));
        let made = self.inbox.http.call(Method::POST, "webhooks/waba/", token.as_deref(), body).await.expect(201);
        made["id"].to_string()
    }

    /// A delivery that this webhook would not take.
    async fn delivery(&self, webhook: &str) -> String {
        let shown = self.call(Method::GET, &format!("webhooks/waba/{webhook}/"), None).await.expect(200);
        let (id, made) = (uuid::Uuid::new_v4(), fresh());
        sqlx::query(
            "INSERT INTO outbound.deliveries (tenant_id, receiver, position, part, id, wa_ids, keys, state)
             SELECT tenant_id, $2::bigint, $3, 0, $4, '{}', '{chat_tagging}', 'dead' FROM read_models.users
              WHERE username = $1",
        )
        .bind(shown["user"]["username"].as_str())
        .bind(number(webhook).as_i64())
        .bind(i64::try_from(made).expect("a position"))
        .bind(id)
        .execute(&self.inbox.pool)
        .await
        .expect("a delivery");
        id.to_string()
    }

    /// Creates something; its id as text.
    async fn create(&self, path: &str, body: Value) -> String {
        let made = self.call(Method::POST, path, Some(body)).await.expect(201);
        match &made["id"] {
            Value::String(id) => id.clone(),
            id => id.to_string(),
        }
    }

    /// Deletes what can be deleted; whether it could.
    pub async fn delete(&self, things: &mut Things, kind: Kind) -> bool {
        let root = match kind {
            Kind::Tag => "tags",
            Kind::ChatTagging => "chat_tagging",
            Kind::MessageTagging => "message_tagging",
            Kind::Group => "groups",
            Kind::Webhook => "webhooks/waba",
            Kind::SavedResponse => "saved_responses",
            Kind::Template => "templates",
            Kind::Rule => "settings/rule_engine/rules",
            Kind::ApiToken => "settings/api_tokens",
            _ => return false,
        };
        let id = self.id(things, kind).await;
        self.call(Method::DELETE, &format!("{root}/{id}/"), None).await.expect(204);
        true
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.inbox.http.call(method, path, Some(&self.admin.token), body).await
    }
}

/// An id on the wire that is a number.
pub fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| json!(id), |id| json!(id))
}
