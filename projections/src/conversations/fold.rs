//! What a chat's messages come to: its conversations, the newest as it was known before among them.

use chatledger_domain::{
    ConversationId, MessageId, TenantId,
    chat::{
        AssignmentChange, ChatEvent,
        conversation::{Conversation, Said},
    },
};

use crate::engine::OfChat;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub opened_by: MessageId,
    pub first_position: i64,
    pub opened_at: i64,
    pub expires_at: i64,
    pub closed_at: Option<i64>,
    pub closed_by: Option<i64>,
    pub last_message_at: i64,
    pub message_count: i64,
}

impl Session {
    pub(super) fn id(&self, tenant: TenantId) -> ConversationId {
        ConversationId::opened_by(tenant, self.opened_by)
    }
}

/// What an event does to a chat's conversations, and no more of it than that.
#[derive(Clone, Copy, Debug)]
pub(super) enum Touch {
    Said { position: i64, said: Said },
    Closed { opened_by: MessageId, by: i64, at: i64 },
    Assigned(AssignmentChange),
}

impl Touch {
    pub(super) fn of(of: &OfChat<'_>) -> Option<Self> {
        match of.event {
            ChatEvent::ConversationClosed(e) => {
                Some(Self::Closed { opened_by: e.opened_by, by: e.done_by.0, at: e.timestamp })
            }
            ChatEvent::ChatAssigned(e) => Some(Self::Assigned(e.change())),
            event => Said::of(event).map(|said| Self::Said { position: of.position, said }),
        }
    }
}

/// The conversations that are touched, the oldest first; `newest` is the one that was the newest before.
pub(super) fn sessions(newest: Option<Session>, touches: &[Touch]) -> Vec<Session> {
    let mut sessions: Vec<Session> = newest.into_iter().collect();
    for touch in touches {
        match *touch {
            Touch::Said { position, said } => hear(&mut sessions, position, &said),
            Touch::Closed { opened_by, by, at } => {
                if let Some(session) = sessions.iter_mut().rfind(|session| session.opened_by == opened_by) {
                    (session.closed_at, session.closed_by) = (Some(at), Some(by));
                }
            }
            Touch::Assigned(_) => {}
        }
    }
    sessions
}

fn hear(sessions: &mut Vec<Session>, position: i64, said: &Said) {
    let before = sessions.last().map(|session| Conversation {
        opened_by: session.opened_by,
        expires_at: session.expires_at,
        closed: session.closed_at.is_some(),
    });
    let after = Conversation::after(before, said);
    match sessions.last_mut().filter(|session| session.opened_by == after.opened_by) {
        Some(session) => {
            session.expires_at = after.expires_at;
            session.last_message_at = session.last_message_at.max(said.timestamp);
            session.message_count += 1;
        }
        None => sessions.push(Session {
            opened_by: after.opened_by,
            first_position: position,
            opened_at: said.timestamp,
            expires_at: after.expires_at,
            closed_at: None,
            closed_by: None,
            last_message_at: said.timestamp,
            message_count: 1,
        }),
    }
}

#[cfg(test)]
mod tests {
    use chatledger_domain::chat::conversation::{SPAN, Speaker};
    use uuid::Uuid;

    use super::*;

    fn said(position: i64, at: i64) -> Touch {
        let message_id = MessageId(Uuid::from_u128(position.unsigned_abs().into()));
        let said = Said { message_id, by: Speaker::Customer, written_at: at, known_at: at, timestamp: at };
        Touch::Said { position, said }
    }

    #[test]
    fn r_cnv_4_where_one_batch_ends_and_the_next_begins_does_not_matter() {
        let close = Touch::Closed { opened_by: MessageId(Uuid::from_u128(2)), by: 7, at: SPAN + 9 };
        let touches = [said(1, 0), said(2, SPAN + 5), close, said(3, SPAN + 10), said(4, SPAN + 11), said(5, 9 * SPAN)];
        let whole = sessions(None, &touches);
        assert_eq!(whole.iter().map(|session| session.message_count).collect::<Vec<_>>(), [1, 1, 2, 1]);
        assert_eq!((whole[1].closed_at, whole[1].closed_by), (Some(SPAN + 9), Some(7)));
        for cut in 0..=touches.len() {
            let (first, second) = touches.split_at(cut);
            let mut rows = sessions(None, first);
            let newest = rows.pop();
            rows.extend(sessions(newest, second));
            assert_eq!(rows, whole, "cut at {cut}");
        }
    }
}
