//! What becomes of messages: pure, from events and what is stored of the messages they name.

use std::collections::HashMap;

use chatledger_domain::chat::{ChatEvent, MessageStatusReported};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{engine::OfChat, text::clean};

/// What WhatsApp said about a message. Each status counts the first time it is seen, in any order (R-MSG-8).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Statuses {
    pub sent: i64,
    pub delivered: i64,
    pub read: i64,
    pub is_failed: bool,
    /// A JSON list.
    pub errors: Option<String>,
}

impl Statuses {
    fn report(&mut self, status: &MessageStatusReported) {
        let first = match status.status.as_str() {
            "sent" => &mut self.sent,
            "delivered" => &mut self.delivered,
            "read" => &mut self.read,
            "failed" => {
                self.is_failed = true;
                self.add_errors(errors_of(status.report.text()));
                return;
            }
            _ => return,
        };
        if *first == 0 {
            *first = status.timestamp;
        }
    }

    /// Takes over what was reported before the message appeared.
    fn absorb(&mut self, earlier: Self) {
        for (mine, theirs) in
            [(&mut self.sent, earlier.sent), (&mut self.delivered, earlier.delivered), (&mut self.read, earlier.read)]
        {
            if *mine == 0 {
                *mine = theirs;
            }
        }
        self.is_failed |= earlier.is_failed;
        self.add_errors(earlier.errors.as_deref());
    }

    /// Appends the items of a JSON list, text by text.
    fn add_errors(&mut self, list: Option<&str>) {
        let Some(more) = list.map(inside).filter(|more| !more.is_empty()) else { return };
        let known = self.errors.as_deref().map(inside).filter(|known| !known.is_empty());
        self.errors = Some(known.map_or_else(|| format!("[{more}]"), |known| format!("[{known},{more}]")));
    }
}

/// What stands between the brackets of a list; anything else stands for itself.
fn inside(json: &str) -> &str {
    let json = json.trim();
    json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(json).trim()
}

fn errors_of(report: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct Report<'a> {
        #[serde(borrow)]
        errors: Option<&'a RawValue>,
    }
    serde_json::from_str::<Report<'_>>(report).ok()?.errors.map(RawValue::get)
}

/// A message, as far as it changes after it appeared.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub message_id: Uuid,
    pub wa_id: String,
    pub waba_id: Option<String>,
    pub response: Option<String>,
    pub statuses: Statuses,
    /// Differs from what is stored.
    pub changed: bool,
}

/// Messages and statuses at hand while a batch is folded.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// Messages at hand: stored ones that events name, then new ones.
    pub cells: Vec<Cell>,
    /// Statuses of ids that no message has, each with the chat that it was told of.
    pub waiting: HashMap<String, (String, Statuses)>,
    /// Ids whose statuses changed while no message had them.
    pub still_waiting: Vec<String>,
    /// Ids whose statuses waited and have found their message.
    pub found: Vec<String>,
    by_id: HashMap<Uuid, usize>,
    by_waba_id: HashMap<String, usize>,
}

impl Fold {
    /// Takes a message to hand: a stored one, or one that just appeared. The first holder of WhatsApp's id keeps it.
    pub(super) fn take(&mut self, cell: Cell) -> usize {
        let at = self.cells.len();
        self.by_id.insert(cell.message_id, at);
        let waba_id = cell.waba_id.clone();
        self.cells.push(cell);
        if let Some(waba_id) = waba_id {
            self.by_waba_id.entry(waba_id).or_insert(at);
        }
        at
    }

    /// A message appeared, or got WhatsApp's id: statuses that came before find it now (R-MSG-9).
    fn bind(&mut self, at: usize, waba_id: &str) {
        let cell = &mut self.cells[at];
        cell.waba_id = Some(waba_id.to_owned());
        cell.changed = true;
        if let Some((_, earlier)) = self.waiting.remove(waba_id) {
            cell.statuses.absorb(earlier);
            self.found.push(waba_id.to_owned());
        }
        self.by_waba_id.entry(waba_id.to_owned()).or_insert(at);
    }

    /// Folds one event; `appeared` is told of messages that appear, with their place among the cells.
    pub(super) fn event<'a>(&mut self, of: OfChat<'a>, mut appeared: impl FnMut(OfChat<'a>, usize)) {
        match of.event {
            ChatEvent::MessageReceived(e) => {
                let waba_id = clean(&e.waba_id).into_owned();
                appeared(of, self.take(fresh(of, e.message_id.0, Some(waba_id))));
            }
            ChatEvent::MessageQueued(e) => appeared(of, self.take(fresh(of, e.message_id.0, None))),
            ChatEvent::MessageEchoed(e) => {
                let at = self.take(fresh(of, e.message_id.0, None));
                self.bind(at, &clean(&e.waba_id));
                appeared(of, at);
            }
            ChatEvent::MessageAccepted(e) => {
                if let Some(&at) = self.by_id.get(&e.message_id.0) {
                    self.cells[at].response = e.response.as_ref().map(|response| response.text().to_owned());
                    self.bind(at, &clean(&e.waba_id));
                }
            }
            ChatEvent::MessageRejected(e) => {
                if let Some(&at) = self.by_id.get(&e.message_id.0) {
                    let cell = &mut self.cells[at];
                    cell.statuses.is_failed = true;
                    cell.statuses.add_errors(Some(e.errors.text()));
                    cell.changed = true;
                }
            }
            ChatEvent::MessageStatusReported(e) => {
                let waba_id = clean(&e.waba_id);
                if let Some(&at) = self.by_waba_id.get(waba_id.as_ref()) {
                    let cell = &mut self.cells[at];
                    cell.statuses.report(e);
                    cell.changed = true;
                } else {
                    let fresh = || (of.wa_id.to_owned(), Statuses::default());
                    self.waiting.entry(waba_id.clone().into_owned()).or_insert_with(fresh).1.report(e);
                    self.still_waiting.push(waba_id.into_owned());
                }
            }
            _ => {}
        }
    }

    /// Drops what WhatsApp told of the messages of a chat, beside when.
    pub(super) fn erase(&mut self, wa_id: &str) {
        for cell in self.cells.iter_mut().filter(|cell| cell.wa_id == wa_id) {
            (cell.response, cell.statuses.errors) = (None, None);
        }
        for (waba_id, (of, statuses)) in &mut self.waiting {
            if of == wa_id && statuses.errors.take().is_some() {
                self.still_waiting.push(waba_id.clone());
            }
        }
    }
}

fn fresh(of: OfChat<'_>, message_id: Uuid, waba_id: Option<String>) -> Cell {
    Cell {
        message_id,
        wa_id: of.wa_id.to_owned(),
        waba_id,
        response: None,
        statuses: Statuses::default(),
        changed: false,
    }
}

/// Whether an event says something about a message itself.
pub(super) fn concerns(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::MessageReceived(_)
            | ChatEvent::MessageQueued(_)
            | ChatEvent::MessageEchoed(_)
            | ChatEvent::MessageAccepted(_)
            | ChatEvent::MessageRejected(_)
            | ChatEvent::MessageStatusReported(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatledger_domain::{MessageId, RawJson, chat::MessageAccepted, chat::MessageQueued};

    fn status(name: &str, timestamp: i64) -> ChatEvent {
        let report = r#"{"errors":[{"code":1,"title":"\ud83d"}]}"#;
        ChatEvent::MessageStatusReported(MessageStatusReported {
            waba_id: "w".into(),
            message_id: None,
            status: name.into(),
            timestamp,
            report: RawJson::parse(report.into()).expect("JSON"),
        })
    }

    fn settled(order: &[ChatEvent]) -> Statuses {
        let queued = ChatEvent::MessageQueued(MessageQueued {
            message_id: MessageId(Uuid::nil()),
            timestamp: 1,
            kind: "text".into(),
            sender: chatledger_domain::UserId(1),
            context: None,
            message: RawJson::parse("{}".into()).expect("JSON"),
            rendered: None,
            outside_window: false,
        });
        let mut fold = Fold::default();
        for event in std::iter::once(&queued).chain(order) {
            fold.event(OfChat { wa_id: "1", position: 1, event }, |_, _| {});
        }
        assert!(fold.waiting.is_empty());
        fold.cells[0].statuses.clone()
    }

    #[test]
    fn r_msg_8_statuses_in_every_order_give_the_same() {
        let accepted = ChatEvent::MessageAccepted(MessageAccepted {
            message_id: MessageId(Uuid::nil()),
            waba_id: "w".into(),
            response: None,
        });
        let events = [accepted, status("sent", 5), status("delivered", 6), status("failed", 7)];
        let expected = settled(&events);
        assert_eq!((expected.sent, expected.delivered, expected.read, expected.is_failed), (5, 6, 0, true));
        assert_eq!(expected.errors.as_deref(), Some(r#"[{"code":1,"title":"\ud83d"}]"#));
        for a in 0..4 {
            for b in (0..4).filter(|b| *b != a) {
                for c in (0..4).filter(|c| *c != a && *c != b) {
                    let order = [a, b, c, 6 - a - b - c].map(|i| events[i].clone());
                    assert_eq!(settled(&order), expected);
                }
            }
        }
    }

    #[test]
    fn r_msg_8_errors_are_appended_and_the_first_time_stays() {
        let mut statuses = Statuses::default();
        statuses.add_errors(Some("[ ]"));
        assert_eq!(statuses.errors, None);
        statuses.add_errors(Some("[1]"));
        statuses.add_errors(Some("[2, 3]"));
        assert_eq!(statuses.errors.as_deref(), Some("[1,2, 3]"));
        for event in [status("sent", 9), status("sent", 3)] {
            let ChatEvent::MessageStatusReported(status) = &event else { continue };
            statuses.report(status);
        }
        assert_eq!(statuses.sent, 9);
    }
}
