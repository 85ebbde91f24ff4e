//! The text that people see in a message, for searching (R-MSG-3).

use chatledger_domain::RawJson;
use serde_json::Value;

use crate::text::{lenient_tree, lower};

/// Text body, captions, file name, parameters of a template, titles of buttons and lists, place, shared contacts, and
/// what the customer reads of a template; in lower case, a line each.
pub(crate) fn search_text(kind: &str, message: &RawJson, rendered: Option<&str>) -> String {
    let tree = lenient_tree(message);
    let content = &tree[kind];
    let mut found = Vec::new();
    for path in ["/body", "/text", "/caption", "/filename", "/name", "/address", "/header/text", "/body/text"] {
        // A template's own name is not seen by people; its language neither.
        if !(kind == "template" && path == "/name") {
            keep(content.pointer(path), &mut found);
        }
    }
    for path in
        ["/footer/text", "/button_reply/title", "/list_reply/title", "/list_reply/description", "/action/button"]
    {
        keep(content.pointer(path), &mut found);
    }
    for button in list(content.pointer("/action/buttons")) {
        keep(button.pointer("/reply/title"), &mut found);
    }
    for section in list(content.pointer("/action/sections")) {
        keep(section.get("title"), &mut found);
        for row in list(section.get("rows")) {
            keep(row.get("title"), &mut found);
        }
    }
    for component in list(content.get("components")) {
        for parameter in list(component.get("parameters")) {
            keep(parameter.get("text"), &mut found);
        }
    }
    for contact in list(Some(content)) {
        keep(contact.pointer("/name/formatted_name"), &mut found);
    }
    found.extend(rendered);
    lower(&found.join("\n"))
}

fn keep<'a>(value: Option<&'a Value>, found: &mut Vec<&'a str>) {
    found.extend(value.and_then(Value::as_str).filter(|text| !text.is_empty()));
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::search_text;
    use chatledger_domain::RawJson;

    #[test]
    fn r_msg_3_what_people_see_is_found() {
        for (kind, json, expected) in [
            ("text", r#"{"type":"text","text":{"body":"Olá ÁGUA\u0000!"}}"#, "olá água!"),
            ("image", r#"{"image":{"id":"7","caption":"Receipt"}}"#, "receipt"),
            ("document", r#"{"document":{"filename":"A.pdf","caption":"b"}}"#, "b\na.pdf"),
            ("button", r#"{"button":{"text":"Yes","payload":"x"}}"#, "yes"),
            ("interactive", r#"{"interactive":{"type":"list_reply","list_reply":{"id":"1","title":"Tea"}}}"#, "tea"),
            (
                "interactive",
                r#"{"interactive":{"body":{"text":"Pick"},"action":{"button":"Open","sections":[{"title":"S","rows":[{"title":"R"}]}]}}}"#,
                "pick\nopen\ns\nr",
            ),
            ("location", r#"{"location":{"latitude":1,"name":"Café","address":"Rua 1"}}"#, "café\nrua 1"),
            ("contacts", r#"{"contacts":[{"name":{"formatted_name":"Ana B"}}]}"#, "ana b"),
            (
                "template",
                r#"{"template":{"name":"n","components":[{"type":"body","parameters":[{"type":"text","text":"Rui"}]}]}}"#,
                "rui",
            ),
            ("text", r#"{"text":{"body":"lone \ud83d rest"}}"#, "lone \u{fffd} rest"),
            ("unknown", "{}", ""),
        ] {
            let raw = RawJson::parse(json.to_owned()).expect("JSON");
            assert_eq!(search_text(kind, &raw, None), expected, "{json}");
        }
    }

    #[test]
    fn r_msg_3_a_template_is_found_by_what_the_customer_reads() {
        let raw = RawJson::parse(r#"{"template":{"name":"n"}}"#.to_owned()).expect("JSON");
        assert_eq!(search_text("template", &raw, Some("Your order\nBYE")), "your order\nbye");
    }
}
