//! The 24-hour customer service window (R-WIN-*).

/// How long a customer's message keeps the window open, in seconds.
pub const WINDOW: i64 = 86_400;
/// How long a free entry point (an ad's referral) keeps it open where the tenant allows it (R-WIN-7), in seconds.
pub const FREE_ENTRY_WINDOW: i64 = 3 * 86_400;

/// The second at which the window closes; `None` when it never opened.
///
/// `last_incoming` is the newest message of the contact, `referred_at` the message that opened the chat from an ad.
#[must_use]
pub fn closes_at(last_incoming: Option<i64>, referred_at: Option<i64>, free_entry: bool) -> Option<i64> {
    let ordinary = last_incoming.map(|at| at + WINDOW);
    let entry = referred_at.filter(|_| free_entry).map(|at| at + FREE_ENTRY_WINDOW);
    ordinary.max(entry)
}

/// Whether the window is open at `now`. At exactly 24 hours it is closed (R-WIN-1).
#[must_use]
pub fn is_open(closes_at: Option<i64>, now: i64) -> bool {
    closes_at.is_some_and(|at| now < at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_win_1_the_window_is_closed_at_exactly_24_hours() {
        let at = closes_at(Some(1_000), None, false);
        assert!(is_open(at, 1_000 + WINDOW - 1));
        assert!(!is_open(at, 1_000 + WINDOW));
        assert!(!is_open(closes_at(None, None, true), 0));
    }

    #[test]
    fn r_win_7_an_ad_referral_extends_to_72_hours_only_where_allowed() {
        assert_eq!(closes_at(Some(10), Some(10), false), Some(10 + WINDOW));
        assert_eq!(closes_at(Some(10), Some(10), true), Some(10 + FREE_ENTRY_WINDOW));
    }
}
