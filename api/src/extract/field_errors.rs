//! Errors by field, as Django REST framework shows them, with the sentence that sums them up (R-ERR-4).

use serde::{Serialize, Serializer, ser::SerializeMap};

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

    /// Adds the errors of the fields inside a field.
    pub(super) fn add_inside(&mut self, path: &str, inside: Self) {
        self.errors.extend(inside.errors.into_iter().map(|(name, message)| (format!("{path}.{name}"), message)));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The body as a tree, for tests.
    #[cfg(test)]
    pub(crate) fn body(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap()
    }

    fn reason(&self) -> String {
        match self.errors.first() {
            Some((path, message)) if path == "non_field_errors" => message.clone(),
            Some((path, message)) => format!("{path}: {message}"),
            None => "The request is invalid.".to_owned(),
        }
    }
}

/// The body: a key for each field in the order in which errors were found, and `reason`.
impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Fields::default();
        for (path, message) in &self.errors {
            fields.add(path, message);
        }
        let mut map = serializer.serialize_map(None)?;
        for (key, node) in &fields.0 {
            map.serialize_entry(key, node)?;
        }
        map.serialize_entry("reason", &self.reason())?;
        map.end()
    }
}

/// What is told of a field: its own errors, or those of the fields inside it.
#[derive(Serialize)]
#[serde(untagged)]
enum Node<'a> {
    Messages(Vec<&'a str>),
    Inside(Fields<'a>),
}

/// Fields in order.
#[derive(Default)]
struct Fields<'a>(Vec<(&'a str, Node<'a>)>);

impl<'a> Fields<'a> {
    /// Where a field is wrong itself, what is inside it adds nothing.
    fn add(&mut self, path: &'a str, message: &'a str) {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let at = self.0.iter().position(|(name, _)| *name == key).unwrap_or_else(|| {
            let node = if rest.is_some() { Node::Inside(Fields::default()) } else { Node::Messages(Vec::new()) };
            self.0.push((key, node));
            self.0.len() - 1
        });
        match (&mut self.0[at].1, rest) {
            (Node::Inside(inside), Some(rest)) => inside.add(rest, message),
            (Node::Messages(messages), None) => messages.push(message),
            _ => {}
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, node)| (key, node)))
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
            serde_json::to_string(&errors).unwrap(),
            r#"{"text":{"body":["This field is required."]},"wa_id":["This field may not be blank."],"reason":"text.body: This field is required."}"#
        );
    }
}
