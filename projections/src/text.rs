//! Text as the tables can hold it, and as it is searched.

use std::borrow::Cow;

use chatledger_domain::RawJson;
use serde_json::Value;

/// The text without NUL, which Postgres cannot hold.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// [`clean`], in lower case by Unicode's rules.
pub(crate) fn lower(text: &str) -> String {
    clean(text).to_lowercase()
}

/// A pattern that finds the text as a substring of lower-case text.
pub(crate) fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in lower(search).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// JSON as a tree; a lone surrogate becomes U+FFFD rather than losing the rest.
pub(crate) fn lenient_tree(raw: &RawJson) -> Value {
    match serde_json::from_str(raw.text()) {
        Ok(tree) => tree,
        Err(_) => serde_json::from_str(&without_lone_surrogates(raw.text())).unwrap_or_default(),
    }
}

fn without_lone_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match unit(rest) {
            Some(0xD800..=0xDBFF) if matches!(rest.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            Some(_) => 6,
            None => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

/// The UTF-16 unit of the `\uXXXX` that the text begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_literal() {
        assert_eq!(pattern("50%_\\Ä"), "%50\\%\\_\\\\ä%");
    }

    #[test]
    fn a_lone_surrogate_costs_one_character_only() {
        let raw = RawJson::parse(r#"{"a":"x\ud83d y","b":"\ud83d\ude00","c":"\\ud83d \u00e9"}"#.into()).expect("JSON");
        assert_eq!(raw.tree(), Value::Null);
        let tree = lenient_tree(&raw);
        assert_eq!(tree["a"], "x\u{fffd} y");
        assert_eq!(tree["b"], "😀");
        assert_eq!(tree["c"], "\\ud83d é");
    }

    #[test]
    fn nul_is_left_out() {
        assert_eq!(clean("a\0b"), "ab");
    }
}
