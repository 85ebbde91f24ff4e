//! A customer's WhatsApp id: digits, or a business-scoped id (R-GEN-7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest id that is accepted, in characters.
pub const MAX_LEN: usize = 100;

/// A valid WhatsApp id: 1–100 digits, or a business-scoped id such as `US.134912086553027419`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WaId(String);

/// The text is neither digits nor a business-scoped id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a WhatsApp id")]
pub struct InvalidWaId;

impl WaId {
    /// Reads an id as people and systems write it: `+`, spaces, `-`, `(` and `)` are removed first.
    ///
    /// # Errors
    /// [`InvalidWaId`] when what is left is not an id.
    pub fn parse(text: &str) -> Result<Self, InvalidWaId> {
        let id: String = text.chars().filter(|c| !matches!(c, '+' | '-' | '(' | ')') && !c.is_whitespace()).collect();
        let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
        if id.len() <= MAX_LEN && (digits || is_business_scoped(&id)) { Ok(Self(id)) } else { Err(InvalidWaId) }
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text names this id, not as a part of a longer one.
    #[must_use]
    pub fn stands_in(&self, text: &str) -> bool {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        text.match_indices(self.as_str())
            .any(|(at, found)| apart(text[..at].chars().next_back()) && apart(text[at + found.len()..].chars().next()))
    }

    /// Whether this is a business-scoped id, which WhatsApp wants in `recipient` instead of `to`.
    #[must_use]
    pub fn is_business_scoped(&self) -> bool {
        is_business_scoped(&self.0)
    }
}

fn is_business_scoped(id: &str) -> bool {
    let Some((country, rest)) = id.split_once('.') else { return false };
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && !rest.is_empty()
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

impl std::fmt::Display for WaId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_gen_7_punctuation_is_removed() {
        assert_eq!(WaId::parse("+351 (912) 000-111").map(|id| id.0), Ok("351912000111".to_owned()));
    }

    #[test]
    fn r_gen_7_a_business_scoped_id_is_kept() {
        assert_eq!(WaId::parse("US.134912086553027419").map(|id| id.0), Ok("US.134912086553027419".to_owned()));
    }

    #[test]
    fn r_gen_7_other_text_is_refused() {
        for text in ["", "+", "abc", "12a", "us.1", "USA.1", "US.", &"1".repeat(101)] {
            assert_eq!(WaId::parse(text), Err(InvalidWaId), "{text}");
        }
    }
}
