//! What bulk messages ask: who may send now, which chats carry a tag, which bulk messages are not done.

use async_trait::async_trait;
use chatledger_application::ports::{Unavailable, recipients::Recipients};
use chatledger_domain::{Actor, Permissions, TagId, TenantId, UserId, WaId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    inbox::{only_readable, wa_id},
    models::Models,
    unavailable, users,
};

#[async_trait]
impl Recipients for Models {
    async fn actor(&self, tenant: TenantId, user: UserId) -> Result<Option<Actor>, Unavailable> {
        let user = users::user(&mut *self.db().await?, tenant, user).await.map_err(unavailable)?;
        Ok(user.filter(|user| user.is_active).map(|user| users::actor(&user)))
    }

    async fn writable_with(
        &self,
        tenant: TenantId,
        actor: &Actor,
        tags: &[TagId],
        limit: i64,
    ) -> Result<Vec<WaId>, Unavailable> {
        // What may be written to is covered by the same rule as what may be read, only with another scope (R-PERM-5).
        let can_read_chats = actor.permissions.can_write_to_chats;
        let writer = Actor { permissions: Permissions { can_read_chats, ..actor.permissions }, ..actor.clone() };
        let mut sql = QueryBuilder::<Postgres>::new("SELECT c.wa_id FROM read_models.chats c WHERE c.tenant_id = ");
        sql.push_bind(tenant.0);
        sql.push(" AND EXISTS (SELECT FROM read_models.chat_taggings x WHERE x.tenant_id = c.tenant_id");
        sql.push(" AND x.wa_id = c.wa_id AND x.tag_id = ANY(");
        sql.push_bind(tags.iter().map(|tag| tag.0).collect::<Vec<i64>>()).push("))");
        only_readable(&mut sql, &writer);
        sql.push(" ORDER BY c.wa_id LIMIT ").push_bind(limit);
        let found: Vec<String> =
            sql.build_query_scalar().fetch_all(&mut *self.db().await?).await.map_err(unavailable)?;
        found.iter().map(|id| wa_id(id).map_err(unavailable)).collect()
    }

    async fn unfinished(&self, tenant: TenantId) -> Result<Vec<Uuid>, Unavailable> {
        let sql = "SELECT id FROM read_models.bulk_messages WHERE tenant_id = $1 AND done < total ORDER BY position";
        sqlx::query_scalar(sql).bind(tenant.0).fetch_all(&mut *self.db().await?).await.map_err(unavailable)
    }
}
