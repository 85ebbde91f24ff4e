//! Who has the conversations of a chat, and how many each user and group holds together.

use std::collections::{BTreeMap, HashMap};

use chatledger_domain::{Assignment, GroupId, TenantId, UserId};
use sqlx::PgConnection;

use super::fold::Touch;
use crate::engine::{Rows, Stage};

/// Who has a chat, and how many conversations it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    by: Assignment,
    conversations: i64,
}

impl Holding {
    /// After what happened to the chat, of which so many conversations came.
    pub(super) fn after(mut self, touches: &[Touch], fresh: usize) -> Self {
        for touch in touches {
            if let Touch::Assigned(change) = touch {
                self.by = change.applied_to(self.by);
            }
        }
        self.conversations += i64::try_from(fresh).unwrap_or(i64::MAX);
        self
    }

    /// Under which total it counts; `None` where nobody has the chat.
    fn share(&self) -> Option<(i64, i64)> {
        let (user, group) = (self.user(), self.group());
        user.or(group).map(|_| (user.unwrap_or(0), group.unwrap_or(0)))
    }

    fn user(&self) -> Option<i64> {
        self.by.user.map(|user| user.0)
    }

    fn group(&self) -> Option<i64> {
        self.by.group.map(|group| group.0)
    }
}

/// A chat whose holding may have changed.
pub(super) struct Change<'a> {
    pub wa_id: &'a str,
    pub before: Holding,
    pub after: Holding,
}

/// What is known of some chats.
pub(super) async fn known(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, Holding>, sqlx::Error> {
    let rows: Vec<(String, Option<i64>, Option<i64>, i64)> = sqlx::query_as(
        "SELECT wa_id, assigned_user, assigned_group, conversations FROM conversation_holders
         WHERE tenant_id = $1 AND wa_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .fetch_all(db)
    .await?;
    let holding = |(wa_id, user, group, conversations): (_, Option<_>, Option<_>, _)| {
        let by = Assignment { user: user.map(UserId), group: group.map(GroupId) };
        (wa_id, Holding { by, conversations })
    };
    Ok(rows.into_iter().map(holding).collect())
}

/// Writes what changed, and the totals with it. What is as if nothing had been leaves no row: a rebuild knows of none.
pub(super) async fn write(db: &mut PgConnection, tenant: TenantId, changes: &[Change<'_>]) -> Result<(), sqlx::Error> {
    let (gone, there): (Vec<&Change<'_>>, Vec<&Change<'_>>) = changes
        .iter()
        .filter(|change| change.before != change.after)
        .partition(|change| change.after == Holding::default());
    if !gone.is_empty() {
        sqlx::query("DELETE FROM conversation_holders WHERE tenant_id = $1 AND wa_id = ANY($2)")
            .bind(tenant.0)
            .bind(gone.iter().map(|change| change.wa_id).collect::<Vec<_>>())
            .execute(&mut *db)
            .await?;
    }
    if !there.is_empty() {
        sqlx::query(
            "INSERT INTO conversation_holders (tenant_id, wa_id, assigned_user, assigned_group, conversations)
             SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
             ON CONFLICT (tenant_id, wa_id) DO UPDATE SET assigned_user = excluded.assigned_user,
                 assigned_group = excluded.assigned_group, conversations = excluded.conversations",
        )
        .bind(tenant.0)
        .bind(there.iter().map(|change| change.wa_id).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.user()).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.group()).collect::<Vec<_>>())
        .bind(there.iter().map(|change| change.after.conversations).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    }
    let mut shares = BTreeMap::new();
    for change in changes {
        add(&mut shares, &change.before, -change.before.conversations);
        add(&mut shares, &change.after, change.after.conversations);
    }
    shares.retain(|_, more| *more != 0);
    if shares.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO conversation_shares AS s (tenant_id, assigned_user, assigned_group, conversations)
         SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])
         ON CONFLICT (tenant_id, assigned_user, assigned_group) DO UPDATE SET
             conversations = s.conversations + excluded.conversations",
    )
    .bind(tenant.0)
    .bind(shares.keys().map(|share| share.0).collect::<Vec<_>>())
    .bind(shares.keys().map(|share| share.1).collect::<Vec<_>>())
    .bind(shares.values().copied().collect::<Vec<_>>())
    .execute(&mut *db)
    .await?;
    if shares.values().any(|more| *more < 0) {
        let empty = "DELETE FROM conversation_shares WHERE tenant_id = $1 AND conversations = 0";
        sqlx::query(empty).bind(tenant.0).execute(db).await?;
    }
    Ok(())
}

/// All chats of a tenant at once, where none is there yet.
pub(super) async fn begin(
    db: &mut PgConnection,
    tenant: TenantId,
    chats: &[(&str, Holding)],
) -> Result<(), sqlx::Error> {
    let there = || chats.iter().filter(|(_, holding)| *holding != Holding::default());
    Rows::of("conversation_holders")
        .texts("wa_id", there().map(|(wa_id, _)| *wa_id))
        .integers("assigned_user", there().map(|(_, holding)| holding.user()))
        .integers("assigned_group", there().map(|(_, holding)| holding.group()))
        .integers("conversations", there().map(|(_, holding)| holding.conversations))
        .insert(&mut *db, tenant, Stage::Building)
        .await?;
    let mut shares = BTreeMap::new();
    there().for_each(|(_, holding)| add(&mut shares, holding, holding.conversations));
    shares.retain(|_, conversations| *conversations != 0);
    Rows::of("conversation_shares")
        .integers("assigned_user", shares.keys().map(|share| share.0))
        .integers("assigned_group", shares.keys().map(|share| share.1))
        .integers("conversations", shares.values().copied())
        .insert(db, tenant, Stage::Building)
        .await
}

fn add(shares: &mut BTreeMap<(i64, i64), i64>, holding: &Holding, conversations: i64) {
    if let Some(share) = holding.share() {
        *shares.entry(share).or_default() += conversations;
    }
}
