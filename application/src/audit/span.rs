//! Which part of a ledger is wanted: moments and times as positions.

use chatledger_domain::{Position, TenantId};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    application::Application,
    error::ApplicationError,
    ports::audit::{AuditTrail, Span},
};

/// A moment of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Right after the event of this position.
    Position(Position),
    /// At this time: after everything that was recorded at it or before.
    Time(DateTime<Utc>),
}

impl Moment {
    /// Reads a moment: a position, `@` and POSIX seconds, or a time as `2026-01-06T10:00:00Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(position) if position >= 0 => Some(Self::Position(Position(position))),
            Ok(_) => None,
            Err(_) => {
                time(text.strip_prefix('@').filter(|rest| rest.parse::<i64>().is_ok()).unwrap_or(text)).map(Self::Time)
            }
        }
    }
}

/// A time: POSIX seconds, or as `2026-01-06T10:00:00Z`.
fn time(text: &str) -> Option<DateTime<Utc>> {
    match text.parse() {
        Ok(seconds) => DateTime::from_timestamp(seconds, 0).filter(is_a_year_of_four_digits),
        Err(_) => {
            let time = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
            Some(time).filter(is_a_year_of_four_digits)
        }
    }
}

/// What a database and a person can write.
fn is_a_year_of_four_digits(time: &DateTime<Utc>) -> bool {
    use chrono::Datelike;
    (1..=9_999).contains(&time.year())
}

/// What is wanted of a history; times are those at which events were recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// As it was at this moment; now, unless told.
    pub at: Option<Moment>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub until: Option<DateTime<Utc>>,
    /// Of these stored names; all where there are none.
    pub kinds: Vec<String>,
}

impl Wanted {
    /// Reads `from` or `until`: POSIX seconds, or a time as `2026-01-06T10:00:00Z`.
    #[must_use]
    pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
        time(text)
    }
}

impl Application {
    /// The part of a ledger that is wanted, as positions that stay what they are however the ledger grows.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn audit_span(&self, tenant: TenantId, wanted: &Wanted) -> Result<Span, ApplicationError> {
        let trail: &dyn AuditTrail = &*self.audit_trail;
        let head = self.ledger.head(tenant).await?;
        let mut through = match wanted.at {
            None => head,
            Some(moment) => self.position_of(tenant, moment).await?.min(head),
        };
        if let Some(until) = wanted.until {
            through = through.min(trail.position_at(tenant, just_before(until)).await?);
        }
        let after = match wanted.from {
            None => Position(0),
            Some(from) => trail.position_at(tenant, just_before(from)).await?,
        };
        Ok(Span { after, through: through.max(after) })
    }

    /// The newest position at a moment.
    pub(super) async fn position_of(&self, tenant: TenantId, moment: Moment) -> Result<Position, ApplicationError> {
        match moment {
            Moment::Position(position) => Ok(position),
            Moment::Time(time) => Ok(self.audit_trail.position_at(tenant, time).await?),
        }
    }
}

/// Times are recorded in whole microseconds.
fn just_before(time: DateTime<Utc>) -> DateTime<Utc> {
    time.checked_sub_signed(TimeDelta::microseconds(1)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).map(Moment::Time);
        assert_eq!(Moment::parse("17"), Some(Moment::Position(Position(17))));
        assert_eq!(Moment::parse("@1767693600"), at(1_767_693_600));
        assert_eq!(Moment::parse("2026-01-06T10:00:00Z"), at(1_767_693_600));
        assert_eq!(Moment::parse("2026-01-06T11:00:00+01:00"), at(1_767_693_600));
        for wrong in ["", "-1", "yesterday", "@", "@x", "@2026-01-06T10:00:00Z x", "1.5", "@99999999999999"] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_posix_seconds_or_written_out() {
        assert_eq!(Wanted::parse_time("1767693600"), Wanted::parse_time("2026-01-06T10:00:00Z"));
        for wrong in ["", "soon", "2026-01-06", "99999999999999999999"] {
            assert_eq!(Wanted::parse_time(wrong), None, "{wrong}");
        }
    }
}
