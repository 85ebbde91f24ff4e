//! R-CNV-3: lists of conversations by status, whoever asks and whenever, against a look at each conversation.

use chatledger_domain::{
    Assignment,
    chat::{ChatAssigned, MessageEchoed},
};
use chatledger_projections::conversations::{ConversationFilter, ConversationStatus};

use super::{
    history::{ODD, json},
    *,
};

/// When all that is written has happened, POSIX seconds.
const NOW: i64 = 1_790_000_123;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const CHATS: i64 = 90;

/// Six chats a second, over five days.
fn begun(chat: i64) -> i64 {
    NOW - 9 * HOUR - (chat / 6 * 27_919) % (5 * DAY)
}

/// Conversations of five days, some of which the business answered at once and some late, some with a customer whose clock is
/// ahead, some closed, some after others.
fn converse(w: &mut Writer, chat: i64, users: &[i64], groups: &[i64]) {
    let (wa_id, me) = (format!("351912000{chat:03}"), UserId(users[0]));
    let wrote = |w: &mut Writer, what: &str, timestamp: i64, at: i64| {
        let mut message = received(&format!("{what}.{chat}"), timestamp, ODD);
        message.received_at = at;
        w.chat(&wa_id, message);
    };
    let echoed = |w: &mut Writer, what: &str, timestamp: i64| {
        let (message_id, waba_id) = (MessageId(Uuid::new_v4()), format!("{what}.{chat}"));
        let (kind, message) = ("text".to_owned(), json(ODD));
        w.chat(&wa_id, MessageEchoed { message_id, waba_id, timestamp, kind, context: None, message });
    };
    let at = begun(chat);
    if chat % 6 == 5 {
        wrote(w, "earlier", at - 3 * DAY, at - 3 * DAY);
    }
    if chat % 12 == 5 {
        w.close(&wa_id, me, at - 2 * DAY);
    }
    wrote(w, "first", at, at);
    match chat % 5 {
        0 => echoed(w, "prompt", at + 500),
        1 => echoed(w, "late", at + 8 * HOUR),
        2 if chat % 10 == 2 => wrote(w, "ahead", at + 40 * HOUR, at + 5),
        _ => {}
    }
    if chat % 3 == 0 {
        w.close(&wa_id, me, at + 8 * HOUR);
    }
    let (user_set, group_set) = match chat % 8 {
        0 => (Some(users[1]), None),
        1 => (Some(users[1]), Some(groups[1])),
        2 => (Some(users[0]), Some(groups[1])),
        3 | 4 => (None, Some(groups[1])),
        5 => (None, Some(groups[2])),
        _ => return,
    };
    let (user_set, group_set) = (user_set.map(UserId), group_set.map(GroupId));
    let (user_cleared, group_cleared, based_on, trigger) = (false, false, None, None);
    let (done_by, timestamp) = (Some(me), at + HOUR);
    let assigned =
        ChatAssigned { user_set, user_cleared, group_set, group_cleared, done_by, timestamp, based_on, trigger };
    w.chat(&wa_id, assigned);
}

/// A row: its id, when it was closed, when it is over, who has the chat.
type Stored = (Uuid, Option<i64>, i64, Option<i64>, Option<i64>);

/// A conversation: its id, its status by looking, who has it.
type Looked = (Uuid, ConversationStatus, Assignment);

/// All conversations from the newest message, looked at one by one.
async fn look(pool: &PgPool, tenant: TenantId, now: i64) -> Vec<Looked> {
    let rows: Vec<Stored> = sqlx::query_as(
        "SELECT conversation_id, closed_at, expires_at, c.assigned_user, c.assigned_group FROM read_models.conversations
         JOIN read_models.chats c USING (tenant_id, wa_id) WHERE tenant_id = $1
         ORDER BY last_message_at DESC, conversation_id",
    )
    .bind(tenant.0)
    .fetch_all(pool)
    .await
    .unwrap();
    let looked = |(id, closed_at, expires_at, user, group): Stored| {
        let status = match closed_at {
            Some(_) => ConversationStatus::Closed,
            None if now < expires_at => ConversationStatus::Active,
            None => ConversationStatus::Expired,
        };
        (id, status, Assignment { user: user.map(UserId), group: group.map(GroupId) })
    };
    rows.into_iter().map(looked).collect()
}

#[tokio::test]
async fn r_cnv_3_a_list_of_a_status_is_what_a_look_at_each_conversation_finds() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("statuses"));
    let live = engine(&database.pool, &ledger, 50);
    let (groups, users, _) = set_up(&mut w, "statuses").await;
    for chat in 0..CHATS {
        converse(&mut w, chat, &users, &groups);
        w.write().await;
    }
    let inbox = Inbox::new(database.pool.clone());
    let admin = inbox_actor(&database, &live, &inbox, &w, users[0]).await;
    let askers = [
        (admin.clone(), None),
        (admin.clone(), Some(users[1])),
        (admin.clone(), Some(users[2])),
        (admin.clone(), Some(0)),
        (agent(&admin, users[1], Scope::User, &groups), None),
        (agent(&admin, users[1], Scope::Group, &groups[1..2]), None),
        (agent(&admin, users[0], Scope::Group, &groups[1..3]), None),
        (agent(&admin, users[0], Scope::Group, &groups[1..3]), Some(users[1])),
        (agent(&admin, users[2], Scope::Group, &groups[2..3]), None),
        (agent(&admin, users[2], Scope::None, &groups), None),
    ];
    use ConversationStatus::{Active, Closed, Expired};
    let (mut seen, mut asked) = ([0; 3], 0);
    // The last one: the business wrote not a day ago in a conversation that was over by then.
    let moments = [0, 1, 477, HOUR + 17, 9 * HOUR, 30 * HOUR, 9 * DAY].map(|later| NOW + later);
    for now in moments.into_iter().chain([begun(10) + DAY + 400]) {
        assert!(now >= NOW, "nothing is written later");
        let all = look(&database.pool, w.tenant, now).await;
        for (actor, assigned) in &askers {
            for (at, status) in [None, Some(Active), Some(Expired), Some(Closed)].into_iter().enumerate() {
                let is_wanted = |(_, of, by): &&Looked| {
                    status.is_none_or(|status| status == *of)
                        && assigned.is_none_or(|user| by.user == Some(UserId(user)))
                        && actor.may_read(*by)
                };
                let wanted: Vec<Uuid> = all.iter().filter(is_wanted).map(|(id, ..)| *id).collect();
                if at > 0 {
                    seen[at - 1] += wanted.len();
                }
                let filter = ConversationFilter { status, assigned_to: assigned.map(UserId) };
                for (limit, offset) in [(100, 0), (1, 0), (2, 0), (4, 3), (10, 10), (5, 100)] {
                    let part = PageRequest { limit, offset };
                    let page = inbox.conversations(w.tenant, actor, filter, part, now).await.unwrap();
                    let rows: Vec<Uuid> = page.rows.iter().map(|row| row.id.0).collect();
                    let of_part = wanted.iter().copied().skip(offset as usize).take(limit as usize);
                    let what = format!("{:?} {assigned:?} {status:?} {limit} {offset} {}", actor.user, now - NOW);
                    assert_eq!((page.count, rows), (wanted.len() as i64, of_part.collect()), "{what}");
                    assert!(page.rows.iter().all(|row| status.is_none_or(|status| row.status == status)), "{what}");
                    asked += 1;
                }
            }
        }
    }
    assert!(seen.iter().all(|many| *many > 100) && asked == 8 * 10 * 4 * 6, "{seen:?} {asked}");
    live.stop().await;
}
