//! What a projection is: a name, its tables, and how a batch of events becomes rows.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::{AnyEvent, Position, TenantId, WaId, chat::ChatEvent, contact::ContactEvent, wa_id::MAX_LEN};
use sqlx::PgConnection;

/// Where rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Into tables that somebody reads, with all their indexes.
    Live,
    /// Into a generation that is being built, with the indexes alone that its projection asks for.
    Building,
}

/// Events of one ledger in order. Between two of them only what the projection has parked is missing.
#[derive(Clone, Debug)]
pub(crate) struct Batch<'a> {
    /// The ledger.
    pub tenant: TenantId,
    /// The events.
    pub events: Vec<&'a Recorded>,
    /// Where the rows go.
    pub stage: Stage,
}

/// A chat's event, with what the event itself does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfChat<'a> {
    pub wa_id: &'a str,
    pub position: i64,
    pub event: &'a ChatEvent,
}

/// What happened to a customer: in its chat, or that it was forgotten with all that was said there before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OfCustomer<'a> {
    Chat(OfChat<'a>),
    Erased(&'a str),
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

    /// The events of chats that `wanted` picks and the customers that were forgotten, in order.
    ///
    /// # Errors
    /// As [`Batch::of_chats`].
    pub(crate) fn of_customers(&self, wanted: fn(&ChatEvent) -> bool) -> Result<Vec<OfCustomer<'a>>, ProjectionError> {
        let mut found = Vec::new();
        for recorded in &self.events {
            match &recorded.event {
                AnyEvent::Chat(event) if wanted(event) => {
                    let wa_id = checked_wa_id(recorded)?;
                    found.push(OfCustomer::Chat(OfChat { wa_id, position: recorded.position.0, event }));
                }
                AnyEvent::Contact(ContactEvent::ContactErased(_)) => {
                    found.push(OfCustomer::Erased(checked_wa_id(recorded)?));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Customers that are forgotten, and where in the ledger: rows of later events are not touched, wherever this is folded.
#[derive(Debug, Default)]
pub(crate) struct Erased<'a> {
    pub wa_ids: Vec<&'a str>,
    pub positions: Vec<i64>,
}

/// The customers that a batch forgets and that rows written before may tell of. A generation that was begun after they
/// were forgotten was folded from blanked events: there is nothing in it, and its tables lack the indexes to look for it.
pub(crate) async fn may_remember<'a>(db: &mut PgConnection, batch: &Batch<'a>) -> Result<Erased<'a>, ProjectionError> {
    let (mut erased, mut newest) = (Erased::default(), None);
    for recorded in &batch.events {
        if matches!(recorded.event, AnyEvent::Contact(ContactEvent::ContactErased(_))) {
            erased.wa_ids.push(checked_wa_id(recorded)?);
            erased.positions.push(recorded.position.0);
            newest = newest.max(Some(recorded.recorded_at));
        }
    }
    if let (Stage::Building, Some(newest)) = (batch.stage, newest) {
        // Servers' clocks may differ a little, and a page may be at hand for a while before it is written.
        let during: bool = sqlx::query_scalar(
            "SELECT coalesce(min(begun_at) - interval '10 minutes' <= $2, true) FROM read_models_next.cursors
             WHERE tenant_id = $1",
        )
        .bind(batch.tenant.0)
        .bind(newest)
        .fetch_one(db)
        .await?;
        if !during {
            return Ok(Erased::default());
        }
    }
    Ok(erased)
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

/// A table of a read model in schema `read_models`; every row is led by its tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Its name.
    pub name: &'static str,
    /// The indexes that its projection needs while a generation is built.
    pub early: Early,
}

/// Which indexes a table has while a generation is built, those of the primary key included. The others are made when
/// all rows are there, which is many times cheaper.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Early {
    /// All of them: the table is small, and its rows are looked up as they are folded.
    All,
    /// These.
    Named(&'static [&'static str]),
}

impl Table {
    /// A table of few rows.
    pub(crate) const fn small(name: &'static str) -> Self {
        Self { name, early: Early::All }
    }

    /// A table that is only added to while a generation is built.
    pub(crate) const fn growing(name: &'static str) -> Self {
        Self { name, early: Early::Named(&[]) }
    }

    /// A table of many rows of which some are looked up, by these indexes.
    pub(crate) const fn looked_up(name: &'static str, indexes: &'static [&'static str]) -> Self {
        Self { name, early: Early::Named(indexes) }
    }
}

/// One read model. The same code runs live and in a rebuild, and what it writes must depend on the events alone: not
/// on where one batch ends and the next begins, not on the clock, and on another read model's table only in what is
/// the same however far that one is.
///
/// Statements name their tables without a schema: the connection's search path says which generation they mean.
#[async_trait]
pub(crate) trait Projection: Send + Sync {
    /// Its name, as in the cursor table and on the command line.
    fn name(&self) -> &'static str;

    /// Its tables.
    fn tables(&self) -> &'static [Table];

    /// The source text that decides what its rows are, what the fold calls in the domain included: see
    /// [`super::definition`].
    fn definition(&self) -> &'static [&'static str];

    /// Writes what follows from the events.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError>;

    /// For rows that many events touch: a fold that a rebuild carries from page to page and writes seldom.
    fn carried(&self) -> Option<Box<dyn Carried>> {
        None
    }

    /// In a rebuild, once all rows of all read models are there with their indexes: what is counted rather than folded.
    async fn complete(&self, _db: &mut PgConnection, _tenant: TenantId, _end: Position) -> Result<(), ProjectionError> {
        Ok(())
    }

    /// After a parked stream was folded after all: what else had counted on its rows.
    async fn freed(
        &self,
        _db: &mut PgConnection,
        _tenant: TenantId,
        _aggregate_id: &str,
    ) -> Result<(), ProjectionError> {
        Ok(())
    }
}

/// What pages of events come to, held in memory until it is written.
#[async_trait]
pub(crate) trait Carried: Send {
    /// Takes the next events.
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError>;

    /// About how many bytes it holds.
    fn weight(&self) -> usize;

    /// Writes it to a generation that is being built, and holds nothing any more. `first`: no row of the tenant is
    /// there yet. Otherwise the tables have their primary keys.
    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError>;
}

/// Read models that count rows of another one, which stands before them among all: a batch reaches them in this order,
/// and neither engine nor rebuild lets them get ahead of it.
pub(crate) const COUNTING: &[(&str, &str)] = &[("received_marks", "messages")];

/// All read models.
pub(crate) static ALL: &[&dyn Projection] = &[
    &crate::tenants::Tenants,
    &crate::groups::Groups,
    &crate::users::Users,
    &crate::tags::Tags,
    &crate::persons::Persons,
    &crate::messages::Messages,
    &crate::received_marks::ReceivedMarks,
    &crate::chats::Chats,
    &crate::conversations::Conversations,
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
    &crate::whatsapp_accounts::WhatsAppAccounts,
    &crate::template_days::TemplateDays,
    &crate::customers::Customers,
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
        "INSERT INTO counters AS c (tenant_id, projection, value) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, projection) DO UPDATE SET value = c.value + excluded.value",
    )
    .bind(tenant.0)
    .bind(projection)
    .bind(more)
    .execute(db)
    .await?;
    Ok(())
}

/// Rows by key.
pub(crate) type Part<'a, V> = Vec<(&'a str, &'a V)>;

/// Rows in the order of their keys: neighbours in the table are written together.
pub(crate) fn in_order<V>(rows: &HashMap<String, V>) -> Part<'_, V> {
    let mut sorted: Part<'_, V> = rows.iter().map(|(key, row)| (key.as_str(), row)).collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    sorted
}

/// As many rows as one statement may write.
pub(crate) const ROWS: usize = 5_000;
