//! What stands for `{{…}}` in a bulk message, by recipient.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::raw_json::RawJson;

/// By recipient: what each name stands for.
pub type Fills = BTreeMap<String, BTreeMap<String, String>>;

/// The content with every `{{name}}` that has a value replaced by it; the others stay as they are.
///
/// Done on the text, so that keys keep their order: `{{` cannot stand outside of a string in JSON.
#[must_use]
pub fn fill(content: &RawJson, values: &BTreeMap<String, String>) -> RawJson {
    let mut filled = String::with_capacity(content.text().len());
    let mut rest = content.text();
    while let Some(start) = rest.find("{{") {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let value = rest.find("}}").and_then(|end| Some((end, values.get(rest[2..end].trim())?)));
        match value {
            Some((end, value)) => {
                let quoted = Value::from(value.as_str()).to_string();
                filled.push_str(&quoted[1..quoted.len() - 1]);
                rest = &rest[end + 2..];
            }
            None => {
                filled.push_str("{{");
                rest = &rest[2..];
            }
        }
    }
    filled.push_str(rest);
    RawJson::parse(filled).unwrap_or_else(|_| content.clone())
}
