//! What a program of the tenant's own answered: read, and carried out as far as it can be (R-RUL-4, R-RUL-5).

use chatledger_domain::{
    GroupId, MessageId, Position, TenantId, UserId, WaId,
    chat::Chat,
    rule_engine::{AssignMethod, Target},
};
use serde_json::Value;

use super::assign::Wanted;
use crate::{application::Application, error::ApplicationError};

/// Where an entry applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the chat of a message, by our id or WhatsApp's, and because of it.
    Message(String),
    /// At a chat.
    Chat(String),
}

/// One entry of `assignment`, or why it is none.
pub(super) type Entry = Result<(Place, Target), &'static str>;

/// The entries of an answer, in order; `None` where it is no JSON object.
pub(super) fn entries(answer: &str) -> Option<Vec<Entry>> {
    let Ok(Value::Object(answer)) = serde_json::from_str(answer) else { return None };
    Some(match answer.get("assignment") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => entries.iter().map(entry).collect(),
        Some(_) => vec![Err("assignment is no list")],
    })
}

fn entry(entry: &Value) -> Entry {
    // `null` says as little as nothing at all.
    let field = |name| entry.get(name).filter(|value: &&Value| !value.is_null());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let place = match (field("message_id"), field("chat_id")) {
        (Some(id), None) => text(id).map(Place::Message).ok_or("message_id is no text")?,
        (None, Some(id)) => text(id).map(Place::Chat).ok_or("chat_id is no text")?,
        (None, None) => return Err("neither message_id nor chat_id"),
        (Some(_), Some(_)) => return Err("both message_id and chat_id"),
    };
    let target = match (field("user"), field("group")) {
        (Some(user), None) => Target::User(UserId(user.as_i64().ok_or("user is no number")?)),
        (None, Some(group)) => {
            let id = GroupId(group.as_i64().ok_or("group is no number")?);
            let method = field("group_assign_method").ok_or("group without group_assign_method")?;
            let known = AssignMethod::ALL.into_iter().find(|known| method.as_str() == Some(known.as_str()));
            Target::Group { id, method: known.ok_or("unknown group_assign_method")? }
        }
        (None, None) => return Err("neither user nor group"),
        (Some(_), Some(_)) => return Err("both user and group"),
    };
    Ok((place, target))
}

/// One assignment per chat, the last (R-RUL-5); in the order of those.
pub(super) fn last_of_each_chat(wanted: Vec<Wanted>) -> Vec<Wanted> {
    let mut kept: Vec<Wanted> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        kept.retain(|other| other.wa_id != wanted.wa_id);
        kept.push(wanted);
    }
    kept
}

/// Says nothing of message and chat: those are the customer's.
fn skip(tenant: TenantId, trigger: Position, number: usize, reason: &'static str) {
    metrics::counter!("chatledger_rule_engine_entries_skipped_total").increment(1);
    tracing::warn!(%tenant, trigger = trigger.0, number, reason, "an assignment is skipped");
}

impl Application {
    /// Carries out what a program of the tenant's own answered to a trigger; how many assignments changed, `None` where
    /// the answer is none. Entries that cannot be carried out are skipped and logged. May be repeated.
    ///
    /// # Errors
    /// [`ApplicationError::Conflict`] or `Unavailable` for what may work later.
    pub async fn assign_by_answer(
        &self,
        tenant: TenantId,
        trigger: Position,
        answer: &str,
    ) -> Result<Option<usize>, ApplicationError> {
        let Some(entries) = entries(answer) else { return Ok(None) };
        let mut wanted = Vec::new();
        for (number, entry) in entries.into_iter().enumerate() {
            let looked_up = match entry {
                Ok((place, target)) => self.wanted(tenant, &place, target).await?,
                Err(reason) => Err(reason),
            };
            match looked_up {
                Ok(want) => wanted.push(want),
                Err(reason) => skip(tenant, trigger, number, reason),
            }
        }
        let mut assigned = 0;
        for (number, wanted) in last_of_each_chat(wanted).iter().enumerate() {
            match self.assign_by_rule(tenant, trigger, wanted).await {
                Ok(changed) => assigned += usize::from(changed),
                // Gone since it was looked up.
                Err(ApplicationError::UnknownUser(_) | ApplicationError::UnknownGroup(_)) => {
                    skip(tenant, trigger, number, "user or group is no more");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(assigned))
    }

    async fn wanted(
        &self,
        tenant: TenantId,
        place: &Place,
        target: Target,
    ) -> Result<Result<Wanted, &'static str>, ApplicationError> {
        let (wa_id, based_on): (String, Option<MessageId>) = match place {
            Place::Message(id) => match self.read_models.message(tenant, id).await? {
                Some(message) => (message.wa_id.as_str().to_owned(), Some(message.message_id)),
                None => return Ok(Err("unknown message")),
            },
            Place::Chat(id) => match WaId::parse(id) {
                Ok(wa_id) => (wa_id.as_str().to_owned(), None),
                Err(_) => return Ok(Err("unknown chat")),
            },
        };
        let chat: Chat = self.streams.state(tenant, &wa_id).await?;
        if !chat.exists {
            return Ok(Err("unknown chat"));
        }
        if !self.may_have_chats(tenant, target).await? {
            return Ok(Err("unknown or inactive user, or unknown group"));
        }
        Ok(Ok(Wanted { wa_id, based_on, target, only_fresh: false }))
    }
}
