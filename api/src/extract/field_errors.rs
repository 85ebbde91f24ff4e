//! Errors by field, as Django REST framework shows them, with the sentence that sums them up (R-ERR-4).

use serde_json::{Map, Value, json};

/// Errors by field. A path such as `text.body` is shown nested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors {
    errors: Vec<(String, String)>,
}

impl FieldErrors {
    /// One error.
    #[must_use]
    pub fn one(path: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(path, message);
        errors
    }

    /// Adds an error.
    pub fn add(&mut self, path: &str, message: impl Into<String>) {
        self.errors.push((path.to_owned(), message.into()));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The body: a key for each field, and `reason`.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        for (path, message) in &self.errors {
            insert(&mut body, path, message);
        }
        body.insert("reason".to_owned(), json!(self.reason()));
        body.into()
    }

    fn reason(&self) -> String {
        match self.errors.first() {
            Some((path, message)) if path == "non_field_errors" => message.clone(),
            Some((path, message)) => format!("{path}: {message}"),
            None => "The request is invalid.".to_owned(),
        }
    }
}

fn insert(object: &mut Map<String, Value>, path: &str, message: &str) {
    // Where a field is wrong itself, what is inside it adds nothing.
    match path.split_once('.') {
        Some((key, rest)) => {
            if let Value::Object(inner) = object.entry(key).or_insert_with(|| json!({})) {
                insert(inner, rest, message);
            }
        }
        None => {
            if let Value::Array(messages) = object.entry(path).or_insert_with(|| json!([])) {
                messages.push(json!(message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_shown_and_the_first_is_summed_up() {
        let mut errors = FieldErrors::one("text.body", "This field is required.");
        errors.add("wa_id", "This field may not be blank.");
        assert_eq!(
            errors.body(),
            json!({"text": {"body": ["This field is required."]}, "wa_id": ["This field may not be blank."],
                   "reason": "text.body: This field is required."})
        );
    }
}
