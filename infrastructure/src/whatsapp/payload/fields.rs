//! Reads single fields out of JSON text without building a tree, and says exactly what is wrong with them.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The deepest nesting of an element; deeper ones break JSON readers further on.
const MAX_DEPTH: usize = 100;

/// The longest id, type or status, in characters.
const MAX_ID: usize = 512;

/// Some fields of an object, by their place in the list of names; `null` counts as absent.
pub(super) struct Fields<'a, const N: usize> {
    /// The values, as text.
    pub(super) values: [Option<&'a RawValue>; N],
    /// The first name that occurs twice.
    pub(super) repeated: Option<&'static str>,
}

/// The fields with these names.
///
/// # Errors
/// When the text is not JSON, or not an object (`is_data`).
pub(super) fn fields<'a, const N: usize>(
    text: &'a str,
    names: &[&'static str; N],
) -> Result<Fields<'a, N>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let fields = reader.deserialize_map(Object(names))?;
    reader.end()?;
    Ok(fields)
}

/// As [`fields`], where every flaw is a reason to put the object aside.
pub(super) fn object<'a, const N: usize>(
    raw: &'a RawValue,
    names: &[&'static str; N],
) -> Result<[Option<&'a RawValue>; N], String> {
    let fields = fields(raw.get(), names).map_err(|_| "not an object".to_owned())?;
    match fields.repeated {
        Some(name) => Err(format!("`{name}` occurs twice")),
        None => Ok(fields.values),
    }
}

/// The elements of a list; none when it is absent.
pub(super) fn list<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Vec<&'a RawValue>, String> {
    raw.map_or(Ok(Vec::new()), |raw| serde_json::from_str(raw.get()).map_err(|_| format!("`{name}` is not a list")))
}

struct Object<'n, const N: usize>(&'n [&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Object<'_, N> {
    type Value = Fields<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields { values: [None; N], repeated: None };
        let mut seen = [false; N];
        while let Some(key) = map.next_key_seed(Key(self.0))? {
            let Some(place) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: &RawValue = map.next_value()?;
            if std::mem::replace(&mut seen[place], true) {
                fields.repeated = fields.repeated.or(Some(self.0[place]));
            }
            fields.values[place] = Some(value).filter(|value| value.get() != "null");
        }
        Ok(fields)
    }
}

/// The place of a key in the list of names. Read as bytes: a key may hold a lone surrogate.
struct Key<'n>(&'n [&'static str]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.as_bytes() == key))
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        self.visit_bytes(key.as_bytes())
    }
}

/// A string's content; `None` when it is no string, or holds a lone surrogate.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if quoted.contains('\\') {
        serde_json::from_str(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(quoted))
    }
}

/// As [`text`], of a field that may be absent.
pub(super) fn plain(raw: Option<&RawValue>) -> Option<String> {
    raw.and_then(text).map(Cow::into_owned)
}

/// A string that can be an id, a type or a status: not empty, not endless, without control characters.
pub(super) fn id(raw: Option<&RawValue>, name: &str) -> Result<String, String> {
    let raw = raw.ok_or_else(|| format!("`{name}` is missing"))?;
    let id = text(raw).ok_or_else(|| format!("`{name}` is not a string"))?;
    if id.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    if id.chars().any(char::is_control) {
        return Err(format!("`{name}` holds a control character"));
    }
    if id.len() > MAX_ID && id.chars().count() > MAX_ID {
        return Err(format!("`{name}` is longer than {MAX_ID} characters"));
    }
    Ok(id.into_owned())
}

/// POSIX seconds, written as a string or a number. What can only be milliseconds is divided.
pub(super) fn timestamp(raw: Option<&RawValue>) -> Result<i64, String> {
    let raw = raw.ok_or("`timestamp` is missing")?;
    let written = text(raw).unwrap_or(Cow::Borrowed(raw.get()));
    match written.trim().parse::<i64>() {
        Ok(seconds @ 0..=100_000_000_000) => Ok(seconds),
        Ok(milliseconds @ 0..=100_000_000_000_000) => Ok(milliseconds / 1000),
        _ => Err("`timestamp` is not a time in whole seconds".to_owned()),
    }
}

/// Whether the text nests deeper than any reader further on can bear.
pub(super) fn is_too_deep(text: &str) -> bool {
    let opening = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    opening > MAX_DEPTH && depth(text) > MAX_DEPTH
}

fn depth(text: &str) -> usize {
    let (mut deepest, mut depth, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// All entries of an object in their order; `None` when the text is no object.
pub(in crate::whatsapp) fn entries(text: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::Deserializer::from_str(text).deserialize_map(Entries).ok()
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
