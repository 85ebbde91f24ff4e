//! A value as a request gives it, in JSON or as the text of a form field, and how it reads (R-GEN-4, R-ERR-6).

use serde_json::{Value, value::RawValue};

/// The texts of the common validators; exactly these (R-ERR-6).
pub mod text {
    /// Absent.
    pub const REQUIRED: &str = "This field is required.";
    /// Empty.
    pub const BLANK: &str = "This field may not be blank.";
    /// `null`.
    pub const NULL: &str = "This field may not be null.";
    /// Not an integer.
    pub const INTEGER: &str = "A valid integer is required.";
    /// Not a boolean.
    pub const BOOLEAN: &str = "Must be a valid boolean.";
    /// Not text.
    pub const STRING: &str = "Not a valid string.";
    /// Text with U+0000.
    pub const NUL: &str = "Null characters are not allowed.";
    /// Not JSON where it is needed.
    pub const JSON: &str = "Value must be valid JSON.";

    /// Longer than `n` characters.
    #[must_use]
    pub fn too_long(n: usize) -> String {
        format!("Ensure this field has no more than {n} characters.")
    }

    /// Not an object.
    #[must_use]
    pub fn not_an_object(found: &serde_json::Value) -> String {
        format!("Expected a dictionary of items but got type \"{}\".", type_name(found))
    }

    /// Not a list.
    #[must_use]
    pub fn not_a_list(found: &serde_json::Value) -> String {
        format!("Expected a list of items but got type \"{}\".", type_name(found))
    }

    /// The name of a value's type, as these texts write it.
    #[must_use]
    pub fn type_name(value: &serde_json::Value) -> &'static str {
        match value {
            serde_json::Value::Null => "NoneType",
            serde_json::Value::Bool(_) => "bool",
            serde_json::Value::Number(number) if number.is_f64() => "float",
            serde_json::Value::Number(_) => "int",
            serde_json::Value::String(_) => "str",
            serde_json::Value::Array(_) => "list",
            serde_json::Value::Object(_) => "dict",
        }
    }
}

/// A value of a request.
#[derive(Clone, Debug)]
pub enum Given {
    /// From JSON: its text as it came, and what it says.
    Json(Box<RawValue>, Value),
    /// From a form.
    Text(String),
}

type Read<T> = Result<T, String>;

impl Given {
    /// As the text of a form field, or from JSON when it is parsed anew.
    pub(super) fn from_text(text: String) -> Self {
        Self::Text(text)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Json(_, Value::Null))
    }

    pub(super) fn is_empty_text(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    pub(super) fn text(&self) -> Read<String> {
        let text = match self {
            Self::Text(text) | Self::Json(_, Value::String(text)) => text.clone(),
            Self::Json(_, Value::Number(number)) => number.to_string(),
            Self::Json(..) => return Err(text::STRING.to_owned()),
        };
        if text.contains('\0') { Err(text::NUL.to_owned()) } else { Ok(text) }
    }

    /// A number as its digits, however long.
    pub(super) fn digits(&self) -> Read<String> {
        let text = match self {
            Self::Text(text) | Self::Json(_, Value::String(text)) => text.trim().to_owned(),
            Self::Json(_, Value::Number(number)) => number.to_string(),
            Self::Json(..) => return Err(text::INTEGER.to_owned()),
        };
        let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|b| b == b'0'));
        let text = whole.map_or(text.as_str(), |(whole, _)| whole);
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_integer = !digits.is_empty() && digits.len() <= 1_000 && digits.bytes().all(|b| b.is_ascii_digit());
        if is_integer { Ok(text.trim_start_matches('+').to_owned()) } else { Err(text::INTEGER.to_owned()) }
    }

    pub(super) fn integer(&self) -> Read<i64> {
        self.digits()?.parse().map_err(|_| text::INTEGER.to_owned())
    }

    pub(super) fn boolean(&self) -> Read<bool> {
        let text = match self {
            Self::Json(_, Value::Bool(value)) => return Ok(*value),
            Self::Json(_, Value::Number(number)) => number.to_string(),
            Self::Text(text) | Self::Json(_, Value::String(text)) => text.clone(),
            Self::Json(..) => return Err(text::BOOLEAN.to_owned()),
        };
        boolean(&text).ok_or_else(|| text::BOOLEAN.to_owned())
    }

    /// A JSON value with its text; in a form the text is JSON.
    pub(super) fn json(&self) -> Read<(Box<RawValue>, Value)> {
        let (raw, value) = match self {
            Self::Json(raw, value) => (raw.clone(), value.clone()),
            Self::Text(json) => {
                let value: Value = serde_json::from_str(json).map_err(|_| text::JSON.to_owned())?;
                (RawValue::from_string(json.trim().to_owned()).map_err(|_| text::JSON.to_owned())?, value)
            }
        };
        if has_nul(&value) { Err(text::NUL.to_owned()) } else { Ok((raw, value)) }
    }
}

/// A boolean as it is written in queries and forms (R-FIL-3).
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(items) => items.iter().any(|(key, item)| key.contains('\0') || has_nul(item)),
        _ => false,
    }
}
