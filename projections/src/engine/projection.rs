//! What a projection is: a name, its tables, and how a batch of events becomes rows.

use async_trait::async_trait;
use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::{AnyEvent, Position, TenantId, WaId, chat::ChatEvent, wa_id::MAX_LEN};
use sqlx::PgConnection;

/// Events of one ledger in order. Between two of them only what the projection has parked is missing.
#[derive(Clone, Debug)]
pub(crate) struct Batch<'a> {
    /// The ledger.
    pub tenant: TenantId,
    /// The events.
    pub events: Vec<&'a Recorded>,
}

/// A chat's event, with what the event itself does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfChat<'a> {
    pub wa_id: &'a str,
    pub position: i64,
    pub event: &'a ChatEvent,
}

impl<'a> Batch<'a> {
    /// The newest position.
    pub(crate) fn end(&self) -> i64 {
        self.events.last().map_or(0, |event| event.position.0)
    }

    /// The events of chats that `wanted` picks.
    ///
    /// # Errors
    /// The first of them whose stream is not named by a WhatsApp id.
    pub(crate) fn of_chats(&self, wanted: fn(&ChatEvent) -> bool) -> Result<Vec<OfChat<'a>>, ProjectionError> {
        let mut found = Vec::new();
        for recorded in &self.events {
            let AnyEvent::Chat(event) = &recorded.event else { continue };
            if wanted(event) {
                found.push(OfChat { wa_id: checked_wa_id(recorded)?, position: recorded.position.0, event });
            }
        }
        Ok(found)
    }
}

/// The customer that a stream is named after.
///
/// # Errors
/// When it is not named by a WhatsApp id.
pub(crate) fn checked_wa_id(recorded: &Recorded) -> Result<&str, ProjectionError> {
    let id = recorded.stream.aggregate_id.as_str();
    let digits = !id.is_empty() && id.len() <= MAX_LEN && id.bytes().all(|b| b.is_ascii_digit());
    if digits || WaId::parse(id).is_ok_and(|parsed| parsed.as_str() == id) {
        return Ok(id);
    }
    Err(ProjectionError::Event { position: recorded.position, reason: "its stream is not a WhatsApp id".into() })
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectionError {
    /// An event that this projection can never fold.
    #[error("the event at position {position} cannot be folded: {reason}")]
    Event { position: Position, reason: String },
    /// The database: a fault, or a value that it refuses.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl ProjectionError {
    /// Whether the events are to blame rather than the database or this program's tables, so that repeating the same
    /// batch cannot help: data exceptions, broken constraints, limits of a row.
    pub(crate) fn blames_event(&self) -> bool {
        match self {
            Self::Event { .. } => true,
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
            }
            Self::Database(sqlx::Error::Encode(_)) => true,
            Self::Database(_) => false,
        }
    }
}

/// One read model. The same code runs live and in a rebuild, and what it writes must depend on the events alone: not
/// on where one batch ends and the next begins, not on the clock, and on another read model's table only in what is
/// the same however far that one is.
#[async_trait]
pub(crate) trait Projection: Send + Sync {
    /// Its name, as in the cursor table and on the command line.
    fn name(&self) -> &'static str;

    /// Its tables in schema `read_models`; every row is led by its tenant.
    fn tables(&self) -> &'static [&'static str];

    /// Writes what follows from the events.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError>;
}

/// All read models. `messages` stands before `received_marks`, which counts its rows: a batch reaches them in this
/// order, and neither engine nor rebuild lets the second get ahead of the first.
pub(crate) static ALL: &[&dyn Projection] = &[
    &crate::tenants::Tenants,
    &crate::groups::Groups,
    &crate::users::Users,
    &crate::tags::Tags,
    &crate::persons::Persons,
    &crate::messages::Messages,
    &crate::received_marks::ReceivedMarks,
    &crate::chats::Chats,
    &crate::taggings::Taggings,
    &crate::tagging_events::TaggingEvents,
    &crate::assignments::Assignments,
    &crate::media::Media,
    &crate::templates::Templates,
    &crate::business_profiles::BusinessProfiles,
    &crate::webhooks::Webhooks,
    &crate::rule_engine::RuleEngines,
    &crate::api_tokens::ApiTokens,
    &crate::contacts::Contacts,
    &crate::saved_responses::SavedResponses,
    &crate::bulk_messages::BulkMessages,
];

/// Adds to the count of a projection's rows.
pub(crate) async fn count_rows(
    db: &mut PgConnection,
    tenant: TenantId,
    projection: &str,
    more: i64,
) -> Result<(), sqlx::Error> {
    if more == 0 { Ok(()) } else { recount(db, tenant, projection, more).await }
}

/// The same where rows may have come and gone in one batch: then there is a count whether or not they did in two.
pub(crate) async fn recount(
    db: &mut PgConnection,
    tenant: TenantId,
    projection: &str,
    more: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO read_models.counters AS c (tenant_id, projection, value) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, projection) DO UPDATE SET value = c.value + excluded.value",
    )
    .bind(tenant.0)
    .bind(projection)
    .bind(more)
    .execute(db)
    .await?;
    Ok(())
}
