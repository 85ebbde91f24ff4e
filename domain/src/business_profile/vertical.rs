//! The branches of business: WhatsApp's codes, and the labels of 2021 that the Integration API shows (integration §K).

/// Every code with its label.
pub const VERTICALS: &[(&str, &str)] = &[
    ("AUTO", "Automotive"),
    ("BEAUTY", "Beauty, Spa and Salon"),
    ("APPAREL", "Clothing and Apparel"),
    ("EDU", "Education"),
    ("ENTERTAIN", "Entertainment"),
    ("EVENT_PLAN", "Event Planning and Service"),
    ("FINANCE", "Finance and Banking"),
    ("GROCERY", "Food and Grocery"),
    ("GOVT", "Public Service"),
    ("HOTEL", "Hotel and Lodging"),
    ("HEALTH", "Medical and Health"),
    ("NONPROFIT", "Non-profit"),
    ("PROF_SERVICES", "Professional Services"),
    ("RETAIL", "Shopping and Retail"),
    ("TRAVEL", "Travel and Transportation"),
    ("RESTAURANT", "Restaurant"),
    ("OTHER", "Other"),
    // Those that came after 2021 have no label.
    ("NOT_A_BIZ", "NOT_A_BIZ"),
    ("ALCOHOL", "ALCOHOL"),
    ("ONLINE_GAMBLING", "ONLINE_GAMBLING"),
    ("PHYSICAL_GAMBLING", "PHYSICAL_GAMBLING"),
    ("OTC_DRUGS", "OTC_DRUGS"),
];

/// The code of a code or label.
#[must_use]
pub fn code_of_vertical(text: &str) -> Option<&'static str> {
    VERTICALS.iter().find(|(code, label)| *code == text || *label == text).map(|(code, _)| *code)
}

/// The label of a code; a code without one is its own label, and `UNDEFINED` is none.
#[must_use]
pub fn label_of_vertical(code: &str) -> &str {
    match VERTICALS.iter().find(|(known, _)| *known == code) {
        Some((_, label)) => label,
        None if code == "UNDEFINED" => "",
        None => code,
    }
}
