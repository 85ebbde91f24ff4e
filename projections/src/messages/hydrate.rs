//! Completes stored messages with what is shown beside them: person, sender, tags, the quoted message.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chatledger_domain::{MessageId, RawJson, TenantId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::query::{MessageRow, rows_by_id};
use crate::{
    inbox::wa_id,
    persons::{Known, persons_by_id},
    taggings,
    text::lenient_tree,
    users::users_by_id,
    views::{AppliedTag, ContextView, MessageView, UserView},
};

/// Messages with all that is shown beside them, in the order of their rows; and what was looked up.
#[derive(Debug, Default)]
pub(crate) struct Hydrated {
    pub messages: Vec<MessageView>,
    pub people: HashMap<String, Known>,
    pub chat_tags: HashMap<String, Vec<AppliedTag>>,
    pub users: BTreeMap<i64, Arc<UserView>>,
}

/// Completes messages; `chats` and `users` are looked up besides.
pub(crate) async fn hydrate(
    db: &mut PgConnection,
    tenant: TenantId,
    reader: UserId,
    rows: Vec<MessageRow>,
    chats: &[&str],
    users: &[i64],
) -> Result<Hydrated, sqlx::Error> {
    let quoted = Quoted::load(&mut *db, tenant, &rows).await?;
    let shown = || rows.iter().chain(&quoted.rows);
    let wa_ids: BTreeSet<&str> = shown().map(|row| row.wa_id.as_str()).chain(chats.iter().copied()).collect();
    let wa_ids: Vec<&str> = wa_ids.into_iter().collect();
    if wa_ids.is_empty() {
        return Ok(Hydrated::default());
    }
    let user_ids: BTreeSet<i64> = shown().filter_map(|row| row.sender).chain(users.iter().copied()).collect();
    let beside = Beside {
        people: persons_by_id(&mut *db, tenant, reader, &wa_ids).await?,
        chat_tags: taggings::of_chats(&mut *db, tenant, &wa_ids).await?,
        tags: taggings::of_messages(&mut *db, tenant, &shown().map(|row| row.message_id).collect::<Vec<_>>()).await?,
        users: users_by_id(db, tenant, &user_ids.into_iter().collect::<Vec<_>>()).await?,
    };
    let Quoted { rows: quoted_rows, by_id } = quoted;
    let quoted_views = quoted_rows.into_iter().map(|row| beside.view(row)).collect::<Result<Vec<_>, _>>()?;
    let messages = rows
        .into_iter()
        .map(|row| {
            let context = row.context.clone();
            let mut view = beside.view(row)?;
            view.context = context.map(|id| {
                let held = by_id.get(&id).map(|at| &quoted_views[*at]).filter(|quoted| quoted.wa_id == view.wa_id);
                held.map_or_else(
                    || ContextView::Reference { from: quoted_writer(&view.payload), id: id.clone() },
                    |quoted| ContextView::Message(Box::new(quoted.clone())),
                )
            });
            Ok(view)
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let Beside { people, chat_tags, users, .. } = beside;
    Ok(Hydrated { messages, people, chat_tags, users })
}

/// Who wrote the quoted message, as the quoting one tells.
fn quoted_writer(payload: &RawJson) -> Option<String> {
    lenient_tree(payload).pointer("/context/from").and_then(|from| from.as_str()).map(str::to_owned)
}

/// The quoted messages that we hold, by the id under which they are quoted.
#[derive(Default)]
struct Quoted {
    rows: Vec<MessageRow>,
    by_id: HashMap<String, usize>,
}

impl Quoted {
    async fn load(db: &mut PgConnection, tenant: TenantId, rows: &[MessageRow]) -> Result<Self, sqlx::Error> {
        let named: BTreeSet<&str> = rows.iter().filter_map(|row| row.context.as_deref()).collect();
        if named.is_empty() {
            return Ok(Self::default());
        }
        let theirs: Vec<&str> = named.iter().copied().collect();
        let ours: HashMap<Uuid, &str> =
            named.iter().filter_map(|id| Uuid::try_parse(id).ok().map(|uuid| (uuid, *id))).collect();
        let rows = rows_by_id(db, tenant, &ours.keys().copied().collect::<Vec<_>>(), &theirs).await?;
        let mut by_id = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            let ids = [ours.get(&row.message_id).map(|id| (*id).to_owned()), row.waba_id.clone()];
            for id in ids.into_iter().flatten() {
                by_id.entry(id).or_insert(at);
            }
        }
        Ok(Self { rows, by_id })
    }
}

struct Beside {
    people: HashMap<String, Known>,
    chat_tags: HashMap<String, Vec<AppliedTag>>,
    tags: HashMap<Uuid, Vec<AppliedTag>>,
    users: BTreeMap<i64, Arc<UserView>>,
}

impl Beside {
    /// The message without its context.
    fn view(&self, row: MessageRow) -> Result<MessageView, sqlx::Error> {
        let wa_id = wa_id(&row.wa_id)?;
        let known = self.people.get(&row.wa_id).cloned().unwrap_or_else(|| Known::nobody(wa_id.clone()));
        Ok(MessageView {
            message_id: MessageId(row.message_id),
            waba_id: row.waba_id,
            timestamp: row.timestamp,
            from_us: row.from_us,
            kind: row.kind,
            payload: row.payload,
            errors: row.errors,
            sent: row.sent,
            delivered: row.delivered,
            read: row.read,
            is_failed: row.is_failed,
            sender: row.sender.and_then(|id| self.users.get(&id).cloned()),
            received: row.from_us || known.mark.is_some_and(|mark| row.timestamp <= mark),
            person: known.person,
            context: None,
            tags: self.tags.get(&row.message_id).cloned().unwrap_or_default(),
            chat_tags: self.chat_tags.get(&row.wa_id).cloned().unwrap_or_default(),
            wa_id,
        })
    }
}
