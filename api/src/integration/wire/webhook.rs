//! Webhooks and what else connects programs to an inbox.

use std::collections::BTreeMap;

use chatledger_application::{
    endpoints::CallTarget,
    webhooks::{ShownSecret, ShownSecrets},
};
use chatledger_projections::views::{ApiTokenView, RuleView, WebhookView};
use serde::Serialize;
use utoipa::ToSchema;

use super::Links;

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 3, "user": {"id": 7, "username": "crmbot", "url": "https://acme.inbox.example.com/api/v1/users/7/"},
    "url": "https://crm.acme.example/hook?auth=s3cr3t", "on_incoming_message": true, "on_outgoing_message": false,
    "on_assigned": false, "headers": {}
}))]
pub struct WabaWebhook<'a> {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub user: WebhookUser<'a>,
    /// Where to.
    pub url: &'a str,
    /// Told of messages of customers.
    pub on_incoming_message: bool,
    /// Told of messages that this side sends.
    pub on_outgoing_message: bool,
    /// Told of messages of chats assigned to its user.
    pub on_assigned: bool,
    /// Headers to send along.
    pub headers: &'a BTreeMap<String, String>,
}

/// The user of a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookUser<'a> {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub username: &'a str,
    /// Where it is read.
    pub url: String,
}

impl<'a> WabaWebhook<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a WebhookView, target: &'a CallTarget, links: &Links<'_>) -> Self {
        Self {
            id: view.id.0,
            user: WebhookUser { id: view.user.0, username: &view.username, url: links.user(view.user) },
            url: &target.url,
            on_incoming_message: view.subscriptions.on_incoming_message,
            on_outgoing_message: view.subscriptions.on_outgoing_message,
            on_assigned: view.subscriptions.on_assigned,
            headers: &target.headers,
        }
    }
}

/// A signing secret that was made just now: the only time that it is shown.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=", "previous_valid_until": 1_767_780_000
}))]
pub struct NewSecret<'a> {
    /// `whsec_` and the base64 of 32 bytes.
    pub secret: &'a str,
    /// Until when the secret before signs as well, POSIX seconds.
    pub previous_valid_until: Option<i64>,
}

/// What calls to a webhook are signed with.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"secrets": [{"last_four": "GKYo", "valid_until": null}], "app_secret": false}))]
pub struct Secrets<'a> {
    /// The secrets that sign now, the newest first.
    pub secrets: Vec<Secret<'a>>,
    /// Whether calls carry `X-Hub-Signature-256`.
    pub app_secret: bool,
}

/// A signing secret.
#[derive(Serialize, ToSchema)]
pub struct Secret<'a> {
    /// Its last four characters.
    pub last_four: &'a str,
    /// Until when it signs, POSIX seconds; `null` for the one in use.
    pub valid_until: Option<i64>,
}

impl<'a> Secrets<'a> {
    /// As the wire shows them.
    #[must_use]
    pub fn new(shown: &'a ShownSecrets) -> Self {
        let secret = |s: &'a ShownSecret| Secret { last_four: &s.last_four, valid_until: s.valid_until };
        Self { secrets: shown.secrets.iter().map(secret).collect(), app_secret: shown.app_secret }
    }
}

/// Who decides on assignments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "mode": "custom", "url": "https://rules.acme.example/engine", "headers": {"Authorization": "Bearer 5ecret"}
}))]
pub struct RuleEngine<'a> {
    /// `default`: the rules kept here; `custom`: the program at `url`.
    pub mode: &'a str,
    /// Where the tenant's own engine is.
    pub url: Option<&'a str>,
    /// Headers to send along.
    pub headers: BTreeMap<String, String>,
}

/// A rule of the default engine.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 31, "tagged_with": 5, "assign_to_user": null, "assign_to_group": 23,
    "group_assign_method": "let_group_decide", "position": 1
}))]
pub struct Rule<'a> {
    /// Its id.
    pub id: i64,
    /// The tag that fires it; `null`: an incoming message of a chat that nobody has. Named on after its deletion.
    pub tagged_with: Option<i64>,
    /// The user who gets the chat.
    pub assign_to_user: Option<i64>,
    /// The group that gets the chat.
    pub assign_to_group: Option<i64>,
    /// `round_robin` or `let_group_decide`, for a group.
    pub group_assign_method: Option<&'a str>,
    /// The first rule that matches is applied; of equal positions the smaller id.
    pub position: i64,
}

impl<'a> Rule<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a RuleView) -> Self {
        Self {
            id: view.id.0,
            tagged_with: view.tagged_with.map(|tag| tag.0),
            assign_to_user: view.assign_to_user.map(|user| user.0),
            assign_to_group: view.assign_to_group.map(|group| group.0),
            group_assign_method: view.group_assign_method.as_deref(),
            position: view.place,
        }
    }
}

/// A token for programs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 57, "name": "ERP", "abilities": ["contacts.read", "messages.send"], "created_at": 1_767_693_600,
    "expires_at": null, "last_four": "3fa9"
}))]
pub struct ApiToken<'a> {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: &'a str,
    /// What it may do.
    pub abilities: &'a [String],
    /// When it was issued, POSIX seconds.
    pub created_at: i64,
    /// When it ends by itself, POSIX seconds.
    pub expires_at: Option<i64>,
    /// Its last four digits, to tell tokens apart.
    pub last_four: &'a str,
}

impl<'a> ApiToken<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a ApiTokenView) -> Self {
        Self {
            id: view.id.0,
            name: &view.name,
            abilities: &view.abilities,
            created_at: view.issued_at,
            expires_at: view.expires_at,
            last_four: &view.last_four,
        }
    }
}

/// A token that was issued just now: the only time that it is shown.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": 57, "name": "ERP", "abilities": ["contacts.read", "messages.send"], "created_at": 1_767_693_600,
    "expires_at": null, "last_four": "3fa9",
    "token": "0a1b2c3d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e73fa9"
}))]
pub struct NewToken<'a> {
    /// What is shown of it from now on.
    #[serde(flatten)]
    pub shown: ApiToken<'a>,
    /// 64 hexadecimal digits.
    pub token: &'a str,
}

/// Whether tokens for programs are accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"enabled": true}))]
pub struct ApiAccess {
    /// Off at first.
    pub enabled: bool,
}
