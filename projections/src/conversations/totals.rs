//! How many conversations there are, are closed, and are over when: of all chats, and of those that each user and group
//! holds together.

use std::collections::BTreeMap;

use chatledger_domain::TenantId;
use sqlx::PgConnection;

use super::{fold::Session, holders::Holding};
use crate::engine::{Rows, Stage};

/// Ends are counted by so many seconds: few rows to add up for a list, few conversations to look at in the current part.
pub(super) const PART: i64 = 600;

/// Of all chats, whoever has them.
const ALL: (i64, i64) = (0, 0);

/// Before which moment the newest conversation of a chat is over, unless it is closed.
pub(super) fn until(newest: Option<&Session>) -> Option<i64> {
    newest.filter(|session| session.closed_at.is_none()).map(|session| part_of(session.expires_at))
}

/// The end of the part in which a moment is.
pub(super) fn part_of(moment: i64) -> i64 {
    (moment.div_euclid(PART).saturating_add(1)).saturating_mul(PART)
}

/// Totals, or what changes of them.
#[derive(Default)]
pub(super) struct Totals {
    /// Conversations and closed ones, by user and group.
    shares: BTreeMap<(i64, i64), (i64, i64)>,
    /// Newest ones that nobody closed, by user and group and by when they are over.
    ends: BTreeMap<((i64, i64), i64), i64>,
}

impl Totals {
    /// Counts a chat so many times.
    pub(super) fn add(&mut self, holding: &Holding, times: i64) {
        for share in [Some(ALL), holding.share()].into_iter().flatten() {
            let (conversations, closed) = self.shares.entry(share).or_default();
            *conversations += times * holding.conversations;
            *closed += times * holding.closed;
            if let Some(until) = holding.until {
                *self.ends.entry((share, until)).or_default() += times;
            }
        }
    }

    fn drop_nothing(&mut self) {
        self.shares.retain(|_, more| *more != (0, 0));
        self.ends.retain(|_, more| *more != 0);
    }

    /// Adds it to what is stored. What comes to nothing leaves no row.
    pub(super) async fn merge(mut self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        self.drop_nothing();
        if !self.shares.is_empty() {
            self.merge_shares(&mut *db, tenant).await?;
        }
        if !self.ends.is_empty() {
            self.merge_ends(db, tenant).await?;
        }
        Ok(())
    }

    async fn merge_shares(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO conversation_shares AS s (tenant_id, assigned_user, assigned_group, conversations, closed)
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
             ON CONFLICT (tenant_id, assigned_user, assigned_group) DO UPDATE SET
                 conversations = s.conversations + excluded.conversations, closed = s.closed + excluded.closed",
        )
        .bind(tenant.0)
        .bind(self.shares.keys().map(|share| share.0).collect::<Vec<_>>())
        .bind(self.shares.keys().map(|share| share.1).collect::<Vec<_>>())
        .bind(self.shares.values().map(|more| more.0).collect::<Vec<_>>())
        .bind(self.shares.values().map(|more| more.1).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
        if self.shares.values().any(|more| more.0 < 0) {
            let empty = "DELETE FROM conversation_shares WHERE tenant_id = $1 AND conversations = 0";
            sqlx::query(empty).bind(tenant.0).execute(db).await?;
        }
        Ok(())
    }

    async fn merge_ends(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO conversation_ends AS e (tenant_id, assigned_user, assigned_group, until, conversations)
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
             ON CONFLICT (tenant_id, assigned_user, until, assigned_group) DO UPDATE SET
                 conversations = e.conversations + excluded.conversations",
        )
        .bind(tenant.0)
        .bind(self.ends.keys().map(|(share, _)| share.0).collect::<Vec<_>>())
        .bind(self.ends.keys().map(|(share, _)| share.1).collect::<Vec<_>>())
        .bind(self.ends.keys().map(|(_, until)| *until).collect::<Vec<_>>())
        .bind(self.ends.values().copied().collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
        let less = || self.ends.iter().filter(|(_, more)| **more < 0).map(|(key, _)| key);
        if less().next().is_some() {
            sqlx::query(
                "DELETE FROM conversation_ends e USING unnest($2::bigint[], $3::bigint[], $4::bigint[])
                     AS k (assigned_user, assigned_group, until)
                  WHERE e.tenant_id = $1 AND e.assigned_user = k.assigned_user AND e.assigned_group = k.assigned_group
                    AND e.until = k.until AND e.conversations = 0",
            )
            .bind(tenant.0)
            .bind(less().map(|(share, _)| share.0).collect::<Vec<_>>())
            .bind(less().map(|(share, _)| share.1).collect::<Vec<_>>())
            .bind(less().map(|(_, until)| *until).collect::<Vec<_>>())
            .execute(db)
            .await?;
        }
        Ok(())
    }

    /// Stores it where nothing is there yet.
    pub(super) async fn insert(mut self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        self.drop_nothing();
        Rows::of("conversation_shares")
            .integers("assigned_user", self.shares.keys().map(|share| share.0))
            .integers("assigned_group", self.shares.keys().map(|share| share.1))
            .integers("conversations", self.shares.values().map(|share| share.0))
            .integers("closed", self.shares.values().map(|share| share.1))
            .insert(&mut *db, tenant, Stage::Building)
            .await?;
        Rows::of("conversation_ends")
            .integers("assigned_user", self.ends.keys().map(|(share, _)| share.0))
            .integers("assigned_group", self.ends.keys().map(|(share, _)| share.1))
            .integers("until", self.ends.keys().map(|(_, until)| *until))
            .integers("conversations", self.ends.values().copied())
            .insert(db, tenant, Stage::Building)
            .await
    }
}
