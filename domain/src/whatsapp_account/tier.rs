//! How many customers a number may write to on a day without having been written to (R-ACC-3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::AccountNoticeReceived;

/// A messaging tier of WhatsApp. Every number begins with the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 250 customers.
    Tier0,
    /// 1,000 customers.
    #[default]
    Tier1,
    /// 10,000 customers.
    Tier2,
    /// 100,000 customers.
    Tier3,
    /// As many as one likes.
    Tier4,
}

impl Tier {
    /// All of them, the lowest first.
    pub const ALL: [Self; 5] = [Self::Tier0, Self::Tier1, Self::Tier2, Self::Tier3, Self::Tier4];

    /// Its name, as told and as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tier0 => "tier_0",
            Self::Tier1 => "tier_1",
            Self::Tier2 => "tier_2",
            Self::Tier3 => "tier_3",
            Self::Tier4 => "tier_4",
        }
    }

    /// The tier of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }

    /// Customers a day; `None` for no limit.
    #[must_use]
    pub fn daily_limit(self) -> Option<u32> {
        match self {
            Self::Tier0 => Some(250),
            Self::Tier1 => Some(1_000),
            Self::Tier2 => Some(10_000),
            Self::Tier3 => Some(100_000),
            Self::Tier4 => None,
        }
    }

    /// The highest tier that promises no more than WhatsApp allows; the lowest also for less than its 250, which WhatsApp
    /// allows nobody less than. Below zero stands for no limit.
    #[must_use]
    pub fn of_limit(customers: i64) -> Self {
        match customers {
            i64::MIN..0 => Self::Tier4,
            0..1_000 => Self::Tier0,
            1_000..10_000 => Self::Tier1,
            10_000..100_000 => Self::Tier2,
            100_000.. => Self::Tier3,
        }
    }

    /// What a notice says of the messaging limit of this number; `None` where it says nothing.
    ///
    /// WhatsApp tells it as a number or by name, under a name of the number or of the whole business; where both are
    /// there, the business counts, whose limit its numbers have shared since 2025. A notice about another number of the
    /// business says nothing of ours.
    #[must_use]
    pub fn told_by(notice: &AccountNoticeReceived, display_phone_number: &str) -> Option<Self> {
        let report = notice.report.tree();
        match notice.field.as_str() {
            "phone_number_quality_update" => {
                let about = report["display_phone_number"].as_str().unwrap_or_default();
                if !about.is_empty() && digits(about) != digits(display_phone_number) {
                    return None;
                }
                // There, the same word tells how many messages a second go through.
                let throughput = report["event"].as_str() == Some("THROUGHPUT_UPGRADE");
                let of_number = (!throughput).then(|| limit(&report["current_limit"])).flatten();
                limit(&report["max_daily_conversations_per_business"]).or(of_number)
            }
            "business_capability_update" => {
                let of_business = limit(&report["max_daily_conversations_per_business"]);
                of_business.or_else(|| limit(&report["max_daily_conversation_per_phone"]))
            }
            _ => None,
        }
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// `2000`, `"2000"`, `"TIER_2K"`, `-1`, `"TIER_UNLIMITED"`; `None` for what is no limit.
fn limit(told: &Value) -> Option<Tier> {
    if let Some(number) = told.as_i64() {
        return Some(Tier::of_limit(number));
    }
    let text = told.as_str()?;
    if let Ok(number) = text.parse() {
        return Some(Tier::of_limit(number));
    }
    match text.strip_prefix("TIER_")? {
        "UNLIMITED" => Some(Tier::Tier4),
        name => match name.strip_suffix('K') {
            Some(thousands) => thousands.parse::<i64>().ok()?.checked_mul(1_000).map(Tier::of_limit),
            None => name.parse().ok().map(Tier::of_limit),
        },
    }
}
