//! What may be asked of a chat. Times are POSIX seconds; `now` comes with the command.

use super::AssignmentChange;
use super::event::TagAsItWas;
use crate::{
    ids::{GroupId, MessageId, Position, TaggingId, UserId},
    permission::Actor,
    raw_json::RawJson,
};

/// A message from the customer, as WhatsApp brought it.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The id it gets from us.
    pub message_id: MessageId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// When it was written.
    pub timestamp: i64,
    /// WhatsApp's type.
    pub kind: String,
    /// WhatsApp's id of the quoted message.
    pub context: Option<String>,
    /// Whether it came by an ad's referral.
    pub referral: bool,
    /// WhatsApp's object.
    pub message: RawJson,
}

/// A message the business wrote from the phone app.
#[derive(Clone, Debug)]
pub struct Echo {
    /// The id it gets from us.
    pub message_id: MessageId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// When it was written.
    pub timestamp: i64,
    /// WhatsApp's type.
    pub kind: String,
    /// WhatsApp's id of the quoted message.
    pub context: Option<String>,
    /// WhatsApp's object.
    pub message: RawJson,
}

/// What WhatsApp reports of a message of ours.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// WhatsApp's id of the message.
    pub waba_id: String,
    /// Our id, when the report carried it back.
    pub message_id: Option<MessageId>,
    /// The status.
    pub status: String,
    /// When.
    pub timestamp: i64,
    /// WhatsApp's object.
    pub report: RawJson,
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The id it gets from us.
    pub message_id: MessageId,
    /// The type, as it is sent (`hsm` is a `template` by now).
    pub kind: String,
    /// The id of the quoted message.
    pub context: Option<String>,
    /// The message as WhatsApp is asked to send it.
    pub message: RawJson,
    /// What the customer reads, where the message itself does not say it.
    pub rendered: Option<String>,
}

/// What the rule engine bases an assignment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByRule {
    /// The message, by our id, where it is one.
    pub based_on: Option<MessageId>,
    /// The event that triggered it.
    pub trigger: Position,
    /// Whether it is for chats only that nobody has (R-RUL-10).
    pub only_fresh: bool,
}

/// A command to one chat.
#[derive(Clone, Debug)]
pub enum ChatCommand {
    /// Records a customer's message.
    ReceiveMessage {
        /// The message.
        incoming: Incoming,
        /// Now.
        now: i64,
    },
    /// Records a message from the phone app.
    EchoMessage {
        /// The message.
        echo: Echo,
    },
    /// Records what WhatsApp says of a message.
    ReportStatus {
        /// The report.
        report: StatusReport,
    },
    /// Queues a message for WhatsApp.
    SendMessage {
        /// Who sends.
        actor: Actor,
        /// The message.
        outgoing: Outgoing,
        /// Whether the tenant grants 72 hours after an ad's referral (R-WIN-7).
        free_entry: bool,
        /// Whether its customer is counted towards what may be sent on a day, or nothing is (R-ACC-4).
        counted: bool,
        /// Now.
        now: i64,
    },
    /// Records that WhatsApp took a message.
    AcceptMessage {
        /// Our id.
        message_id: MessageId,
        /// WhatsApp's id.
        waba_id: String,
        /// WhatsApp's answer.
        response: RawJson,
    },
    /// Records that WhatsApp refused a message for good.
    RejectMessage {
        /// Our id.
        message_id: MessageId,
        /// WhatsApp's errors.
        errors: RawJson,
    },
    /// Records that WhatsApp's answer got lost.
    LoseOutcome {
        /// Our id.
        message_id: MessageId,
    },
    /// Tags the chat.
    TagChat {
        /// Who tags.
        actor: Actor,
        /// With what.
        tag: TagAsItWas,
        /// What is kept with it.
        extra: Option<RawJson>,
        /// Now.
        now: i64,
    },
    /// Removes a tagging of the chat.
    UntagChat {
        /// Who removes it; `None` for the system.
        actor: Option<Actor>,
        /// Who is named in the history.
        done_by: Option<UserId>,
        /// The tagging.
        tagging_id: TaggingId,
        /// The tag.
        tag: TagAsItWas,
        /// What was kept with it.
        extra: Option<RawJson>,
        /// Now.
        now: i64,
    },
    /// Tags a message, and the chat with it (R-TAG-1).
    TagMessage {
        /// Who tags.
        actor: Actor,
        /// The message, by our id.
        message_id: MessageId,
        /// The message, by WhatsApp's id.
        waba_id: Option<String>,
        /// With what.
        tag: TagAsItWas,
        /// What is kept with it.
        extra: Option<RawJson>,
        /// Now.
        now: i64,
    },
    /// Removes a tagging of a message.
    UntagMessage {
        /// Who removes it; `None` for the system.
        actor: Option<Actor>,
        /// Who is named in the history.
        done_by: Option<UserId>,
        /// The tagging.
        tagging_id: TaggingId,
        /// The message, by our id.
        message_id: MessageId,
        /// The message, by WhatsApp's id.
        waba_id: Option<String>,
        /// The tag.
        tag: TagAsItWas,
        /// What was kept with it.
        extra: Option<RawJson>,
        /// Now.
        now: i64,
    },
    /// Changes the assignment.
    Assign {
        /// Who asks.
        actor: Actor,
        /// For what.
        change: AssignmentChange,
        /// Now.
        now: i64,
    },
    /// Changes the assignment for the rule engine, which is above the rules that hold for users (R-ASG-12).
    AssignByRule {
        /// For what.
        change: AssignmentChange,
        /// On what grounds.
        rule: ByRule,
        /// Now.
        now: i64,
    },
    /// Takes the chat from a user or group that is no more; another assignment stays.
    TakeFrom {
        /// The user.
        user: Option<UserId>,
        /// The group.
        group: Option<GroupId>,
        /// Who is named in the history.
        done_by: Option<UserId>,
        /// Now.
        now: i64,
    },
    /// Moves a user's received mark up.
    MarkAsReceived {
        /// Who asks, for itself.
        actor: Actor,
        /// Up to when.
        timestamp: i64,
        /// Now.
        now: i64,
    },
    /// Moves the marks of users up whose programs took messages; whether they may read the chat does not matter
    /// (R-IWH-3).
    MarkAsDelivered {
        /// Whose.
        to: Vec<UserId>,
        /// Up to when.
        timestamp: i64,
    },
    /// Says that the chat is resolved, or that it is not.
    Resolve {
        /// Who says so.
        actor: Actor,
        /// What it says.
        resolved: bool,
        /// Now.
        now: i64,
    },
    /// Refuses what is wanted in a conversation that is closed, or over; for what is decided with it.
    RequireConversation {
        /// The conversation, by the message that opened it.
        opened_by: MessageId,
        /// Whether it may be over, so long as nobody closed it.
        may_be_over: bool,
        /// Now.
        now: i64,
    },
    /// Closes a conversation, and resolves the chat (R-CNV-11).
    CloseConversation {
        /// Who closes it.
        actor: Actor,
        /// The conversation, by the message that opened it.
        opened_by: MessageId,
        /// Now.
        now: i64,
    },
    /// Forgets what was said and kept in the chat.
    Erase {
        /// Messages of ours that WhatsApp certainly does not have: they are not sent any more.
        unsent: Vec<MessageId>,
        /// Now.
        now: i64,
    },
}
