//! Holds answers against the examples of the source document, key by key.

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::conversations::iso;

/// Wants an answer to be as an example shows it.
#[track_caller]
pub fn same_shape(example: &Value, answer: &Value) {
    compare(example, answer, "answer");
}

#[track_caller]
fn compare(example: &Value, answer: &Value, path: &str) {
    match (example, answer) {
        (Value::Object(example), Value::Object(answer)) => {
            for key in answer.keys() {
                assert!(example.contains_key(key), "{path}.{key} is not in the example");
            }
            for (key, example) in example {
                let value = answer.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing"));
                compare(example, value, &format!("{path}.{key}"));
            }
        }
        (Value::Array(example), Value::Array(answer)) => {
            assert_eq!(example.len(), answer.len(), "{path} has another length");
            for (at, (example, answer)) in example.iter().zip(answer).enumerate() {
                compare(example, answer, &format!("{path}.{at}"));
            }
        }
        (Value::String(example), Value::String(answer)) if is_id(example) => {
            assert!(!answer.is_empty(), "{path} is empty");
        }
        (Value::String(example), Value::String(answer)) if is_the_documents_time(example) => {
            assert!(time(answer).is_some(), "{path} is no time: {answer}");
        }
        _ => assert_eq!(example, answer, "{path}"),
    }
}

/// An id that only the document has; those that a test knows are replaced before.
fn is_id(text: &str) -> bool {
    ["660e8400-", "conv-", "msg-", "cust-", "wamid.zzz"].iter().any(|start| text.starts_with(start))
}

/// A time as the API writes it.
pub fn time(text: &str) -> Option<i64> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok().map(|time| time.and_utc().timestamp())
}

fn is_the_documents_time(text: &str) -> bool {
    time(text).is_some() && text.starts_with("2026-01-")
}

/// An example with its ten o'clock moved to a moment of ours, so that times are compared as well.
pub fn moved(example: Value, at: i64) -> Value {
    match example {
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, moved(value, at))).collect(),
        Value::Array(values) => values.into_iter().map(|value| moved(value, at)).collect(),
        Value::String(text) if is_the_documents_time(&text) => {
            let ten = time("2026-01-18T10:00:00Z").expect("a time");
            json!(iso(at + time(&text).expect("a time") - ten))
        }
        other => other,
    }
}

/// An example with the nulls that it leaves out.
pub fn enveloped(mut example: Value) -> Value {
    for key in ["data", "error", "pagination"] {
        example.as_object_mut().expect("an object").entry(key).or_insert(Value::Null);
    }
    example
}
