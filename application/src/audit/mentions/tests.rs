//! No id of a payload is overlooked, whatever events come.

use std::collections::BTreeSet;

use chatledger_domain::AnyEvent;
use serde_json::Value;

use super::*;

#[test]
fn users_groups_and_tags_are_found_wherever_they_stand() {
    let found = Mentions::of(
        r#"{"done_by":1,"user_set":2,"user_cleared":false,"group_set":3,"tag":{"id":4,"name":"VIP"},"to":[5,6],
            "tagged_with":7,"target":{"group":{"id":8,"method":"round_robin"}},"text":"\ud800 \u0000"}"#,
    );
    assert_eq!(found.done_by, Some(UserId(1)));
    assert_eq!(found.users, [1, 2, 5, 6].map(UserId).into());
    assert_eq!(found.groups, [3, 8].map(GroupId).into());
    assert_eq!(found.tags, [4, 7].map(TagId).into());
    assert_eq!(Mentions::of("not JSON"), Mentions::default());
}

/// The kinds of ids for which a schema has a place.
fn places(schema: &Value, found: &mut BTreeSet<&'static str>) {
    match schema {
        Value::Object(fields) => {
            for kind in ["UserId", "GroupId", "TagId"] {
                let is_one = |value: &Value| value.as_str().is_some_and(|text| text.ends_with(&format!("/{kind}")));
                if fields.get("$ref").is_some_and(is_one) {
                    found.insert(kind);
                }
            }
            fields.values().for_each(|value| places(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| places(item, found)),
        _ => {}
    }
}

#[test]
fn every_event_whose_schema_has_a_place_for_an_id_is_listed_and_no_other() {
    for (aggregate, name, _, schema) in AnyEvent::schemas() {
        let mut found = BTreeSet::new();
        places(schema.as_value(), &mut found);
        let kinds = [("UserId", NameKind::User), ("GroupId", NameKind::Group), ("TagId", NameKind::Tag)];
        for (id, kind) in kinds {
            assert_eq!(events_naming(kind).contains(&name), found.contains(id), "{aggregate}.{name}: {id}");
        }
    }
}

#[test]
fn every_field_that_holds_an_id_is_read() {
    let known = [
        "done_by",
        "sender",
        "user",
        "user_set",
        "to",
        "group_set",
        "groups",
        "tag",
        "tags",
        "tagged_with",
        "target",
        "origin",
    ];
    for (aggregate, name, _, schema) in AnyEvent::schemas() {
        let fields = schema.as_value()["properties"].as_object().cloned().unwrap_or_default();
        for (field, of_field) in &fields {
            let mut found = BTreeSet::new();
            places(of_field, &mut found);
            // What a field refers to may hold ids in turn.
            let text = of_field.to_string();
            for inner in ["TagAsItWas", "Target", "MediaOrigin"].iter().filter(|inner| text.contains(*inner)) {
                found.insert(inner);
            }
            assert!(found.is_empty() || known.contains(&field.as_str()), "{aggregate}.{name}.{field} is not read");
        }
    }
}
