//! Deliveries to webhooks, and how a webhook is.

use chatledger_application::{
    ports::deliveries::{self, DeliveryEntry},
    webhooks::{Replayed, WebhookCondition},
};
use chatledger_domain::RawJson;
use serde::Serialize;
use utoipa::ToSchema;

/// A delivery: what one webhook is told by one call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "7c2e2f0a-4a3f-5d0e-9a55-2f8f7c0f6f11", "state": "dead",
    "keys": ["contacts", "messages", "incoming_messages"], "wa_ids": ["351912000111"], "created_at": 1_767_693_600,
    "attempts": 12, "next_attempt_at": null, "last_status": 503, "last_error": null
}))]
pub struct Delivery<'a> {
    /// Its id: the header `webhook-id` of every attempt.
    pub id: String,
    /// `pending`: to be delivered. `delivered`: the receiver took it. `dead`: given up, kept, can be replayed.
    pub state: &'a str,
    /// The keys of the body.
    pub keys: &'a [String],
    /// The chats that it is about.
    pub wa_ids: &'a [String],
    /// When it was made, POSIX seconds.
    pub created_at: i64,
    /// Attempts since it was made, or replayed.
    pub attempts: i64,
    /// When the next attempt is due at the earliest, POSIX seconds; `null` where there is none.
    pub next_attempt_at: Option<i64>,
    /// The status of the last answer; `null` where there was none.
    pub last_status: Option<u16>,
    /// Why the last attempt had no answer, or why it was a failure.
    pub last_error: Option<&'a str>,
}

impl<'a> Delivery<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(entry: &'a DeliveryEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            state: entry.state.as_str(),
            keys: &entry.keys,
            wa_ids: &entry.wa_ids,
            created_at: entry.created_at,
            attempts: entry.attempts,
            next_attempt_at: entry.next_attempt_at,
            last_status: entry.last.as_ref().and_then(|last| last.status),
            last_error: entry.last.as_ref().and_then(|last| last.error.as_deref()),
        }
    }
}

/// A delivery with its body and its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryDetail<'a> {
    /// As lists show it.
    #[serde(flatten)]
    pub shown: Delivery<'a>,
    /// What every attempt sends; `null` while it waits for the outcome of the message that it tells of.
    #[schema(value_type = Option<Object>)]
    pub body: Option<&'a RawJson>,
    /// The last attempts, at most 50, oldest first, also those before a replay.
    pub log: Vec<Attempt<'a>>,
}

impl<'a> DeliveryDetail<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(detail: &'a deliveries::DeliveryDetail) -> Self {
        Self {
            shown: Delivery::new(&detail.entry),
            body: detail.body.as_ref(),
            log: detail.log.iter().map(Attempt::new).collect(),
        }
    }
}

/// One call of the receiver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "at": 1_767_693_601, "status": 503, "duration_ms": 41, "answer": "try later", "error": null
}))]
pub struct Attempt<'a> {
    /// When, POSIX seconds.
    pub at: i64,
    /// The status of the answer; `null` where there was none.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The first bytes of the answer.
    pub answer: Option<&'a str>,
    /// Why there was no answer, or why it was a failure.
    pub error: Option<&'a str>,
}

impl<'a> Attempt<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(attempt: &'a deliveries::Attempt) -> Self {
        Self {
            at: attempt.at,
            status: attempt.status,
            duration_ms: attempt.duration_ms,
            answer: attempt.answer.as_deref(),
            error: attempt.error.as_deref(),
        }
    }
}

/// What a replay did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"replayed": 12, "forgotten_before": null}))]
pub struct Replay {
    /// How many deliveries are made again.
    pub replayed: u64,
    /// What was delivered before this time, POSIX seconds, is kept no more and was not replayed; `null` where nothing
    /// that was asked for is missing.
    pub forgotten_before: Option<i64>,
}

impl From<Replayed> for Replay {
    fn from(Replayed { replayed, forgotten_before }: Replayed) -> Self {
        Self { replayed, forgotten_before }
    }
}

/// How a webhook is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "state": "failing", "failing_since": 1_767_693_600, "disabled_at": null, "reason": null, "pending": 812, "dead": 3,
    "oldest_pending_at": 1_767_693_600
}))]
pub struct WebhookStatus {
    /// `enabled`, `failing`: nothing but failures lately; or `disabled`: not called until it is enabled.
    pub state: &'static str,
    /// Since when there have been failures and nothing else, POSIX seconds.
    pub failing_since: Option<i64>,
    /// When it was disabled, POSIX seconds.
    pub disabled_at: Option<i64>,
    /// Why it was disabled: `only_failures`.
    pub reason: Option<&'static str>,
    /// Deliveries that are still to be made. A disabled webhook's are kept.
    pub pending: i64,
    /// Deliveries that were given up.
    pub dead: i64,
    /// When the oldest that is still to be made was made, POSIX seconds.
    pub oldest_pending_at: Option<i64>,
}

impl WebhookStatus {
    /// As the wire shows it.
    #[must_use]
    pub fn new(condition: &WebhookCondition) -> Self {
        let WebhookCondition { disabled, deliveries } = condition;
        Self {
            state: match (disabled, deliveries.failing_since) {
                (Some(_), _) => "disabled",
                (None, Some(_)) => "failing",
                (None, None) => "enabled",
            },
            failing_since: disabled.map(|disabled| disabled.since).or(deliveries.failing_since),
            disabled_at: disabled.map(|disabled| disabled.at),
            reason: disabled.map(|disabled| disabled.reason.as_str()),
            pending: deliveries.pending,
            dead: deliveries.dead,
            oldest_pending_at: deliveries.oldest_pending_at,
        }
    }
}
