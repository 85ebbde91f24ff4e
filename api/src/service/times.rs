//! Times and durations as the Service API writes and reads them (R-SVC-1, R-CUS-7, R-ANA-1).

use chatledger_projections::views::Span;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

use super::error::ServiceError;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The longest time that figures are told of, in days.
const MAX_DAYS: i64 = 366;
/// How many days figures are told of where nobody says otherwise, today included.
const DEFAULT_DAYS: i64 = 7;

/// POSIX seconds as ISO 8601 in UTC, whole seconds.
#[must_use]
pub fn iso(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day of UTC that begins at, or holds, this second.
#[must_use]
pub fn day(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%d").to_string()
}

/// A duration in words: the largest two of days, hours, minutes and seconds, those that are zero left out; `0s` for none.
#[must_use]
pub fn in_words(seconds: Option<f64>) -> String {
    let whole = seconds.map_or(0, |seconds| seconds.round() as i64).max(0);
    let parts = [(whole / DAY, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
    let largest = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let two = parts.iter().skip(largest).take(2).filter(|(count, _)| *count > 0);
    let words: Vec<String> = two.map(|(count, unit)| format!("{count}{unit}")).collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

/// What a date in a query stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// A whole day of UTC; its first second.
    Day(i64),
    /// The first whole second that is not before it.
    Moment(i64),
}

impl Given {
    fn read(text: &str) -> Option<Self> {
        if text.len() == 10 {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            return Some(Self::Day(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp()));
        }
        // A plus that was not encoded arrives as a blank.
        let text = text.replace(' ', "+");
        let moment = DateTime::parse_from_rfc3339(&text).map(|at| at.to_utc()).ok().or_else(|| {
            let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
            forms.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok()).map(|at| at.and_utc())
        })?;
        let sane = (1..=9_999).contains(&moment.year());
        sane.then(|| Self::Moment(moment.timestamp() + i64::from(moment.timestamp_subsec_nanos() > 0)))
    }
}

/// The time that figures are asked of: from the beginning of `startDate`, up to the end of `endDate` where that is a day,
/// else up to and without it (R-ANA-1). Without either, seven days that end with today.
///
/// # Errors
/// 400 for dates that cannot be read, none between them, or more than 366 days.
pub fn span(start: Option<&str>, end: Option<&str>, now: DateTime<Utc>) -> Result<Span, ServiceError> {
    let read = |name: &str, text: Option<&str>| match text.map(Given::read) {
        None => Ok(None),
        Some(Some(given)) => Ok(Some(given)),
        Some(None) => Err(ServiceError::invalid_parameter(name, "an ISO 8601 date or time")),
    };
    let (start, end) = (read("startDate", start)?, read("endDate", end)?);
    let end = match end {
        Some(Given::Day(begins)) => begins + DAY,
        Some(Given::Moment(at)) => at,
        None => (now.timestamp().div_euclid(DAY) + 1) * DAY,
    };
    let start = match start {
        Some(Given::Day(at) | Given::Moment(at)) => at,
        None => end - DEFAULT_DAYS * DAY,
    };
    if start >= end {
        return Err(ServiceError::invalid_parameter("startDate", "before endDate"));
    }
    if end - start > MAX_DAYS * DAY {
        return Err(ServiceError::out_of_range("startDate", "at most 366 days before endDate"));
    }
    Ok(Span { start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_cus_7_durations_are_told_by_their_largest_two_parts() {
        for (seconds, words) in [
            (0.0, "0s"),
            (0.4, "0s"),
            (0.6, "1s"),
            (59.0, "59s"),
            (60.0, "1m"),
            (150.0, "2m 30s"),
            (300.0, "5m"),
            (945.0, "15m 45s"),
            (3_600.0, "1h"),
            (3_605.0, "1h"),
            (3_665.0, "1h 1m"),
            (86_400.0, "1d"),
            (90_061.0, "1d 1h"),
            (86_460.0, "1d"),
            (-5.0, "0s"),
        ] {
            assert_eq!(in_words(Some(seconds)), words, "{seconds}");
        }
        assert_eq!(in_words(None), "0s");
    }

    fn now() -> DateTime<Utc> {
        "2026-01-20T10:00:00Z".parse().unwrap()
    }

    fn of(start: &str, end: &str) -> Result<(String, String), ServiceError> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        span(given(start).as_deref(), given(end).as_deref(), now()).map(|span| (iso(span.start), iso(span.end)))
    }

    #[test]
    fn r_ana_1_a_bare_date_is_all_of_its_day() {
        for (start, end, from, to) in [
            ("2026-01-18", "2026-01-18", "2026-01-18T00:00:00Z", "2026-01-19T00:00:00Z"),
            ("2026-01-18T00:00:00Z", "2026-01-18T12:30:00Z", "2026-01-18T00:00:00Z", "2026-01-18T12:30:00Z"),
            ("2026-01-18T00:00:00+02:00", "2026-01-18", "2026-01-17T22:00:00Z", "2026-01-19T00:00:00Z"),
            ("2026-01-18T00:00:00 02:00", "2026-01-18", "2026-01-17T22:00:00Z", "2026-01-19T00:00:00Z"),
            ("2026-01-18T01:00:00", "2026-01-18T01:00:00.5-03:00", "2026-01-18T01:00:00Z", "2026-01-18T04:00:01Z"),
            ("", "", "2026-01-14T00:00:00Z", "2026-01-21T00:00:00Z"),
            ("", "2026-01-10", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"),
            ("2026-01-19", "", "2026-01-19T00:00:00Z", "2026-01-21T00:00:00Z"),
            ("2024-01-01", "2024-12-31", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ] {
            assert_eq!(of(start, end), Ok((from.to_owned(), to.to_owned())), "{start} … {end}");
        }
    }

    #[test]
    fn r_ana_1_no_time_or_too_much_of_it_is_an_error() {
        for (start, end) in [
            ("2026-01-19", "2026-01-18"),
            ("2026-01-18T10:00:00Z", "2026-01-18T10:00:00Z"),
            ("2026-01-18T12:00:00+02:00", "2026-01-18T10:00:00Z"),
            ("2025-01-19", "2026-01-20"),
            ("2026-01-22", ""),
            ("yesterday", ""),
            ("2026-02-30", ""),
            ("", "1768694400"),
        ] {
            assert!(of(start, end).is_err(), "{start} … {end}");
        }
    }
}
