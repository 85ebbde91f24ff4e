//! What a token can be allowed to do.

/// Every ability: those of the Tenant API (R-TOK-4), then those that only the Public API has (R-PUB-3).
pub const ABILITIES: [&str; 28] = [
    "contacts.create",
    "contacts.read",
    "contacts.update",
    "contacts.delete",
    "statuses.create",
    "statuses.read",
    "statuses.update",
    "statuses.delete",
    "sources.create",
    "sources.read",
    "sources.update",
    "sources.delete",
    "groups.create",
    "groups.read",
    "groups.update",
    "groups.delete",
    "templates.read",
    "messagebots.read",
    "templatebots.read",
    // All three kinds of sending.
    "messages.send",
    "messages.send.text",
    "messages.send.media",
    "messages.send.template",
    "store.read",
    "ecommerce.read",
    "handoff.create",
    "events.create",
    "webhooks.manage",
];
