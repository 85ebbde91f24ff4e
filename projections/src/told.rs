//! All that is looked up to tell a page of pushes, at once: what readers share is read once for all of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chatledger_domain::{GroupId, MessageId, Position, TenantId, UserId};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{
    bulk_messages, chats,
    groups::groups_by_id,
    inbox::{Answer, Inbox},
    messages::{hydrate, rows_by_id},
    users::users_by_id,
    views::{BulkMessageView, ChatView, GroupView, MessageView, UserView},
};

/// Nobody: has received nothing.
const NOBODY: UserId = UserId(0);
/// How many messages a new holder of a chat is told (R-IWH-7).
const UNRECEIVED: i64 = 50;

/// What is to be looked up.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// These messages.
    pub messages: BTreeSet<MessageId>,
    /// Which of our messages WhatsApp calls so.
    pub waba_ids: BTreeSet<String>,
    /// What WhatsApp calls these messages.
    pub ours: BTreeSet<MessageId>,
    /// Whose marks.
    pub readers: BTreeSet<UserId>,
    /// These users.
    pub users: BTreeSet<UserId>,
    /// The users of these streams.
    pub user_streams: BTreeSet<String>,
    /// These groups.
    pub groups: BTreeSet<GroupId>,
    /// What a user who was given a chat has not received of it.
    pub given: BTreeSet<Given>,
    /// These chats, as these readers see them.
    pub chats: BTreeSet<(UserId, String)>,
    /// These bulk messages.
    pub tasks: BTreeSet<Uuid>,
}

/// A chat that a user was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Given {
    /// The chat.
    pub wa_id: String,
    /// Its new holder.
    pub reader: UserId,
    /// When.
    pub at: Position,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Told {
    /// Messages by our id; `received` is nobody's, see [`Told::has_received`].
    pub messages: HashMap<MessageId, MessageView>,
    /// Our ids of messages, by WhatsApp's.
    pub by_waba_id: HashMap<String, MessageId>,
    /// WhatsApp's ids of messages, by ours.
    pub waba_ids: HashMap<MessageId, String>,
    /// The unreceived messages, oldest first; the last message where there is none (R-IWH-7).
    pub given: HashMap<Given, Vec<MessageId>>,
    /// Users by id.
    pub users: BTreeMap<i64, Arc<UserView>>,
    /// Users by stream.
    pub by_stream: HashMap<String, Arc<UserView>>,
    /// Groups by id.
    pub groups: BTreeMap<i64, GroupView>,
    /// Chats.
    pub chats: HashMap<(UserId, String), ChatView>,
    /// Bulk messages.
    pub tasks: HashMap<Uuid, BulkMessageView>,
    marks: HashMap<(UserId, String), i64>,
}

impl Told {
    /// Whether a reader has received a message (R-RCV-1).
    #[must_use]
    pub fn has_received(&self, message: &MessageView, reader: Option<UserId>) -> bool {
        let mark = || self.marks.get(&(reader?, message.wa_id.as_str().to_owned()));
        message.from_us || mark().is_some_and(|mark| message.timestamp <= *mark)
    }
}

impl Inbox {
    /// Looks all of it up. What is not there is left out.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn told(&self, tenant: TenantId, wanted: Wanted) -> Answer<Told> {
        self.ask(tenant, async |db| look_up(db, tenant, wanted).await).await
    }
}

async fn look_up(db: &mut PgConnection, tenant: TenantId, wanted: Wanted) -> Result<Told, sqlx::Error> {
    let mut told = Told { given: given(&mut *db, tenant, &wanted.given).await?, ..Told::default() };
    let ids = wanted.messages.iter().chain(told.given.values().flatten()).map(|id| id.0).collect::<BTreeSet<_>>();
    if !ids.is_empty() {
        let rows = rows_by_id(&mut *db, tenant, &ids.into_iter().collect::<Vec<_>>(), &[]).await?;
        let views = hydrate(&mut *db, tenant, NOBODY, rows, &[], &[]).await?.messages;
        told.messages = views.into_iter().map(|view| (view.message_id, view)).collect();
    }
    told.marks = marks(&mut *db, tenant, &wanted.readers, &told.messages).await?;
    told.by_waba_id = ours(&mut *db, tenant, &wanted.waba_ids).await?;
    told.waba_ids = theirs(&mut *db, tenant, &wanted.ours).await?;
    let streams = streams(&mut *db, tenant, &wanted.user_streams).await?;
    let users = wanted.users.iter().map(|user| user.0).chain(streams.values().copied()).collect::<Vec<_>>();
    told.users = users_by_id(&mut *db, tenant, &users).await?;
    let user_of = |(stream, id): (String, i64)| Some((stream, told.users.get(&id)?.clone()));
    told.by_stream = streams.into_iter().filter_map(user_of).collect();
    let groups = wanted.groups.iter().map(|group| group.0).collect::<Vec<_>>();
    told.groups = groups_by_id(&mut *db, tenant, &groups).await?;
    let readers = wanted.chats.iter().map(|(reader, _)| *reader).collect::<BTreeSet<_>>();
    for reader in readers {
        let ids = wanted.chats.iter().filter(|(other, _)| *other == reader).map(|(_, id)| id.as_str());
        for chat in chats::chats_by_id(&mut *db, tenant, reader, &ids.collect::<Vec<_>>()).await? {
            told.chats.insert((reader, chat.person.wa_id.as_str().to_owned()), chat);
        }
    }
    for task in wanted.tasks {
        told.tasks.extend(bulk_messages::task(&mut *db, tenant, task).await?.map(|view| (task, view)));
    }
    Ok(told)
}

async fn marks(
    db: &mut PgConnection,
    tenant: TenantId,
    readers: &BTreeSet<UserId>,
    messages: &HashMap<MessageId, MessageView>,
) -> Result<HashMap<(UserId, String), i64>, sqlx::Error> {
    let chats = messages.values().filter(|message| !message.from_us).map(|message| message.wa_id.as_str());
    let chats = chats.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    if readers.is_empty() || chats.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT user_id, wa_id, mark FROM read_models.received_marks
               WHERE tenant_id = $1 AND wa_id = ANY($2) AND user_id = ANY($3)";
    let readers = readers.iter().map(|reader| reader.0).collect::<Vec<_>>();
    let rows: Vec<(i64, String, i64)> =
        sqlx::query_as(sql).bind(tenant.0).bind(chats).bind(readers).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(reader, wa_id, mark)| ((UserId(reader), wa_id), mark)).collect())
}

/// By position up to the gift, so that no message is told by it that a later push tells.
async fn given(
    db: &mut PgConnection,
    tenant: TenantId,
    wanted: &BTreeSet<Given>,
) -> Result<HashMap<Given, Vec<MessageId>>, sqlx::Error> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let of = "FROM read_models.messages m WHERE m.tenant_id = $1 AND m.wa_id = g.wa_id AND m.position <= g.at";
    let sql = format!(
        "SELECT g.n, u.message_id FROM unnest($2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
             AS g (wa_id, reader, at, n),
         LATERAL (
             (SELECT m.message_id, m.timestamp, m.position, true AS unreceived {of} AND NOT m.from_us
                  AND m.timestamp > coalesce((SELECT r.mark FROM read_models.received_marks r
                      WHERE r.tenant_id = $1 AND r.wa_id = g.wa_id AND r.user_id = g.reader), -1)
              ORDER BY m.timestamp, m.position LIMIT $5)
             UNION ALL
             (SELECT m.message_id, m.timestamp, m.position, false {of}
              ORDER BY m.timestamp DESC, m.position DESC LIMIT 1)) u
         ORDER BY g.n, u.unreceived DESC, u.timestamp, u.position"
    );
    let all: Vec<&Given> = wanted.iter().collect();
    let rows = sqlx::query(&sql)
        .bind(tenant.0)
        .bind(all.iter().map(|given| given.wa_id.as_str()).collect::<Vec<_>>())
        .bind(all.iter().map(|given| given.reader.0).collect::<Vec<_>>())
        .bind(all.iter().map(|given| given.at.0).collect::<Vec<_>>())
        .bind(UNRECEIVED)
        .fetch_all(db)
        .await?;
    let mut found: HashMap<Given, Vec<MessageId>> = HashMap::new();
    for row in &rows {
        let place = usize::try_from(row.try_get::<i64, _>("n")?).unwrap_or_default();
        let Some(given) = place.checked_sub(1).and_then(|place| all.get(place)) else { continue };
        found.entry((*given).clone()).or_default().push(MessageId(row.try_get("message_id")?));
    }
    // The last message stands behind the unreceived ones, and counts where there is none.
    for messages in found.values_mut().filter(|messages| messages.len() > 1) {
        messages.pop();
    }
    Ok(found)
}

async fn ours(
    db: &mut PgConnection,
    tenant: TenantId,
    waba_ids: &BTreeSet<String>,
) -> Result<HashMap<String, MessageId>, sqlx::Error> {
    if waba_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT DISTINCT ON (waba_id) waba_id, message_id FROM read_models.messages
               WHERE tenant_id = $1 AND waba_id = ANY($2) ORDER BY waba_id, position";
    let ids = waba_ids.iter().map(String::as_str).collect::<Vec<_>>();
    let rows: Vec<(String, Uuid)> = sqlx::query_as(sql).bind(tenant.0).bind(ids).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(theirs, ours)| (theirs, MessageId(ours))).collect())
}

async fn theirs(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &BTreeSet<MessageId>,
) -> Result<HashMap<MessageId, String>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT message_id, waba_id FROM read_models.messages
               WHERE tenant_id = $1 AND message_id = ANY($2) AND waba_id IS NOT NULL";
    let ids = ids.iter().map(|id| id.0).collect::<Vec<_>>();
    let rows: Vec<(Uuid, String)> = sqlx::query_as(sql).bind(tenant.0).bind(ids).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(ours, theirs)| (MessageId(ours), theirs)).collect())
}

async fn streams(
    db: &mut PgConnection,
    tenant: TenantId,
    streams: &BTreeSet<String>,
) -> Result<HashMap<String, i64>, sqlx::Error> {
    if streams.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT aggregate_id, id FROM read_models.users WHERE tenant_id = $1 AND aggregate_id = ANY($2)";
    let streams = streams.iter().map(String::as_str).collect::<Vec<_>>();
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).bind(tenant.0).bind(streams).fetch_all(db).await?;
    Ok(rows.into_iter().collect())
}
