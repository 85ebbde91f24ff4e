//! Conversations by status: how many there are, and which come first. That one is over because of the time is nowhere
//! stored; the totals tell when how many are, and the newest of each kind lie in an index each.

use chatledger_domain::{TenantId, chat::conversation::SPAN};
use sqlx::{PgConnection, QueryBuilder};

use super::{ConversationStatus, totals};
use crate::chats::{Reach, Sql};

/// What picks an index of open conversations; and of closed ones.
const OPEN: &str = "v.closed_at IS NULL";
const CLOSED: &str = "v.closed_at IS NOT NULL";
/// Conversations of which the end is nearer than this to their newest message are in an index of their own: the business
/// wrote ten minutes after the customer, or later.
const LATE: &str = "v.expires_at - v.last_message_at <= 85800";
/// What is neither late nor silent for longer than a conversation lasts ended within so many seconds.
const PROMPT: i64 = SPAN - 85_800;

/// How many conversations there are, of all or those in some chats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    all: i64,
    closed: i64,
    active: i64,
}

impl Counts {
    /// Of a status.
    pub(super) fn of(self, status: Option<ConversationStatus>) -> i64 {
        match status {
            None => self.all,
            Some(ConversationStatus::Closed) => self.closed,
            Some(ConversationStatus::Active) => self.active,
            Some(ConversationStatus::Expired) => self.all - self.closed - self.active,
        }
    }
}

/// What tells how a list that is cut down to some chats is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    /// The conversations in these chats.
    pub own: Counts,
    /// Those of everybody.
    pub all: Counts,
    /// How many chats these are.
    pub chats: i64,
}

/// How many conversations there are.
pub(super) async fn counts(db: &mut PgConnection, tenant: TenantId, now: i64) -> Result<Counts, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT * FROM ");
    push_counts(&mut sql, tenant, None, now);
    let (all, closed, active) = sql.push(" c").build_query_as().fetch_one(db).await?;
    Ok(Counts { all, closed, active })
}

/// Counts in these chats, among everybody's.
pub(super) async fn compared(
    db: &mut PgConnection,
    tenant: TenantId,
    reach: &Reach,
    now: i64,
) -> Result<Compared, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT o.*, c.*, k.chats FROM ");
    push_counts(&mut sql, tenant, Some(reach), now);
    sql.push(" o, ");
    push_counts(&mut sql, tenant, None, now);
    sql.push(" c, (");
    reach.push_count(&mut sql, tenant);
    sql.push(") k");
    let row: (i64, i64, i64, i64, i64, i64, i64) = sql.build_query_as().fetch_one(db).await?;
    let counts = |all, closed, active| Counts { all, closed, active };
    Ok(Compared { own: counts(row.0, row.1, row.2), all: counts(row.3, row.4, row.5), chats: row.6 })
}

/// Appends how many conversations there are in these chats, or all, as a table of one row: adds up totals, and looks at those
/// alone that end within minutes.
fn push_counts(sql: &mut Sql, tenant: TenantId, whose: Option<&Reach>, now: i64) {
    let soon = totals::part_of(now);
    sql.push("(SELECT t.conversations, t.closed, l.later + ");
    sql.push("(SELECT count(*) FROM read_models.conversations v WHERE v.tenant_id = ").push_bind(tenant.0);
    sql.push(format!(" AND {OPEN} AND v.expires_at > ")).push_bind(now).push(" AND v.expires_at < ").push_bind(soon);
    if let Some(reach) = whose {
        reach.push_only(sql, "v");
    }
    sql.push(") AS active FROM (SELECT coalesce(sum(s.conversations), 0)::bigint AS conversations,");
    sql.push(" coalesce(sum(s.closed), 0)::bigint AS closed FROM ");
    push_totals(sql, "conversation_shares", tenant, whose, |_| {});
    sql.push(") t, (SELECT coalesce(sum(s.conversations), 0)::bigint AS later FROM ");
    push_totals(sql, "conversation_ends", tenant, whose, |sql| {
        sql.push(" AND s.until > ").push_bind(soon);
    });
    sql.push(") l)");
}

/// Appends the totals `s` of these chats, or of all, as a table.
fn push_totals(sql: &mut Sql, table: &str, tenant: TenantId, whose: Option<&Reach>, also: impl Fn(&mut Sql)) {
    let each = |sql: &mut Sql| {
        sql.push(format!("SELECT s.* FROM read_models.{table} s WHERE s.tenant_id = ")).push_bind(tenant.0);
        also(sql);
    };
    sql.push("(");
    match whose {
        Some(reach) => reach.push_by_holder(sql, "s", each),
        None => {
            each(sql);
            sql.push(" AND s.assigned_user = 0 AND s.assigned_group = 0");
        }
    }
    sql.push(") s");
}

/// The conditions of the indexes in which those of a status are, from the newest message.
pub(super) fn kinds(status: Option<ConversationStatus>) -> &'static [&'static str] {
    match status {
        None => &[OPEN, CLOSED],
        Some(ConversationStatus::Closed) => &[CLOSED],
        Some(_) => &[OPEN],
    }
}

/// Appends that the conversation `v` is of a status.
pub(super) fn push_is(sql: &mut Sql, status: Option<ConversationStatus>, now: i64) {
    match status {
        None => sql,
        Some(ConversationStatus::Closed) => sql.push(format!(" AND {CLOSED}")),
        Some(ConversationStatus::Active) => sql.push(format!(" AND {OPEN} AND v.expires_at > ")).push_bind(now),
        Some(ConversationStatus::Expired) => sql.push(format!(" AND {OPEN} AND v.expires_at <= ")).push_bind(now),
    };
}

/// Appends conversations of a status in these chats, or all, as a table: the first `many` are among them. Every part is read
/// from its beginning in an index, however many there are of another status.
pub(super) fn push_first(
    sql: &mut Sql,
    tenant: TenantId,
    status: Option<ConversationStatus>,
    now: i64,
    many: i64,
    whose: Option<&Reach>,
) {
    let part = |sql: &mut Sql, kind: &str, condition: &dyn Fn(&mut Sql), in_order: bool| {
        sql.push("(SELECT v.* FROM read_models.conversations v WHERE v.tenant_id = ").push_bind(tenant.0);
        sql.push(" AND ").push(kind);
        condition(sql);
        if let Some(reach) = whose {
            reach.push_only(sql, "v");
        }
        if in_order {
            sql.push(" ORDER BY v.last_message_at DESC, v.conversation_id LIMIT ").push_bind(many);
        }
        sql.push(")");
    };
    // One that was silent for as long is over. `+ 0` keeps the planner to the index with the order.
    let silent = now.saturating_sub(SPAN);
    sql.push("(");
    match status {
        None => {
            part(sql, OPEN, &|_| {}, true);
            sql.push(" UNION ALL ");
            part(sql, CLOSED, &|_| {}, true);
        }
        Some(ConversationStatus::Closed) => part(sql, CLOSED, &|_| {}, true),
        Some(ConversationStatus::Active) => {
            let is_active = |sql: &mut Sql| {
                sql.push(" AND v.last_message_at > ").push_bind(silent);
                sql.push(" AND v.expires_at + 0 > ").push_bind(now);
            };
            part(sql, OPEN, &is_active, true);
        }
        Some(ConversationStatus::Expired) => {
            let is_silent = |sql: &mut Sql| {
                sql.push(" AND v.last_message_at <= ").push_bind(silent);
            };
            part(sql, OPEN, &is_silent, true);
            let is_late = |sql: &mut Sql| {
                sql.push(format!(" AND {LATE} AND v.last_message_at > ")).push_bind(silent);
                sql.push(" AND v.expires_at + 0 <= ").push_bind(now);
            };
            sql.push(" UNION ALL ");
            part(sql, OPEN, &is_late, true);
            let is_prompt = |sql: &mut Sql| {
                sql.push(format!(" AND NOT ({LATE}) AND v.last_message_at + 0 > ")).push_bind(silent);
                sql.push(" AND v.expires_at > ").push_bind(now.saturating_sub(PROMPT));
                sql.push(" AND v.expires_at <= ").push_bind(now);
            };
            sql.push(" UNION ALL ");
            part(sql, OPEN, &is_prompt, false);
        }
    }
    sql.push(")");
}
