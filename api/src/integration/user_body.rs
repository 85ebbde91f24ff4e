//! What bodies say of users and groups: names, role, groups, permissions. Nested objects may be JSON text (R-GEN-4).

use std::collections::BTreeSet;

use chatledger_domain::{GroupId, PermissionsWish, Role, Scope, email::is_email, permission::Wish};
use serde_json::Value;

use crate::extract::{Fields, Valid, text};

/// The longest username, first or last name, group name, in characters.
pub(super) const MAX_NAME: usize = 150;
const MAX_EMAIL: usize = 254;

const USERNAME: &str = "This value does not match the required pattern.";
const EMAIL: &str = "Enter a valid email address.";

/// Letters and digits of ASCII.
pub(super) fn username(fields: &mut Fields) -> Valid<String> {
    let name = fields.text("username", MAX_NAME)?;
    if name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Some(name);
    }
    fields.refuse("username", USERNAME);
    None
}

/// An address, or nothing.
pub(super) fn email(fields: &mut Fields) -> Valid<Option<String>> {
    let email = fields.blank_text("email", MAX_EMAIL)?;
    if email.as_ref().is_none_or(|email| email.is_empty() || is_email(email)) {
        return Some(email);
    }
    fields.refuse("email", EMAIL);
    None
}

/// `profile.role`; what else is in a profile is not set here.
pub(super) fn role(fields: &mut Fields) -> Valid<Option<Role>> {
    let Some(profile) = object(fields, "profile")? else { return Some(None) };
    let Some(given) = profile.get("role") else { return Some(None) };
    choice(fields, "profile.role", given, |name| Role::ALL.into_iter().find(|role| role.as_str() == name)).map(Some)
}

/// `groups`, a list of objects of which the `id` counts.
pub(super) fn groups(fields: &mut Fields) -> Valid<Option<BTreeSet<GroupId>>> {
    if !fields.has("groups") {
        return Some(None);
    }
    let (_, given) = fields.json("groups")?;
    let Value::Array(items) = given else {
        fields.refuse("groups", text::not_a_list(&given));
        return None;
    };
    let ids: Option<BTreeSet<GroupId>> = items.iter().map(|item| group_id(fields, item)).collect();
    ids.map(Some)
}

/// The `id` of an object in `groups`.
pub(super) fn group_id(fields: &mut Fields, item: &Value) -> Valid<GroupId> {
    let wrong = match item {
        Value::Object(group) => match group.get("id") {
            Some(Value::Number(id)) if id.is_i64() => return id.as_i64().map(GroupId),
            Some(Value::String(id)) if id.parse::<i64>().is_ok() => return id.parse().ok().map(GroupId),
            Some(Value::Number(id)) if !id.is_f64() => format!("Invalid pk \"{id}\" - object does not exist."),
            Some(other) => format!("Incorrect type. Expected pk value, received {}.", text::type_name(other)),
            None => text::REQUIRED.to_owned(),
        },
        other => text::not_an_object(other),
    };
    fields.refuse("groups", wrong);
    None
}

/// `permissions`: any of the three; `null` leaves one to the groups.
pub(super) fn permissions(fields: &mut Fields) -> Valid<PermissionsWish> {
    let Some(given) = object(fields, "permissions")? else { return Some(PermissionsWish::default()) };
    permissions_in(fields, "permissions", &given)
}

/// The same of an object inside a list, whose errors stand at `path`.
pub(super) fn permissions_in(fields: &mut Fields, path: &str, given: &Value) -> Valid<PermissionsWish> {
    let scope =
        |name: &str| [Scope::All, Scope::Group, Scope::User, Scope::None].into_iter().find(|s| s.as_str() == name);
    let tags = part(fields, path, given, "can_use_tags", |fields, path, value| match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "true" || text == "false" => Some(text == "true"),
        _ => {
            fields.refuse(path, text::BOOLEAN);
            None
        }
    });
    let read = part(fields, path, given, "can_read_chats", |fields, path, value| choice(fields, path, value, scope));
    let write =
        part(fields, path, given, "can_write_to_chats", |fields, path, value| choice(fields, path, value, scope));
    Some(PermissionsWish { can_use_tags: tags?, can_read_chats: read?, can_write_to_chats: write? })
}

fn part<T>(
    fields: &mut Fields,
    path: &str,
    given: &Value,
    name: &str,
    read: impl FnOnce(&mut Fields, &str, &Value) -> Valid<T>,
) -> Valid<Wish<T>> {
    match given.get(name) {
        None => Some(Wish::Unchanged),
        Some(Value::Null) => Some(Wish::Inherit),
        Some(value) => read(fields, &format!("{path}.{name}"), value).map(Wish::Set),
    }
}

/// An object that may be absent, but not `null`.
fn object(fields: &mut Fields, name: &str) -> Valid<Option<Value>> {
    if !fields.has(name) {
        return Some(None);
    }
    let (_, value) = fields.json(name)?;
    if value.is_object() {
        return Some(Some(value));
    }
    fields.refuse(name, text::not_an_object(&value));
    None
}

fn choice<T>(fields: &mut Fields, path: &str, given: &Value, find: impl Fn(&str) -> Option<T>) -> Valid<T> {
    let found = given.as_str().and_then(find);
    if found.is_none() {
        let wrong = match given {
            Value::Null => text::NULL.to_owned(),
            Value::String(text) => format!("\"{text}\" is not a valid choice."),
            other => format!("\"{other}\" is not a valid choice."),
        };
        fields.refuse(path, wrong);
    }
    found
}
