//! Whose history is asked for, by id or by any name it ever had.

use chatledger_domain::{Position, TagId, TenantId, UserId, WaId, tag::Tag, user::User};

use super::Names;
use crate::{
    application::Application,
    error::ApplicationError,
    ports::audit::{NameKind, Subject},
    streams::Aggregate,
};

impl Application {
    /// A chat as the subject of an audit.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownChat`] where nothing was ever recorded of it.
    pub async fn chat_subject(&self, tenant: TenantId, wa_id: WaId) -> Result<Subject, ApplicationError> {
        let subject = Subject::Chat(wa_id);
        let span = self.audit_span(tenant, &super::Wanted::default()).await?;
        let found = self.audit_trail.events(tenant, &subject, span, &[], 1).await?;
        if found.events.is_empty() { Err(ApplicationError::UnknownChat) } else { Ok(subject) }
    }

    /// A user as the subject of an audit, by id, or by the name that it has or once had; whoever has the name goes
    /// before whoever had it.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`], [`ApplicationError::SeveralOfThisName`].
    pub async fn user_subject(&self, tenant: TenantId, name: &str) -> Result<Subject, ApplicationError> {
        let found = self.find::<User>(tenant, NameKind::User, name).await?;
        let (id, stream) = found.ok_or(ApplicationError::UnknownUser(UserId(number(name).unwrap_or_default())))?;
        Ok(Subject::User { id: UserId(id), stream })
    }

    /// A tag as the subject of an audit, by id, or by the name that it has or once had; also one that is deleted.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTag`], [`ApplicationError::SeveralOfThisName`].
    pub async fn tag_subject(&self, tenant: TenantId, name: &str) -> Result<Subject, ApplicationError> {
        let found = self.find::<Tag>(tenant, NameKind::Tag, name).await?;
        let (id, stream) = found.ok_or(ApplicationError::UnknownTag(TagId(number(name).unwrap_or_default())))?;
        Ok(Subject::Tag { id: TagId(id), stream })
    }

    /// The id on the wire and the stream of whoever has this id, else this name, else had this name.
    async fn find<D: Aggregate>(
        &self,
        tenant: TenantId,
        kind: NameKind,
        name: &str,
    ) -> Result<Option<(i64, String)>, ApplicationError> {
        if let Some(id) = number(name)
            && let Some(stream) = self.stream_begun_at::<D>(tenant, id).await?
        {
            return Ok(Some((id, stream)));
        }
        let mut names = Names::default();
        names.add(kind, &self.audit_trail.all_names(tenant, kind).await?);
        let (have, had) = names.called(kind, name);
        let found = if have.is_empty() { had } else { have };
        match found[..] {
            [] => Ok(None),
            [id] => Ok(self.stream_begun_at::<D>(tenant, id).await?.map(|stream| (id, stream))),
            _ => Err(ApplicationError::SeveralOfThisName(found)),
        }
    }

    /// The stream of the aggregate whose first event has this position.
    async fn stream_begun_at<D: Aggregate>(
        &self,
        tenant: TenantId,
        position: i64,
    ) -> Result<Option<String>, ApplicationError> {
        let found = self.ledger.at(tenant, Position(position)).await?;
        let first = found.filter(|r| r.stream.aggregate_type == D::TYPE && r.sequence == 1);
        Ok(first.map(|r| r.stream.aggregate_id))
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number| *number > 0)
}
