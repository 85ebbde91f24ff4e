//! The Integration API's objects, key by key in the contract's order (integration §C).

mod audit;
mod bulk;
mod chat;
mod contact;
mod delivery;
mod history;
mod message;
pub(crate) mod payload;
mod person;
mod profile;
mod tag;
mod template;
mod user;
mod webhook;

use actix_web::HttpRequest;
use chatledger_domain::{TenantId, UserId};

pub use audit::{AuditEntry, AuditPage, ChatState};
pub use bulk::{BulkMessageElement, BulkMessageTask};
pub use chat::{Chat, ChatAssignment};
pub use contact::{ContactPage, ContactProviderResult, KnownContact};
pub use delivery::{Attempt, Delivery, DeliveryDetail, Replay, WebhookStatus};
pub use history::{ChatAssignmentEvent, ChatTaggingEvent, MessageTaggingEvent};
pub use message::{Context, Message, WabaStatuses};
pub use person::Person;
pub use profile::BusinessProfile;
pub use tag::{AppliedTag, ChatTagging, MessageTagging, Tag};
pub use template::Template;
pub use user::{CreatedUser, Group, GroupPermissions, NewUser, PermissionSettings, User, UserFields, UserPermissions};
pub use webhook::{ApiAccess, ApiToken, NewSecret, NewToken, Rule, RuleEngine, Secret, Secrets, WabaWebhook};

use crate::{app::AppState, media_link::MediaLinks, origin};

/// What the links in an answer are made of.
pub struct Links<'a> {
    base_url: String,
    media: &'a MediaLinks,
    tenant: TenantId,
    now: i64,
}

impl<'a> Links<'a> {
    /// Links on the host that the request asked (R-GEN-8).
    #[must_use]
    pub fn of(request: &HttpRequest, state: &'a AppState, tenant: TenantId) -> Self {
        let now = state.clock.now().timestamp();
        Self { base_url: origin::base_url(request), media: &state.media_links, tenant, now }
    }

    /// Links on an address that no request named.
    #[must_use]
    pub fn at(base_url: String, media: &'a MediaLinks, tenant: TenantId, now: i64) -> Self {
        Self { base_url, media, tenant, now }
    }

    fn user(&self, id: UserId) -> String {
        format!("{}/api/v1/users/{id}/", self.base_url)
    }

    /// A link to a medium for users of the inbox, without a signature.
    pub(super) fn bare_media(&self, id: &str) -> String {
        format!("{}/api/v1/media/{id}/", self.base_url)
    }

    /// The link that activates a user.
    #[must_use]
    pub fn activation(&self, code: &str) -> String {
        format!("{}/api/v1/users/activate/{code}/", self.base_url)
    }

    fn media(&self, id: &str) -> String {
        self.media.link(&self.base_url, self.tenant, id, self.now)
    }
}
