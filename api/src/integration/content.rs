//! Reads the type and the object of a message to be sent (integration §G).

use chatledger_domain::{
    RawJson,
    chat::content::{TYPES, Violation, problems},
};
use serde_json::Value;

use crate::extract::{Fields, Valid, text};

/// The type: named, or told by the one object that is there (R-MSG-7, R-MSG-13).
pub(super) fn kind(fields: &mut Fields) -> Valid<&'static str> {
    if !fields.has("type") {
        let mut given = TYPES.iter().copied().filter(|kind| fields.has(kind));
        return match (given.next(), given.next()) {
            (Some(kind), None) => Some(kind),
            _ => {
                fields.refuse("type", text::REQUIRED);
                None
            }
        };
    }
    let named = fields.text("type", usize::MAX)?;
    let known = TYPES.iter().copied().find(|kind| *kind == named);
    if known.is_none() {
        fields.refuse("type", format!("\"{named}\" is not a valid choice."));
    }
    known
}

/// The object of the type.
pub(super) fn content(fields: &mut Fields, kind: &str) -> Valid<RawJson> {
    let (raw, value) = fields.json(kind)?;
    let problems = problems(kind, &value);
    for (path, violation) in &problems {
        fields.refuse(path, words(violation, found_at(&value, path)));
    }
    problems.is_empty().then_some(raw)
}

/// What is at a path such as `text.body`, whose first part is the type.
fn found_at<'a>(content: &'a Value, path: &str) -> &'a Value {
    path.split('.').skip(1).fold(content, |value, key| match key.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[key],
    })
}

fn words(violation: &Violation, found: &Value) -> String {
    match violation {
        Violation::Missing => text::REQUIRED.to_owned(),
        Violation::Blank => text::BLANK.to_owned(),
        Violation::NotText => text::STRING.to_owned(),
        Violation::NotAnObject => text::not_an_object(found),
        Violation::NotAList => text::not_a_list(found),
        Violation::NotABoolean => text::BOOLEAN.to_owned(),
        Violation::OutOfRange { least, most } => format!("A number between {least} and {most} is required."),
        Violation::TooLong(most) => text::too_long(*most),
        Violation::TooMany(most) => format!("Ensure this field has no more than {most} elements."),
        Violation::NotAChoice(value) => format!("\"{value}\" is not a valid choice."),
    }
}
