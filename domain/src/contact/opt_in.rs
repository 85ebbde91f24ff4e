//! Whether a customer wishes to hear from us, and the words by which it says so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::OptInChanged;

/// The longest text that is looked at for a keyword, in bytes: a keyword is a word, not a story.
const LONGEST: usize = 200;

/// What a customer said of being written to. That nobody said anything is the absence of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptIn {
    /// It wishes to hear from us.
    OptedIn,
    /// It does not: no templates go there (R-CUS-5).
    OptedOut,
}

impl OptIn {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedIn => "opted_in",
            Self::OptedOut => "opted_out",
        }
    }

    /// By its stored name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::OptedIn, Self::OptedOut].into_iter().find(|known| known.as_str() == name)
    }
}

/// The last word on being written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What it is.
    pub status: OptIn,
    /// How it is known; empty where that is forgotten.
    pub source: String,
    /// Since when, POSIX seconds.
    pub timestamp: i64,
}

impl Consent {
    /// What an event says.
    #[must_use]
    pub fn of(event: &OptInChanged) -> Self {
        Self { status: event.status, source: event.source.clone(), timestamp: event.timestamp }
    }

    /// What is left of it when the customer is forgotten. That it wants no messages stays, for whoever forgets it would
    /// write to it again; how that is known, and that it did want them, goes.
    #[must_use]
    pub fn forgotten(self) -> Option<Self> {
        match self.status {
            OptIn::OptedOut => Some(Self { source: String::new(), ..self }),
            OptIn::OptedIn => None,
        }
    }
}

/// Texts as they are compared: without what is around them, in lower case by Unicode's rules.
fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

/// What a customer's text says of being written to, and the keyword that it is; `None` where it is none (R-CUS-6). A word
/// that is in both lists opts out.
#[must_use]
pub fn keyword_in<'a>(text: &str, opt_out: &'a [String], opt_in: &'a [String]) -> Option<(OptIn, &'a str)> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let said = plain(text);
    let among = |words: &'a [String]| words.iter().find(|word| plain(word) == said).map(String::as_str);
    let out = among(opt_out).map(|word| (OptIn::OptedOut, word));
    out.or_else(|| among(opt_in).map(|word| (OptIn::OptedIn, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_cus_6_a_keyword_is_the_whole_text_in_any_case() {
        let (opt_out, opt_in) =
            (["STOP".to_owned(), "ABMELDEN Straße".to_owned()], ["START".to_owned(), "Παύση".into()]);
        for (text, expected) in [
            ("STOP", Some((OptIn::OptedOut, "STOP"))),
            (" \n stop\t", Some((OptIn::OptedOut, "STOP"))),
            ("Abmelden STRAßE", Some((OptIn::OptedOut, "ABMELDEN Straße"))),
            ("start", Some((OptIn::OptedIn, "START"))),
            ("ΠΑΎΣΗ", Some((OptIn::OptedIn, "Παύση"))),
            ("stop it", None),
            ("s top", None),
            ("", None),
        ] {
            assert_eq!(keyword_in(text, &opt_out, &opt_in), expected, "{text:?}");
        }
    }

    #[test]
    fn r_cus_6_a_word_in_both_lists_opts_out_and_an_empty_one_is_no_keyword() {
        let both = ["x".to_owned(), " ".to_owned()];
        assert_eq!(keyword_in("X", &both, &both), Some((OptIn::OptedOut, "x")));
        assert_eq!(keyword_in("  ", &both, &both), None);
        assert_eq!(keyword_in("X", &[], &[]), None);
    }
}
