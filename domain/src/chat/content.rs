//! What a message to be sent may hold, by type, and how WhatsApp is asked to send it (integration §G).
//!
//! The same for all API families: each puts the [`Violation`]s into its own words.

use serde_json::{Map, Value, json};

use crate::{raw_json::RawJson, wa_id::WaId};

/// The types that can be sent, as clients name them.
pub const TYPES: [&str; 13] = [
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "contacts",
    "template",
    "hsm",
    "interactive",
    "reaction",
];

const MAX_TEXT: usize = 4_096;
const MAX_CAPTION: usize = 1_024;
const MAX_FILENAME: usize = 240;
const MAX_TITLE: usize = 20;
const MAX_BUTTONS: usize = 3;
const MAX_CONTACTS: usize = 257;

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It is not there.
    Missing,
    /// It is empty.
    Blank,
    /// It is not text.
    NotText,
    /// It is not an object.
    NotAnObject,
    /// It is not a list.
    NotAList,
    /// It is not a boolean.
    NotABoolean,
    /// It is not a number between these.
    OutOfRange {
        /// The least.
        least: i32,
        /// The most.
        most: i32,
    },
    /// It is longer than so many characters.
    TooLong(usize),
    /// It has more than so many elements.
    TooMany(usize),
    /// It is none of the values that are allowed.
    NotAChoice(String),
}

/// A field and what is wrong with it. The field's path begins with the type: `text.body`, `contacts.0.name`.
pub type Problem = (String, Violation);

/// Everything that is wrong with the object of a type; `kind` must be one of [`TYPES`].
#[must_use]
pub fn problems(kind: &str, content: &Value) -> Vec<Problem> {
    let mut check = Check { problems: Vec::new() };
    if kind == "contacts" {
        check.contacts(content);
        return check.problems;
    }
    let Value::Object(object) = content else { return vec![(kind.to_owned(), Violation::NotAnObject)] };
    match kind {
        "text" => {
            check.text(object, kind, "body", Some(MAX_TEXT));
            check.optional_boolean(object, kind, "preview_url");
        }
        "location" => {
            check.number(object, kind, "latitude", 90);
            check.number(object, kind, "longitude", 180);
            check.optional_text(object, kind, "name", None);
            check.optional_text(object, kind, "address", None);
        }
        "template" => check.template(object),
        "hsm" => check.hsm(object),
        "interactive" => check.interactive(object),
        "reaction" => {
            check.text(object, kind, "message_id", None);
            check.optional_text(object, kind, "emoji", None);
        }
        _ => check.media(kind, object),
    }
    check.problems
}

/// The type under which a message is sent and stored: `hsm` is a `template`.
#[must_use]
pub fn sent_type(kind: &str) -> &str {
    if kind == "hsm" { "template" } else { kind }
}

/// The object that WhatsApp is asked to send, its content as the client wrote it. [`problems`] must have found none.
#[must_use]
pub fn message(wa_id: &WaId, kind: &str, content: &RawJson) -> RawJson {
    let kind_sent = sent_type(kind);
    let content = match kind {
        "hsm" => template_of_hsm(&content.tree()).to_string(),
        _ => content.text().to_owned(),
    };
    let to = Value::from(wa_id.as_str());
    let text = format!(r#"{{"recipient_type":"individual","to":{to},"type":"{kind_sent}","{kind_sent}":{content}}}"#);
    // Made of whole JSON values, so that it is one itself.
    RawJson::parse(text).unwrap_or_else(|_| RawJson::from(&Value::Null))
}

/// The template that an on-premises `hsm` object means.
fn template_of_hsm(hsm: &Value) -> Value {
    let parameters: Vec<Value> = hsm["localizable_params"].as_array().into_iter().flatten().map(parameter).collect();
    let mut template = json!({
        "namespace": hsm["namespace"],
        "name": hsm["element_name"],
        "language": {
            "policy": hsm["language"]["policy"].as_str().unwrap_or("deterministic"),
            "code": hsm["language"]["code"].as_str().unwrap_or("en"),
        },
    });
    if !parameters.is_empty() {
        template["components"] = json!([{"type": "body", "parameters": parameters}]);
    }
    template
}

fn parameter(localizable: &Value) -> Value {
    let fallback = &localizable["default"];
    if let Some(currency) = localizable["currency"].as_object() {
        let code = currency.get("currency_code").or_else(|| currency.get("code"));
        return json!({"type": "currency", "currency": {
            "fallback_value": fallback, "code": code, "amount_1000": currency.get("amount_1000"),
        }});
    }
    if localizable["date_time"].is_object() {
        return json!({"type": "date_time", "date_time": {"fallback_value": fallback}});
    }
    json!({"type": "text", "text": fallback})
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn found(&mut self, at: &str, field: &str, violation: Violation) {
        self.problems.push((format!("{at}.{field}"), violation));
    }

    /// Text that must be there and not empty.
    fn text<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        at: &str,
        field: &str,
        most: Option<usize>,
    ) -> Option<&'a str> {
        match object.get(field) {
            None | Some(Value::Null) => self.found(at, field, Violation::Missing),
            Some(Value::String(text)) if text.is_empty() => self.found(at, field, Violation::Blank),
            Some(Value::String(text)) => {
                self.short(at, field, text, most);
                return Some(text);
            }
            Some(_) => self.found(at, field, Violation::NotText),
        }
        None
    }

    fn optional_text(&mut self, object: &Map<String, Value>, at: &str, field: &str, most: Option<usize>) {
        match object.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => self.short(at, field, text, most),
            Some(_) => self.found(at, field, Violation::NotText),
        }
    }

    fn short(&mut self, at: &str, field: &str, text: &str, most: Option<usize>) {
        if let Some(most) = most
            && text.chars().count() > most
        {
            self.found(at, field, Violation::TooLong(most));
        }
    }

    fn optional_boolean(&mut self, object: &Map<String, Value>, at: &str, field: &str) {
        if object.get(field).is_some_and(|value| !value.is_boolean()) {
            self.found(at, field, Violation::NotABoolean);
        }
    }

    /// A number, also as text, between minus and plus `most`.
    fn number(&mut self, object: &Map<String, Value>, at: &str, field: &str, most: i32) {
        let value = match object.get(field) {
            None | Some(Value::Null) => return self.found(at, field, Violation::Missing),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_f64(),
        };
        if !value.is_some_and(|value: f64| value.abs() <= f64::from(most)) {
            self.found(at, field, Violation::OutOfRange { least: -most, most });
        }
    }

    fn object<'a>(&mut self, object: &'a Map<String, Value>, at: &str, field: &str) -> Option<&'a Map<String, Value>> {
        match object.get(field) {
            None | Some(Value::Null) => self.found(at, field, Violation::Missing),
            Some(Value::Object(inner)) => return Some(inner),
            Some(_) => self.found(at, field, Violation::NotAnObject),
        }
        None
    }

    fn optional_list<'a>(&mut self, object: &'a Map<String, Value>, at: &str, field: &str) -> &'a [Value] {
        match object.get(field) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.found(at, field, Violation::NotAList);
                &[]
            }
        }
    }

    fn media(&mut self, kind: &str, object: &Map<String, Value>) {
        let given = |field| object.get(field).is_some_and(|value: &Value| !value.is_null());
        if given("id") {
            self.text(object, kind, "id", None);
        } else {
            self.text(object, kind, "link", None);
        }
        if matches!(kind, "image" | "video" | "document") {
            self.optional_text(object, kind, "caption", Some(MAX_CAPTION));
        }
        if kind == "document" {
            self.optional_text(object, kind, "filename", Some(MAX_FILENAME));
        }
    }

    fn template(&mut self, object: &Map<String, Value>) {
        self.text(object, "template", "name", Some(512));
        if let Some(language) = self.object(object, "template", "language") {
            self.text(language, "template.language", "code", None);
        }
        self.optional_text(object, "template", "namespace", None);
        self.optional_list(object, "template", "components");
    }

    fn hsm(&mut self, object: &Map<String, Value>) {
        self.text(object, "hsm", "namespace", None);
        self.text(object, "hsm", "element_name", Some(512));
        if object.get("language").is_some_and(|language| !language.is_object()) {
            self.found("hsm", "language", Violation::NotAnObject);
        }
        for (at, parameter) in self.optional_list(object, "hsm", "localizable_params").iter().enumerate() {
            let path = format!("hsm.localizable_params.{at}");
            match parameter {
                Value::Object(parameter) => {
                    self.text(parameter, &path, "default", None);
                }
                _ => self.problems.push((path, Violation::NotAnObject)),
            }
        }
    }

    fn interactive(&mut self, object: &Map<String, Value>) {
        let Some(kind) = self.text(object, "interactive", "type", None) else { return };
        if kind != "button" {
            return;
        }
        let Some(action) = self.object(object, "interactive", "action") else { return };
        let at = "interactive.action";
        let buttons = self.optional_list(action, at, "buttons");
        match buttons.len() {
            0 if self.problems.is_empty() => self.found(at, "buttons", Violation::Missing),
            n if n > MAX_BUTTONS => self.found(at, "buttons", Violation::TooMany(MAX_BUTTONS)),
            _ => {}
        }
        for (index, button) in buttons.iter().enumerate() {
            let path = format!("{at}.buttons.{index}.reply");
            match button["reply"].as_object() {
                Some(reply) => {
                    self.text(reply, &path, "title", Some(MAX_TITLE));
                }
                None => self.problems.push((path, Violation::Missing)),
            }
        }
    }

    fn contacts(&mut self, content: &Value) {
        let Value::Array(contacts) = content else {
            return self.problems.push(("contacts".to_owned(), Violation::NotAList));
        };
        if contacts.is_empty() {
            self.problems.push(("contacts".to_owned(), Violation::Missing));
        }
        if contacts.len() > MAX_CONTACTS {
            self.problems.push(("contacts".to_owned(), Violation::TooMany(MAX_CONTACTS)));
        }
        for (index, contact) in contacts.iter().enumerate() {
            let path = format!("contacts.{index}");
            let Value::Object(contact) = contact else {
                self.problems.push((path, Violation::NotAnObject));
                continue;
            };
            if let Some(name) = self.object(contact, &path, "name") {
                self.text(name, &format!("{path}.name"), "formatted_name", None);
            }
        }
    }
}

#[cfg(test)]
mod tests;
