//! The rules of the inbox, pure: no I/O, no clock, no randomness, no SQL, no HTTP.
//!
//! Every aggregate is a folder with the same files: `command.rs` (imperative), `event.rs` (past tense), `state.rs`
//! (only what a decision needs, and how events change it), `decide.rs` (command → events, or nothing for a repeat,
//! or a refusal), `refusal.rs`, and `tests.rs` (given / when / then, one test per rule).
//!
//! Never here: anything that can fail for a reason outside the rules. To add an aggregate, copy the shape of `tag`,
//! list its events in `event.rs` through [`events!`](crate::events) and add it to [`any_event`].

pub mod admins;
pub mod any_event;
pub mod api_token;
pub mod bulk_message;
pub mod business_profile;
pub mod chat;
pub mod contact;
pub mod decider;
pub mod email;
pub mod endpoint;
pub mod group;
pub mod ids;
pub mod media;
pub mod password;
pub mod permission;
pub mod raw_json;
pub mod rule_engine;
pub mod saved_response;
pub mod tag;
pub mod template_catalogue;
pub mod tenant;
pub mod upcast;
pub mod user;
pub mod wa_id;
pub mod webhook;
pub mod whatsapp_account;
pub mod window;

pub use any_event::AnyEvent;
pub use decider::{Claim, Decider, Event, EventSourced};
pub use endpoint::Endpoint;
pub use ids::{
    AccountId, ApiTokenId, BlobId, ConversationId, GroupId, MediaId, MessageId, Position, RuleId, SecretId, TagId,
    TaggingId, TenantId, UserId, WebhookId,
};
pub use permission::{Actor, Assignment, Permissions, PermissionsWish, Role, Scope};
pub use raw_json::{Pairs, RawJson};
pub use wa_id::WaId;
