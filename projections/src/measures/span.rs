//! A time, and how it is cut into hours, days or weeks of UTC.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// From a second on, up to but without another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first second, POSIX.
    pub start: i64,
    /// The first second after it.
    pub end: i64,
}

impl Span {
    /// How many days it has, begun ones whole.
    #[must_use]
    pub fn days(self) -> i64 {
        (self.end - self.start + DAY - 1).div_euclid(DAY)
    }
}

/// How long a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
    /// Seven days from Monday on.
    Week,
}

impl Step {
    /// Seconds of a part.
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }

    /// How long after the beginning of a part the time 0 is: 1970 began on a Thursday.
    pub(crate) fn shift(self) -> i64 {
        if self == Self::Week { 3 * DAY } else { 0 }
    }

    /// The number of the part that a second is in.
    pub(crate) fn number(self, second: i64) -> i64 {
        (second + self.shift()).div_euclid(self.seconds())
    }

    /// The first second of a part.
    pub(crate) fn begins(self, number: i64) -> i64 {
        number * self.seconds() - self.shift()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, Weekday};

    use super::*;

    #[test]
    fn r_ana_2_weeks_begin_on_monday() {
        for second in [-1, 0, 4 * DAY - 1, 4 * DAY, 1_768_694_400, 1_772_323_199] {
            let begins = Step::Week.begins(Step::Week.number(second));
            assert!(begins <= second && second < begins + 7 * DAY, "{second}");
            assert_eq!(DateTime::from_timestamp(begins, 0).unwrap().weekday(), Weekday::Mon, "{second}");
        }
        assert_eq!(Step::Hour.begins(Step::Hour.number(7_199)), 3_600);
        assert_eq!(Step::Day.begins(Step::Day.number(-1)), -DAY);
    }

    #[test]
    fn r_ana_3_a_begun_day_is_a_day() {
        for (seconds, days) in [(1, 1), (DAY, 1), (DAY + 1, 2), (10 * DAY, 10)] {
            assert_eq!(Span { start: 5, end: 5 + seconds }.days(), days);
        }
    }
}
