//! The chats that an assignment opens: to whom a list is cut down, how long it is then, and where it begins.
//!
//! A user's scope and the filters by assignment name a few users and groups. Their chats are counted as they change
//! hands (`chat_shares`) and lie in the order of the lists in an index of their own, so that a page of ten thousand
//! such chats costs what a page of ten costs.

use chatledger_domain::{Actor, Assignment, GroupId, Scope, TenantId, UserId};
use sqlx::{Connection, PgConnection, Postgres, QueryBuilder, Transaction, postgres::PgRow};

use crate::views::PageRequest;

/// Chats with one holder or two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Branch {
    user: Option<i64>,
    group: Option<i64>,
    /// Another branch has this user's.
    not_user: Option<i64>,
}

/// A question in the making.
pub(crate) type Sql = QueryBuilder<'static, Postgres>;

/// A list whose rows `v` belong to chats, ordered from the newest by a time that is never later than the newest message
/// of their chat, then by id; an index has the order.
pub(crate) struct List<W> {
    /// Where its rows are.
    pub table: &'static str,
    /// The column with their time.
    pub time: &'static str,
    /// The column with their id.
    pub id: &'static str,
    /// What all wanted rows are, one or the other: the conditions of the indexes that have the order.
    pub kinds: &'static [&'static str],
    /// No row that is wanted is as old as this or older.
    pub since: i64,
    /// How many rows are wanted, of all pages.
    pub count: i64,
    /// Among how many rows they lie, one of a chat: as many where all rows are wanted.
    pub among: i64,
    /// Appends which rows are wanted.
    pub wanted: W,
}

/// Under which user and group a chat counts in the totals; `None` where nobody has it.
pub(crate) fn share_of(by: Assignment) -> Option<(i64, i64)> {
    let (user, group) = (by.user.map(|user| user.0), by.group.map(|group| group.0));
    user.or(group).map(|_| (user.unwrap_or(0), group.unwrap_or(0)))
}

/// A transaction whose questions are answered by the order of indexes, by plans that are made once: where a table was not
/// analysed since it grew, the planner would read all that there is and sort it; and to plan anew takes longer than to answer.
pub(crate) async fn by_index(db: &mut PgConnection) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    db.begin_with("BEGIN; SET LOCAL enable_bitmapscan = off; SET LOCAL plan_cache_mode = force_generic_plan").await
}

/// Appends the rows of a table for the `wa_id` of each row of `of`. `OFFSET 0`: one look-up for each, not one search for all;
/// while a table was not analysed since it grew, the planner would read all of it.
pub(crate) fn push_looked_up(sql: &mut Sql, tenant: TenantId, table: &str, row: &str, of: &str) {
    sql.push(format!(" CROSS JOIN LATERAL (SELECT * FROM {table} {row} WHERE {row}.tenant_id = ")).push_bind(tenant.0);
    sql.push(format!(" AND {row}.wa_id = {of}.wa_id OFFSET 0) {row}"));
}

/// Which chats, all of them apart from each other; readable by the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    branches: Vec<Branch>,
}

impl Reach {
    /// What the actor's scope and the filters leave; `None` for every chat.
    pub(crate) fn of(actor: &Actor, user: Option<UserId>, group: Option<GroupId>) -> Option<Self> {
        let mine = Branch { user: Some(actor.user.0), ..Branch::default() };
        let of_groups = || actor.groups.iter().map(|group| Branch { group: Some(group.0), ..Branch::default() });
        let readable = match actor.permissions.can_read_chats {
            Scope::None => Vec::new(),
            Scope::User => vec![mine],
            Scope::Group => {
                let others = of_groups().map(|of_group| Branch { not_user: mine.user, ..of_group });
                [mine].into_iter().chain(others).collect()
            }
            Scope::All if user.is_none() && group.is_none() => return None,
            Scope::All => vec![Branch::default()],
        };
        let wanted = Branch { user: user.map(|user| user.0), group: group.map(|group| group.0), not_user: None };
        // Totals have 0 for nobody; a filter has it for what is no id.
        let is_nobody = wanted.user == Some(0) || wanted.group == Some(0);
        let branches = readable.into_iter().filter(|_| !is_nobody).filter_map(|branch| branch.and(wanted));
        Some(Self { branches: branches.collect() })
    }

    /// How many chats, and how many messages in them.
    pub(crate) async fn count(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(i64, i64), sqlx::Error> {
        let mut sql = QueryBuilder::new("");
        self.push_count(&mut sql, tenant);
        sql.build_query_as().fetch_one(db).await
    }

    /// Appends the question of how many `chats`, and how many `messages` in them.
    pub(crate) fn push_count(&self, sql: &mut Sql, tenant: TenantId) {
        sql.push("SELECT coalesce(sum(s.chats), 0)::bigint AS chats, coalesce(sum(s.messages), 0)::bigint AS messages");
        sql.push(" FROM read_models.chat_shares s WHERE s.tenant_id = ").push_bind(tenant.0);
        self.push_only(sql, "s");
    }

    /// Appends that a row of a table with holders is of these chats.
    pub(crate) fn push_only(&self, sql: &mut QueryBuilder<'_, Postgres>, table: &str) {
        sql.push(" AND (false");
        for branch in &self.branches {
            sql.push(" OR (true");
            branch.push(sql, table);
            sql.push(")");
        }
        sql.push(")");
    }

    /// Appends that the chat of a row is one of these. As a value and not as a join, which could be turned round.
    pub(crate) fn push_holds(&self, sql: &mut Sql, row: &str) {
        sql.push(format!(
            " AND (SELECT true FROM read_models.chats h WHERE h.tenant_id = {row}.tenant_id AND h.wa_id = {row}.wa_id"
        ));
        self.push_only(sql, "h");
        sql.push(")");
    }

    /// Appends a question of the rows of each holder, one after the other: there is an index for each.
    pub(crate) fn push_by_holder(&self, sql: &mut Sql, table: &str, each: impl Fn(&mut Sql)) {
        for (at, branch) in self.branches.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { " UNION ALL (" });
            each(sql);
            branch.push(sql, table);
            sql.push(")");
        }
    }

    /// A page of a list, of what there is in these chats; asked `by_index`. `page_of` makes the question from what appends
    /// the rows `v`.
    ///
    /// Looks into the chats with the newest messages, and into more of them until no other can have a part in the page.
    /// Rows of the very second in which the others begin are found by walking the list: a bulk message may have put
    /// thousands of chats there. So what it costs follows from the page, not from how many chats there are or how old.
    pub(crate) async fn page<W: Fn(&mut Sql)>(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        part: PageRequest,
        list: &List<W>,
        page_of: impl Fn(&dyn Fn(&mut Sql)) -> Sql,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let there = part.limit.min(list.count - part.offset);
        if self.is_nothing() || there <= 0 {
            return Ok(Vec::new());
        }
        let end = part.end();
        let evenly = part.until_full(list.among, list.count);
        let mut many = if evenly > end { evenly + evenly / 4 } else { end };
        loop {
            let (chats, others) = self.newest(&mut *db, tenant, many).await?;
            let mut sql = page_of(&|sql| self.push_rows(sql, tenant, list, &chats, others.map(|others| (others, end))));
            let rows = sql.build().fetch_all(&mut *db).await?;
            let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= there);
            if is_full || others.is_none_or(|others| others <= list.since) {
                return Ok(rows);
            }
            many = many.saturating_mul(8);
        }
    }

    /// The `many` of these chats with the newest messages, and the time after which no other has any; `None` where there
    /// is no other.
    async fn newest(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
        many: i64,
    ) -> Result<(Vec<String>, Option<i64>), sqlx::Error> {
        let order = "c.last_timestamp DESC";
        let mut sql = QueryBuilder::new("SELECT c.wa_id, c.last_timestamp FROM ");
        self.push_first(&mut sql, tenant, "c.wa_id, c.last_timestamp", order, many);
        sql.push(" c ORDER BY ").push(order).push(" LIMIT ").push_bind(many);
        let chats: Vec<(String, i64)> = sql.build_query_as().fetch_all(db).await?;
        let there_are_others = i64::try_from(chats.len()).is_ok_and(|found| found == many);
        let others = chats.last().filter(|_| there_are_others).map(|(_, newest)| *newest);
        Ok((chats.into_iter().map(|(wa_id, _)| wa_id).collect(), others))
    }

    /// Appends the rows of these of the chats, as a table; where there are others, all rows that are later than those can
    /// have, and the first `many` of their second, whichever of these chats they are in.
    fn push_rows<W: Fn(&mut Sql)>(
        &self,
        sql: &mut Sql,
        tenant: TenantId,
        list: &List<W>,
        chats: &[String],
        others: Option<(i64, i64)>,
    ) {
        let List { table, time, id, kinds, wanted, .. } = list;
        sql.push("(SELECT v.* FROM unnest(").push_bind(chats.to_vec()).push("::text[]) AS k (wa_id)");
        push_looked_up(sql, tenant, table, "v", "k");
        sql.push(" WHERE true");
        wanted(sql);
        if let Some((second, many)) = others {
            sql.push(format!(" AND v.{time} > ")).push_bind(second);
            for kind in *kinds {
                sql.push(format!(" UNION ALL (SELECT v.* FROM {table} v WHERE v.tenant_id = ")).push_bind(tenant.0);
                sql.push(format!(" AND {kind} AND v.{time} = ")).push_bind(second);
                wanted(sql);
                self.push_holds(sql, "v");
                sql.push(format!(" ORDER BY v.{id} LIMIT ")).push_bind(many).push(")");
            }
        }
        sql.push(")");
    }

    /// Appends the first `many` of these chats in an order that an index has, as a table.
    pub(crate) fn push_first(
        &self,
        sql: &mut QueryBuilder<'_, Postgres>,
        tenant: TenantId,
        columns: &str,
        order: &str,
        many: i64,
    ) {
        sql.push("(");
        for (at, branch) in self.branches.iter().enumerate() {
            sql.push(if at == 0 { "(SELECT " } else { " UNION ALL (SELECT " }).push(columns);
            sql.push(" FROM read_models.chats c WHERE c.tenant_id = ").push_bind(tenant.0);
            branch.push(sql, "c");
            sql.push(" ORDER BY ").push(order).push(" LIMIT ").push_bind(many).push(")");
        }
        sql.push(")");
    }

    /// Whether there can be no such chat.
    pub(crate) fn is_nothing(&self) -> bool {
        self.branches.is_empty()
    }
}

impl Branch {
    /// The chats of both; `None` where there can be none.
    fn and(self, other: Self) -> Option<Self> {
        let both = |one: Option<i64>, other: Option<i64>| match (one, other) {
            (Some(one), Some(other)) if one != other => None,
            _ => Some(one.or(other)),
        };
        let (user, group) = (both(self.user, other.user)?, both(self.group, other.group)?);
        let not_user = self.not_user.or(other.not_user);
        let is_other = not_user.is_some() && user == not_user;
        // Who holds it is known already.
        (!is_other).then_some(Self { user, group, not_user: not_user.filter(|_| user.is_none()) })
    }

    fn push(self, sql: &mut QueryBuilder<'_, Postgres>, table: &str) {
        if let Some(user) = self.user {
            sql.push(format!(" AND {table}.assigned_user = ")).push_bind(user);
        }
        if let Some(group) = self.group {
            sql.push(format!(" AND {table}.assigned_group = ")).push_bind(group);
        }
        if let Some(other) = self.not_user {
            sql.push(format!(" AND {table}.assigned_user IS DISTINCT FROM ")).push_bind(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chatledger_domain::{Permissions, Role};

    use super::*;

    fn reach(scope: Scope, user: Option<i64>, group: Option<i64>) -> Option<Vec<(Option<i64>, Option<i64>)>> {
        let permissions = Permissions { can_read_chats: scope, ..Permissions::default() };
        let groups = BTreeSet::from([GroupId(2), GroupId(3)]);
        let actor = Actor { user: UserId(7), role: Role::User, groups, permissions };
        let reach = Reach::of(&actor, user.map(UserId), group.map(GroupId))?;
        let is_twice = |branch: &Branch| branch.user.is_none() && branch.not_user != Some(7);
        assert!(scope != Scope::Group || !reach.branches.iter().any(is_twice), "its own chats come once");
        Some(reach.branches.iter().map(|branch| (branch.user, branch.group)).collect())
    }

    #[test]
    fn r_perm_5_scope_and_filters_leave_what_both_allow() {
        let (me, she, two, three, nine) = (Some(7), Some(8), Some(2), Some(3), Some(9));
        assert_eq!(reach(Scope::All, None, None), None);
        assert_eq!(reach(Scope::All, None, nine), Some(vec![(None, nine)]));
        assert_eq!(reach(Scope::All, me, None), Some(vec![(me, None)]));
        assert_eq!(reach(Scope::All, she, nine), Some(vec![(she, nine)]));
        assert_eq!(reach(Scope::All, Some(0), None), Some(vec![]), "not whoever has no user");
        assert_eq!(reach(Scope::Group, None, Some(0)), Some(vec![]), "nor no group");
        assert_eq!(reach(Scope::Group, None, None), Some(vec![(me, None), (None, two), (None, three)]));
        assert_eq!(reach(Scope::Group, None, two), Some(vec![(me, two), (None, two)]));
        assert_eq!(reach(Scope::Group, None, nine), Some(vec![(me, nine)]));
        assert_eq!(reach(Scope::Group, me, None), Some(vec![(me, None)]));
        assert_eq!(reach(Scope::Group, she, None), Some(vec![(she, two), (she, three)]));
        assert_eq!(reach(Scope::Group, she, nine), Some(vec![]));
        assert_eq!(reach(Scope::User, None, None), Some(vec![(me, None)]));
        assert_eq!(reach(Scope::User, None, two), Some(vec![(me, two)]));
        assert_eq!(reach(Scope::User, she, None), Some(vec![]));
        assert_eq!(reach(Scope::None, me, two), Some(vec![]));
    }
}
