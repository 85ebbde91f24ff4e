//! Who has the conversations of a chat.

use chatledger_domain::{Assignment, GroupId, TenantId, UserId};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    fold::{Session, Touch},
    totals::{Totals, until},
};
use crate::{
    chats::share_of,
    engine::{Rows, Stage},
};

/// Who has a chat, and what counts for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    by: Assignment,
    /// How many conversations it has.
    pub conversations: i64,
    /// How many of them are closed.
    pub closed: i64,
    /// In which ten minutes the newest one is over, unless it is closed. Follows from its row and is not stored again.
    pub until: Option<i64>,
}

impl Holding {
    /// After what happened to the chat: of its conversations, those that were touched, before and now.
    pub(super) fn after(mut self, touches: &[Touch], newest: Option<&Session>, now: &[Session]) -> Self {
        for touch in touches {
            if let Touch::Assigned(change) = touch {
                self.by = change.applied_to(self.by);
            }
        }
        let ((all_before, closed_before), (all, closed)) = (count(newest), count(now));
        self.conversations += all - all_before;
        self.closed += closed - closed_before;
        self.until = until(now.last());
        self
    }

    /// Under which totals it counts beside all; `None` where nobody has the chat.
    pub(super) fn share(&self) -> Option<(i64, i64)> {
        share_of(self.by)
    }

    pub(super) fn user(&self) -> Option<i64> {
        self.by.user.map(|user| user.0)
    }

    pub(super) fn group(&self) -> Option<i64> {
        self.by.group.map(|group| group.0)
    }

    /// What is stored of it.
    fn row(self) -> Self {
        Self { until: None, ..self }
    }

    /// Reads it; `row` may have none, and has the newest conversation.
    pub(super) fn of(row: &PgRow, newest: Option<&Session>) -> Result<Self, sqlx::Error> {
        let by = Assignment {
            user: row.try_get::<Option<i64>, _>("assigned_user")?.map(UserId),
            group: row.try_get::<Option<i64>, _>("assigned_group")?.map(GroupId),
        };
        let count = |column: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.unwrap_or_default());
        Ok(Self { by, conversations: count("conversations")?, closed: count("closed")?, until: until(newest) })
    }
}

/// How many there are, and how many of them are closed.
fn count<'a>(sessions: impl IntoIterator<Item = &'a Session>) -> (i64, i64) {
    sessions
        .into_iter()
        .fold((0, 0), |(all, closed), session| (all + 1, closed + i64::from(session.closed_at.is_some())))
}

/// A chat whose holding may have changed.
pub(super) struct Change<'a> {
    pub wa_id: &'a str,
    pub before: Holding,
    pub after: Holding,
}

/// Writes what changed, and the totals with it. What is as if nothing had been leaves no row: a rebuild knows of none.
pub(super) async fn write(db: &mut PgConnection, tenant: TenantId, changes: &[Change<'_>]) -> Result<(), sqlx::Error> {
    let (gone, there): (Vec<&Change<'_>>, Vec<&Change<'_>>) = changes
        .iter()
        .filter(|change| change.before.row() != change.after.row())
        .partition(|change| change.after.row() == Holding::default());
    if !gone.is_empty() {
        sqlx::query("DELETE FROM conversation_holders WHERE tenant_id = $1 AND wa_id = ANY($2)")
            .bind(tenant.0)
            .bind(gone.iter().map(|change| change.wa_id).collect::<Vec<_>>())
            .execute(&mut *db)
            .await?;
    }
    if !there.is_empty() {
        sqlx::query(
            "INSERT INTO conversation_holders (tenant_id, wa_id, assigned_user, assigned_group, conversations, closed)
             SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             ON CONFLICT (tenant_id, wa_id) DO UPDATE SET assigned_user = excluded.assigned_user,
                 assigned_group = excluded.assigned_group, conversations = excluded.conversations,
                 closed = excluded.closed",
        )
        .bind(tenant.0)
        .bind(there.iter().map(|change| change.wa_id).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.user()).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.group()).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.conversations).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.closed).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    }
    hand_over(&mut *db, tenant, changes).await?;
    let mut totals = Totals::default();
    for change in changes {
        totals.add(&change.before, -1);
        totals.add(&change.after, 1);
    }
    totals.merge(db, tenant).await
}

/// Tells the conversations that are there who has their chats now.
async fn hand_over(db: &mut PgConnection, tenant: TenantId, changes: &[Change<'_>]) -> Result<(), sqlx::Error> {
    let moved: Vec<&Change<'_>> = changes.iter().filter(|change| change.before.by != change.after.by).collect();
    if moved.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE conversations c SET assigned_user = u.assigned_user, assigned_group = u.assigned_group
         FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (wa_id, assigned_user, assigned_group)
         WHERE c.tenant_id = $1 AND c.wa_id = u.wa_id",
    )
    .bind(tenant.0)
    .bind(moved.iter().map(|change| change.wa_id).collect::<Vec<_>>())
    .bind(moved.iter().map(|change| change.after.user()).collect::<Vec<_>>())
    .bind(moved.iter().map(|change| change.after.group()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// All chats of a tenant at once, where none is there yet.
pub(super) async fn begin(
    db: &mut PgConnection,
    tenant: TenantId,
    chats: &[(&str, Holding)],
) -> Result<(), sqlx::Error> {
    let there = || chats.iter().filter(|(_, holding)| holding.row() != Holding::default());
    Rows::of("conversation_holders")
        .texts("wa_id", there().map(|(wa_id, _)| *wa_id))
        .integers("assigned_user", there().map(|(_, holding)| holding.user()))
        .integers("assigned_group", there().map(|(_, holding)| holding.group()))
        .integers("conversations", there().map(|(_, holding)| holding.conversations))
        .integers("closed", there().map(|(_, holding)| holding.closed))
        .insert(&mut *db, tenant, Stage::Building)
        .await?;
    let mut totals = Totals::default();
    there().for_each(|(_, holding)| totals.add(holding, 1));
    totals.insert(db, tenant).await
}
