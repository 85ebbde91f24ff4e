//! The fields of a body, read one by one; all that is wrong is told at once.

use std::collections::HashMap;

use chatledger_domain::{RawJson, WaId, wa_id};
use serde_json::Value;

use super::{FieldErrors, Given, value::text};
use crate::error::ApiError;

/// A valid field; `None` when an error was noted instead.
pub type Valid<T> = Option<T>;

/// The fields of a body. Each method notes what is wrong; [`Fields::finish`] tells it.
#[derive(Debug, Default)]
#[must_use = "errors are told by `finish`"]
pub struct Fields {
    given: HashMap<String, Given>,
    errors: FieldErrors,
}

impl Fields {
    pub(super) fn new(given: HashMap<String, Given>) -> Self {
        Self { given, errors: FieldErrors::default() }
    }

    /// Whether the field is there, whatever it holds.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// Notes an error found elsewhere.
    pub fn refuse(&mut self, path: &str, message: impl Into<String>) {
        self.errors.add(path, message);
    }

    /// Text that must be there; trimmed, not empty.
    pub fn text(&mut self, name: &str, at_most: usize) -> Valid<String> {
        let text = self.required(name, Given::text)?.trim().to_owned();
        if text.is_empty() {
            return self.wrong(name, text::BLANK);
        }
        self.short(name, text, at_most)
    }

    /// Text that must be there and may be empty; trimmed.
    pub fn text_or_empty(&mut self, name: &str, at_most: usize) -> Valid<String> {
        let text = self.required(name, Given::text)?.trim().to_owned();
        self.short(name, text, at_most)
    }

    /// Text that must be there, as it is; not empty. For passwords.
    pub fn untrimmed_text(&mut self, name: &str, at_most: usize) -> Valid<String> {
        let text = self.required(name, Given::text)?;
        if text.is_empty() {
            return self.wrong(name, text::BLANK);
        }
        self.short(name, text, at_most)
    }

    /// Text that may be absent, `null` or empty (all `None`); trimmed.
    pub fn optional_text(&mut self, name: &str, at_most: usize) -> Valid<Option<String>> {
        let Some(text) = self.optional(name, Given::text)? else { return Some(None) };
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Some(None);
        }
        self.short(name, text, at_most).map(Some)
    }

    /// Text that may be absent or empty, but not `null`; trimmed.
    pub fn blank_text(&mut self, name: &str, at_most: usize) -> Valid<Option<String>> {
        if !self.has(name) {
            return Some(None);
        }
        let text = self.required(name, Given::text)?.trim().to_owned();
        self.short(name, text, at_most).map(Some)
    }

    /// An integer that must be there.
    pub fn integer(&mut self, name: &str) -> Valid<i64> {
        self.required(name, Given::integer)
    }

    /// An integer that may be absent, `null` or empty (all `None`).
    pub fn optional_integer(&mut self, name: &str) -> Valid<Option<i64>> {
        self.optional(name, Given::integer)
    }

    /// The id of an object that must be named.
    pub fn pk(&mut self, name: &str) -> Valid<i64> {
        let digits = self.required(name, Given::digits)?;
        self.existing(name, &digits)
    }

    /// The id of an object: absent `None`, `null` (in a form: empty) `Some(None)`.
    pub fn optional_pk(&mut self, name: &str) -> Valid<Option<Option<i64>>> {
        match self.given.get(name) {
            None => Some(None),
            Some(given) if given.is_null() || given.is_empty_text() => Some(Some(None)),
            Some(given) => match given.digits() {
                Ok(digits) => self.existing(name, &digits).map(|id| Some(Some(id))),
                Err(message) => self.wrong(name, message),
            },
        }
    }

    /// A boolean that must be there.
    pub fn boolean(&mut self, name: &str) -> Valid<bool> {
        self.required(name, Given::boolean)
    }

    /// A boolean that may be absent, `null` or empty (all `None`).
    pub fn optional_boolean(&mut self, name: &str) -> Valid<Option<bool>> {
        self.optional(name, Given::boolean)
    }

    /// A chat's id that must be there.
    pub fn wa_id(&mut self, name: &str) -> Valid<WaId> {
        let text = self.text(name, usize::MAX)?;
        match WaId::parse(&text) {
            Ok(id) => Some(id),
            Err(_) if text.chars().count() > wa_id::MAX_LEN => self.wrong(name, text::too_long(wa_id::MAX_LEN)),
            Err(_) => self.wrong(name, "Enter a valid WhatsApp id."),
        }
    }

    /// An object that may be absent or `null` (both `None`); its text as it came.
    pub fn optional_object(&mut self, name: &str) -> Valid<Option<(RawJson, Value)>> {
        let Some((raw, value)) = self.optional(name, Given::json)? else { return Some(None) };
        match value {
            Value::Null => Some(None),
            Value::Object(_) => Some(Some((RawJson::from(&*raw), value))),
            other => self.wrong(name, text::not_an_object(&other)),
        }
    }

    /// An object that must be there: its text as it came, and its fields, to be read in turn. What is wrong with them
    /// is told by [`Self::take_errors`].
    pub fn object(&mut self, name: &str) -> Valid<(RawJson, Self)> {
        let (raw, value) = self.required(name, Given::json)?;
        match super::body::from_json(raw.get().as_bytes()) {
            Ok(fields) => Some((RawJson::from(&*raw), fields)),
            Err(_) => self.wrong(name, text::not_an_object(&value)),
        }
    }

    /// Takes over what was noted about the fields of an object.
    pub fn take_errors(&mut self, name: &str, inside: Self) {
        self.errors.add_inside(name, inside.errors);
    }

    /// Any JSON value that may be absent or `null` (both `None`); its text as it came.
    pub fn optional_json(&mut self, name: &str) -> Valid<Option<(RawJson, Value)>> {
        let Some((raw, value)) = self.optional(name, Given::json)? else { return Some(None) };
        Some((!value.is_null()).then(|| (RawJson::from(&*raw), value)))
    }

    /// Any JSON value that must be there and not `null`; its text as it came.
    pub fn json(&mut self, name: &str) -> Valid<(RawJson, Value)> {
        let (raw, value) = self.required(name, Given::json)?;
        if value.is_null() {
            return self.wrong(name, text::NULL);
        }
        Some((RawJson::from(&*raw), value))
    }

    /// What was read, when all of it is valid.
    ///
    /// # Errors
    /// All that was noted.
    pub fn finish<T: AllValid>(self, read: T) -> Result<T::Read, ApiError> {
        match read.all() {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(ApiError::Fields(self.errors)),
        }
    }

    fn required<T>(&mut self, name: &str, read: fn(&Given) -> Result<T, String>) -> Valid<T> {
        match self.given.get(name) {
            None => self.wrong(name, text::REQUIRED),
            Some(given) if given.is_null() => self.wrong(name, text::NULL),
            Some(given) => match read(given) {
                Ok(value) => Some(value),
                Err(message) => self.wrong(name, message),
            },
        }
    }

    fn optional<T>(&mut self, name: &str, read: fn(&Given) -> Result<T, String>) -> Valid<Option<T>> {
        match self.given.get(name) {
            None => Some(None),
            Some(given) if given.is_null() || given.is_empty_text() => Some(None),
            Some(given) => match read(given) {
                Ok(value) => Some(Some(value)),
                Err(message) => self.wrong(name, message),
            },
        }
    }

    fn short(&mut self, name: &str, text: String, at_most: usize) -> Valid<String> {
        if text.chars().count() > at_most { self.wrong(name, text::too_long(at_most)) } else { Some(text) }
    }

    /// A number too long for an id names nothing.
    fn existing(&mut self, name: &str, digits: &str) -> Valid<i64> {
        match digits.parse() {
            Ok(id) => Some(id),
            Err(_) => self.wrong(name, format!("Invalid pk \"{digits}\" - object does not exist.")),
        }
    }

    fn wrong<T>(&mut self, name: &str, message: impl Into<String>) -> Valid<T> {
        self.errors.add(name, message);
        None
    }
}

/// Several [`Valid`] fields that stand or fall together.
pub trait AllValid {
    /// What they hold.
    type Read;
    /// All, or nothing when one is not valid.
    fn all(self) -> Option<Self::Read>;
}

macro_rules! all_valid {
    ($($name:ident)+) => {
        #[allow(non_snake_case)]
        impl<$($name),+> AllValid for ($(Valid<$name>,)+) {
            type Read = ($($name,)+);
            fn all(self) -> Option<Self::Read> {
                let ($($name,)+) = self;
                Some(($($name?,)+))
            }
        }
    };
}
all_valid!(A);
all_valid!(A B);
all_valid!(A B C);
all_valid!(A B C D);
all_valid!(A B C D E);
all_valid!(A B C D E F);
all_valid!(A B C D E F G);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::extract::body::from_json;

    fn fields(body: Value) -> Fields {
        from_json(body.to_string().as_bytes()).unwrap()
    }

    fn told<T>(result: Result<T, ApiError>) -> Value {
        match result {
            Err(ApiError::Fields(errors)) => errors.body(),
            _ => Value::Null,
        }
    }

    #[test]
    fn r_err_6_all_that_is_wrong_is_told_at_once() {
        let mut fields = fields(json!({"b": " ", "c": null, "d": "x", "e": {}, "f": "abc", "g": "maybe", "h": []}));
        let read = (fields.text("a", 9), fields.text("b", 9), fields.text("c", 9), fields.integer("d"));
        let more = (fields.text("e", 9), fields.text("f", 2), fields.boolean("g"), fields.optional_object("h"));
        assert!(more.all().is_none());
        assert_eq!(
            told(fields.finish(read)),
            json!({
                "a": ["This field is required."], "b": ["This field may not be blank."],
                "c": ["This field may not be null."], "d": ["A valid integer is required."],
                "e": ["Not a valid string."], "f": ["Ensure this field has no more than 2 characters."],
                "g": ["Must be a valid boolean."],
                "h": ["Expected a dictionary of items but got type \"list\"."],
                "reason": "a: This field is required.",
            })
        );
    }

    #[test]
    fn null_characters_are_refused_wherever_they_hide() {
        let mut fields = fields(json!({"a": "x\0y", "b": {"k": ["\0"]}, "c": {"\0": 1}}));
        let read = (fields.text("a", 9), fields.optional_object("b"), fields.optional_object("c"));
        let nul = json!(["Null characters are not allowed."]);
        let body = told(fields.finish(read));
        assert_eq!((&body["a"], &body["b"], &body["c"]), (&nul, &nul, &nul));
    }

    #[test]
    fn r_tag_8_a_number_too_long_for_an_id_names_nothing() {
        let mut fields = fields(json!({"tag": "99999999999999999999"}));
        let read = (fields.pk("tag"),);
        let body = told(fields.finish(read));
        assert_eq!(body["tag"], json!(["Invalid pk \"99999999999999999999\" - object does not exist."]));
    }

    #[test]
    fn r_tag_10_an_object_is_kept_as_it_came() {
        let mut fields = from_json(br#"{"extra": {"b" : 1.0,  "a":[ ]}}"#).unwrap();
        let read = (fields.optional_object("extra"),);
        let (extra,) = fields.finish(read).unwrap();
        assert_eq!(extra.unwrap().0.text(), r#"{"b" : 1.0,  "a":[ ]}"#);
    }

    #[test]
    fn absent_null_and_set_are_three_things() {
        let mut fields = fields(json!({"b": null, "c": 4, "d": "5"}));
        let read = (fields.optional_pk("a"), fields.optional_pk("b"), fields.optional_pk("c"), fields.optional_pk("d"));
        assert_eq!(fields.finish(read).unwrap(), (None, Some(None), Some(Some(4)), Some(Some(5))));
    }
}
