//! The chats that an assignment opens: to whom a list is cut down, how long it is then, and where it begins.
//!
//! A user's scope and the filters by assignment name a few users and groups. Their chats are counted as they change
//! hands (`chat_shares`) and lie in the order of the lists in an index of their own, so that a page of ten thousand
//! such chats costs what a page of ten costs.

use chatledger_domain::{Actor, GroupId, Scope, TenantId};
use sqlx::{PgConnection, Postgres, QueryBuilder};

/// Chats with one holder or two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Branch {
    user: Option<i64>,
    group: Option<i64>,
    /// Another branch has this user's.
    not_user: Option<i64>,
}

/// Which chats, all of them apart from each other; readable by the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    branches: Vec<Branch>,
}

impl Reach {
    /// What the actor's scope and the filters leave; `None` for every chat.
    pub(crate) fn of(actor: &Actor, assigned_to_me: bool, assigned_group: Option<GroupId>) -> Option<Self> {
        let (me, group) = (actor.user.0, assigned_group.map(|group| group.0));
        let mine = Branch { user: Some(me), group, not_user: None };
        let of_group = |group: i64| Branch { group: Some(group), ..Branch::default() };
        let branches = match (actor.permissions.can_read_chats, group) {
            (Scope::None, _) => Vec::new(),
            _ if assigned_to_me => vec![mine],
            (Scope::User, _) => vec![mine],
            (Scope::All, None) => return None,
            (Scope::All, Some(group)) => vec![of_group(group)],
            (Scope::Group, Some(group)) if actor.groups.contains(&GroupId(group)) => vec![of_group(group)],
            (Scope::Group, Some(_)) => vec![mine],
            (Scope::Group, None) => {
                let others = actor.groups.iter().map(|group| Branch { not_user: Some(me), ..of_group(group.0) });
                [mine].into_iter().chain(others).collect()
            }
        };
        Some(Self { branches })
    }

    /// How many chats, and how many messages in them.
    pub(crate) async fn count(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(i64, i64), sqlx::Error> {
        let mut sql = QueryBuilder::<Postgres>::new(
            "SELECT coalesce(sum(s.chats), 0)::bigint, coalesce(sum(s.messages), 0)::bigint
             FROM read_models.chat_shares s WHERE ",
        );
        self.push_shares(&mut sql, tenant);
        sql.build_query_as().fetch_one(db).await
    }

    /// How many conversations there are in these chats.
    pub(crate) async fn count_conversations(
        &self,
        db: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<i64, sqlx::Error> {
        let mut sql = QueryBuilder::<Postgres>::new(
            "SELECT coalesce(sum(s.conversations), 0)::bigint FROM read_models.conversation_shares s WHERE ",
        );
        self.push_shares(&mut sql, tenant);
        sql.build_query_scalar().fetch_one(db).await
    }

    /// Whether a page of `many` rows out of `all`, of which so many are in these chats, is found sooner by going through
    /// the list in its order than by looking at all that are in them. What the planner thinks of it depends on when the
    /// table was analysed last.
    pub(crate) fn is_wide(held: i64, all: i64, many: i64) -> bool {
        held.saturating_mul(held) > many.saturating_mul(all)
    }

    /// Appends the condition that picks the totals `s` of these chats.
    fn push_shares(&self, sql: &mut QueryBuilder<'_, Postgres>, tenant: TenantId) {
        sql.push("s.tenant_id = ").push_bind(tenant.0).push(" AND (false");
        for branch in &self.branches {
            sql.push(" OR (true");
            branch.push(sql, "s");
            sql.push(")");
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
    #[test]
    fn a_wide_reach_is_walked() {
        // Every tenth of 200,000: a page of 100 takes a thousand steps.
        assert!(Reach::is_wide(20_000, 200_000, 100));
        assert!(!Reach::is_wide(50, 200_000, 100));
        assert!(!Reach::is_wide(0, 0, 100));
    }

    use std::collections::BTreeSet;

    use chatledger_domain::{Permissions, Role, UserId};

    use super::*;

    fn reach(scope: Scope, to_me: bool, group: Option<i64>) -> Option<Vec<(Option<i64>, Option<i64>)>> {
        let permissions = Permissions { can_read_chats: scope, ..Permissions::default() };
        let groups = BTreeSet::from([GroupId(2), GroupId(3)]);
        let actor = Actor { user: UserId(7), role: Role::User, groups, permissions };
        let reach = Reach::of(&actor, to_me, group.map(GroupId))?;
        Some(reach.branches.iter().map(|branch| (branch.user, branch.group)).collect())
    }

    #[test]
    fn r_perm_5_scope_and_filters_leave_what_both_allow() {
        let (me, two, nine) = (Some(7), Some(2), Some(9));
        assert_eq!(reach(Scope::All, false, None), None);
        assert_eq!(reach(Scope::All, false, nine), Some(vec![(None, nine)]));
        assert_eq!(reach(Scope::All, true, None), Some(vec![(me, None)]));
        assert_eq!(reach(Scope::All, true, nine), Some(vec![(me, nine)]));
        assert_eq!(reach(Scope::Group, false, None), Some(vec![(me, None), (None, two), (None, Some(3))]));
        assert_eq!(reach(Scope::Group, false, two), Some(vec![(None, two)]));
        assert_eq!(reach(Scope::Group, false, nine), Some(vec![(me, nine)]));
        assert_eq!(reach(Scope::Group, true, None), Some(vec![(me, None)]));
        assert_eq!(reach(Scope::User, false, None), Some(vec![(me, None)]));
        assert_eq!(reach(Scope::User, false, two), Some(vec![(me, two)]));
        assert_eq!(reach(Scope::None, true, two), Some(vec![]));
    }
}
