//! How the simulator misbehaves, on request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the simulator behaves. As JSON, for `POST /simulator/behaviour`; what is left out stays as it is, and the
/// counted faults are used up one by one, in the order `http_status`, `fail_next`, `cut_connection`, `hang`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Every webhook is sent so many times more, at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<u32>,
    /// Statuses of a message come in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle: Option<bool>,
    /// Webhooks come so much later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Which statuses come, in which order: `false`, `true`, or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Statuses>,
    /// Messages are refused in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_next: Option<Fail>,
    /// Messages are taken, then reported as `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_status: Option<Fail>,
    /// Answers have this HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<HttpFault>,
    /// The connection is cut instead of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_connection: Option<Cut>,
    /// The message is taken and the answer does not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang: Option<Hang>,
    /// Calls about the account go wrong, until told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountFault>,
    /// What becomes of new templates: `APPROVED`, `REJECTED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_verdict: Option<String>,
    /// How long that takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_delay_ms: Option<u64>,
    /// What happens to files that are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaFault>,
}

/// What happens to files that are asked for, or given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaFault {
    /// What.
    pub fault: MediaWoe,
    /// How often.
    #[serde(default = "one")]
    pub count: u32,
    /// For how long, where it takes time.
    #[serde(default)]
    pub ms: u64,
}

/// A fault of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaWoe {
    /// The file is gone.
    Gone,
    /// The address of the bytes answers 404, though the file is there.
    Missing,
    /// The answer has HTTP status 503; of a file that is given too.
    Busy,
    /// The connection is cut in the middle of the bytes.
    Cut,
    /// Other bytes come.
    Wrong,
    /// The bytes come slowly.
    Slow,
    /// The address is on another host.
    Elsewhere,
}

/// How calls about the account (templates, the business profile) go wrong; an empty one: not at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountFault {
    /// Answers have this HTTP status.
    pub status: Option<u16>,
    /// Without WhatsApp's error object, as a gateway answers.
    pub bare: bool,
    /// Calls are refused with this code.
    pub code: Option<i64>,
    /// Answers break off.
    pub cut: bool,
    /// Answers come so much later.
    pub delay_ms: Option<u64>,
}

/// Which statuses come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Statuses {
    /// All of `sent`, `delivered`, `read`, or none.
    All(bool),
    /// These, in this order.
    These(Vec<String>),
}

/// Refusals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fail {
    /// WhatsApp's code: 131047, 131026, 130429, 131056, 190 …
    pub code: i64,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
}

/// Answers with an HTTP status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpFault {
    /// The status.
    pub status: u16,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// Without WhatsApp's error object, as a gateway answers.
    #[serde(default)]
    pub bare: bool,
    /// `Retry-After`, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

/// Cut connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// Before or after the message was taken.
    #[serde(default)]
    pub when: When,
}

/// When a connection is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The message was not taken.
    Before,
    /// The message was taken, and only the answer gets lost.
    #[default]
    After,
}

/// Answers that do not come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hang {
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// For how long.
    #[serde(default = "minute")]
    pub ms: u64,
}

fn one() -> u32 {
    1
}

fn minute() -> u64 {
    60_000
}

/// What happens to one message instead of an answer.
pub(super) enum Instead {
    Http(HttpFault),
    Refusal(i64),
    Cut(When),
    Hang(Duration),
}

impl Behaviour {
    /// Takes over what the other says.
    pub(super) fn merge(&mut self, other: Self) {
        fn set<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        set(&mut self.duplicates, other.duplicates);
        set(&mut self.shuffle, other.shuffle);
        set(&mut self.delay_ms, other.delay_ms);
        set(&mut self.statuses, other.statuses);
        set(&mut self.fail_next, other.fail_next);
        set(&mut self.fail_status, other.fail_status);
        set(&mut self.http_status, other.http_status);
        set(&mut self.cut_connection, other.cut_connection);
        set(&mut self.hang, other.hang);
        set(&mut self.account, other.account);
        set(&mut self.template_verdict, other.template_verdict);
        set(&mut self.template_delay_ms, other.template_delay_ms);
        set(&mut self.media, other.media);
    }

    /// Uses up the next fault.
    pub(super) fn next_fault(&mut self) -> Option<Instead> {
        if let Some(fault) = used(&mut self.http_status, |fault| &mut fault.count) {
            return Some(Instead::Http(fault));
        }
        if let Some(fail) = used(&mut self.fail_next, |fail| &mut fail.count) {
            return Some(Instead::Refusal(fail.code));
        }
        if let Some(cut) = used(&mut self.cut_connection, |cut| &mut cut.count) {
            return Some(Instead::Cut(cut.when));
        }
        used(&mut self.hang, |hang| &mut hang.count).map(|hang| Instead::Hang(Duration::from_millis(hang.ms)))
    }

    /// Uses up the next fault of files, when it is one of these.
    pub(super) fn next_media_fault(&mut self, woes: &[MediaWoe]) -> Option<MediaFault> {
        self.media.as_ref().filter(|fault| woes.contains(&fault.fault))?;
        used(&mut self.media, |fault| &mut fault.count)
    }

    /// Uses up the next failure by status: its code.
    pub(super) fn next_failed_status(&mut self) -> Option<i64> {
        used(&mut self.fail_status, |fail| &mut fail.count).map(|fail| fail.code)
    }

    /// The statuses of a message, in order.
    pub(super) fn order(&self) -> Vec<String> {
        match &self.statuses {
            None | Some(Statuses::All(true)) => ["sent", "delivered", "read"].map(str::to_owned).into(),
            Some(Statuses::All(false)) => Vec::new(),
            Some(Statuses::These(these)) => these.clone(),
        }
    }
}

fn used<T: Clone>(fault: &mut Option<T>, count: impl Fn(&mut T) -> &mut u32) -> Option<T> {
    let current = fault.as_mut()?;
    let left = count(current);
    if *left == 0 {
        *fault = None;
        return None;
    }
    *left -= 1;
    Some(current.clone())
}
