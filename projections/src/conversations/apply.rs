//! Folds messages and closings into conversations.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_domain::{TenantId, chat::ChatEvent};
use sqlx::PgConnection;

use super::{
    fold::{Touch, sessions},
    holders::{self, Change, Holding},
    rows::{self, Row},
};
use crate::engine::{Batch, Carried, Projection, ProjectionError, ROWS, Table, in_order};

/// The read model `conversations`.
pub(crate) struct Conversations;

fn concerns(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::MessageReceived(_)
            | ChatEvent::MessageQueued(_)
            | ChatEvent::MessageEchoed(_)
            | ChatEvent::ConversationClosed(_)
            | ChatEvent::ChatAssigned(_)
    )
}

/// What happened, by chat.
#[derive(Default)]
struct Touches {
    chats: HashMap<String, Vec<Touch>>,
    count: usize,
}

impl Touches {
    fn fold(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for of in batch.of_chats(concerns)? {
            let Some(touch) = Touch::of(&of) else { continue };
            self.count += 1;
            match self.chats.get_mut(of.wa_id) {
                Some(touches) => touches.push(touch),
                None => {
                    self.chats.insert(of.wa_id.to_owned(), vec![touch]);
                }
            }
        }
        Ok(())
    }

    /// Merges it into the rows that are there.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ProjectionError> {
        for chats in in_order(&self.chats).chunks(ROWS) {
            let wa_ids: Vec<&str> = chats.iter().map(|(wa_id, _)| *wa_id).collect();
            let mut known = rows::newest(&mut *db, tenant, &wa_ids).await?;
            let (mut rows, mut changes) = (Vec::with_capacity(chats.len()), Vec::with_capacity(chats.len()));
            for (wa_id, touches) in chats {
                let (newest, before) = known.remove(*wa_id).unwrap_or_default();
                let sessions = sessions(newest.clone(), touches);
                let after = before.after(touches, newest.as_ref(), &sessions);
                changes.push(Change { wa_id, before, after });
                let changed = sessions.into_iter().filter(|session| Some(session) != newest.as_ref());
                rows.extend(changed.map(|session| Row { wa_id, holding: after, session }));
            }
            holders::write(&mut *db, tenant, &changes).await?;
            rows::upsert(&mut *db, tenant, &rows).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Projection for Conversations {
    fn name(&self) -> &'static str {
        "conversations"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[
            Table::looked_up("conversations", &["conversations_of_chat"]),
            Table::looked_up("conversation_holders", &["conversation_holders_pkey"]),
            Table::small("conversation_shares"),
            Table::looked_up("conversation_ends", &["conversation_ends_pkey"]),
        ];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("fold.rs"),
            include_str!("holders.rs"),
            include_str!("rows.rs"),
            include_str!("totals.rs"),
            include_str!("../../../domain/src/chat/assignment.rs"),
            include_str!("../../../domain/src/chat/conversation.rs"),
            include_str!("../../../domain/src/chat/written.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut touches = Touches::default();
        touches.fold(batch)?;
        touches.merge(db, batch.tenant).await
    }

    fn carried(&self) -> Option<Box<dyn Carried>> {
        Some(Box::new(Touches::default()))
    }
}

#[async_trait]
impl Carried for Touches {
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        self.fold(batch)
    }

    fn weight(&self) -> usize {
        // A key of some fifteen digits and its tree node beside the list, which may have room for as much again.
        self.chats.len() * 120 + self.count * 2 * size_of::<Touch>()
    }

    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError> {
        let touches = std::mem::take(self);
        if !first {
            return touches.merge(db, tenant).await;
        }
        let (mut rows, mut held) = (Vec::with_capacity(touches.chats.len()), Vec::with_capacity(touches.chats.len()));
        for (wa_id, touches) in in_order(&touches.chats) {
            let sessions = sessions(None, touches);
            let holding = Holding::default().after(touches, None, &sessions);
            held.push((wa_id, holding));
            rows.extend(sessions.into_iter().map(|session| Row { wa_id, holding, session }));
        }
        rows::insert(&mut *db, tenant, &rows).await?;
        holders::begin(db, tenant, &held).await?;
        Ok(())
    }
}
