//! What is said in a message, between the contract's form and WhatsApp's (service-api §4).

use chatledger_domain::{
    RawJson, WaId,
    chat::content::{self as rules, Violation},
};
use chatledger_projections::views::MessageView;
use serde_json::{Map, Value, json};

use super::{body::JsonFields, error::ServiceError};
use crate::integration::wire::{Links, payload::Payload};

const MAX_TEXT: usize = 4_096;
const MAX_CAPTION: usize = 1_024;
const MAX_BODY: usize = 1_024;
const MAX_TITLE: usize = 20;
const MAX_BUTTONS: usize = 3;
const MAX_SECTIONS: usize = 10;
const MAX_ROWS: usize = 10;
const MAX_ID: usize = 256;
const MAX_NAME: usize = 512;
const MAX_URL: usize = 2_048;

/// A message to be sent: its type and what WhatsApp is asked to send.
pub(super) struct Content {
    pub kind: &'static str,
    pub message: RawJson,
}

/// Reads `content`.
pub(super) fn read(fields: &JsonFields, wa_id: &WaId) -> Result<Content, ServiceError> {
    let content = fields.object("content")?;
    let named = content.text("type", MAX_ID)?;
    let (kind, object) = match named.as_str() {
        "text" => ("text", json!({"body": content.words("text", MAX_TEXT)?})),
        "image" => ("image", media(&content, true, false)?),
        "video" => ("video", media(&content, true, false)?),
        "audio" => ("audio", media(&content, false, false)?),
        "sticker" => ("sticker", media(&content, false, false)?),
        "document" => ("document", media(&content, true, true)?),
        "interactive" => ("interactive", interactive(&content.object("interactive")?)?),
        "template" => ("template", template(&content.object("template")?)?),
        "location" => ("location", location(&content)?),
        _ => return Err(ServiceError::invalid_value("content.type", "a type that can be sent")),
    };
    // What WhatsApp's form asks for beyond this one's.
    if let Some((path, violation)) = rules::problems(kind, &object).into_iter().next() {
        return Err(refusal(&format!("content.{path}"), &violation));
    }
    Ok(Content { kind, message: rules::message(wa_id, kind, &RawJson::from(&object)) })
}

/// R-SVC-5: another JSON type is another kind of wrong.
fn refusal(path: &str, violation: &Violation) -> ServiceError {
    match violation {
        Violation::NotText => ServiceError::invalid_type(path, "a text"),
        Violation::NotAnObject => ServiceError::invalid_type(path, "an object"),
        Violation::NotAList => ServiceError::invalid_type(path, "a list"),
        Violation::NotABoolean => ServiceError::invalid_type(path, "true or false"),
        _ => ServiceError::invalid_value(path, "as WhatsApp takes it"),
    }
}

fn media(content: &JsonFields, captioned: bool, named: bool) -> Result<Value, ServiceError> {
    let link = content.text("url", MAX_URL)?;
    let is_https = url::Url::parse(&link).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    if !is_https {
        return Err(ServiceError::invalid_value("content.url", "an https address"));
    }
    let mut object = Map::from_iter([("link".to_owned(), link.into())]);
    if captioned && let Some(caption) = content.optional_words("caption", MAX_CAPTION)? {
        object.insert("caption".to_owned(), caption.into());
    }
    if named && let Some(filename) = content.optional_words("filename", 240)? {
        object.insert("filename".to_owned(), filename.into());
    }
    Ok(object.into())
}

/// Buttons have an id and a title here, and a reply around them at WhatsApp.
fn interactive(given: &JsonFields) -> Result<Value, ServiceError> {
    let kind = given.text("type", MAX_ID)?;
    let text = given.object("body")?.words("text", MAX_BODY)?;
    let action = given.object("action")?;
    let action = match kind.as_str() {
        "button" => buttons(&action)?,
        "list" => json!({"button": action.words("button", MAX_TITLE)?, "sections": sections(&action)?}),
        _ => return Err(ServiceError::invalid_value(&given.name("type"), "button or list")),
    };
    let mut object = json!({"type": kind, "body": {"text": text}, "action": action});
    for (part, needed) in [("header", "type"), ("footer", "text")] {
        if given.value(part).is_some() {
            let fields = given.object(part)?;
            fields.words(needed, MAX_BODY)?;
            fields.optional_words("text", MAX_BODY)?;
            object[part] = fields.into_value();
        }
    }
    Ok(object)
}

fn buttons(action: &JsonFields) -> Result<Value, ServiceError> {
    let mut buttons = Vec::new();
    for button in action.objects("buttons", MAX_BUTTONS)? {
        let (id, title) = (button.words("id", MAX_ID)?, button.words("title", MAX_TITLE)?);
        buttons.push(json!({"type": "reply", "reply": {"id": id, "title": title}}));
    }
    Ok(json!({"buttons": buttons}))
}

/// The sections of a list are WhatsApp's own form, and sent as they are.
fn sections(action: &JsonFields) -> Result<Vec<Value>, ServiceError> {
    let sections = action.objects("sections", MAX_SECTIONS)?;
    for section in &sections {
        section.optional_words("title", MAX_ID)?;
        for row in section.objects("rows", MAX_ROWS)? {
            row.words("id", MAX_ID)?;
            row.words("title", MAX_ID)?;
            row.optional_words("description", MAX_ID)?;
        }
    }
    Ok(sections.into_iter().map(JsonFields::into_value).collect())
}

/// The language is its code here, and an object at WhatsApp, which is taken as well.
fn template(given: &JsonFields) -> Result<Value, ServiceError> {
    let name = given.text("name", MAX_NAME)?;
    let code = match given.value("language") {
        Some(Value::Object(_)) => given.object("language")?.text("code", MAX_ID)?,
        _ => given.text("language", MAX_ID)?,
    };
    let mut object = json!({"name": name, "language": {"code": code}});
    if let Some(components) = given.optional_list("components")? {
        for (index, component) in components.iter().enumerate() {
            JsonFields::at(format!("{}.{index}", given.name("components")), component)?;
        }
        object["components"] = components.clone().into();
    }
    Ok(object)
}

fn location(content: &JsonFields) -> Result<Value, ServiceError> {
    let mut object = Map::new();
    for (field, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let number = content.optional_number(field)?.ok_or_else(|| ServiceError::required(&content.name(field)))?;
        if number.abs() > most {
            return Err(ServiceError::invalid_value(&content.name(field), "a place on earth"));
        }
        object.insert(field.to_owned(), number.into());
    }
    for field in ["name", "address"] {
        if let Some(text) = content.optional_words(field, MAX_BODY)? {
            object.insert(field.to_owned(), text.into());
        }
    }
    Ok(object.into())
}

/// What a message says, in the contract's form. Media have a `url` that needs no credential for a day; types that the
/// contract does not name show WhatsApp's object under their own name.
pub(super) fn shown(view: &MessageView, links: &Links<'_>) -> Value {
    let payload = serde_json::to_value(Payload::new(view, links)).unwrap_or_default();
    let (kind, object) = (view.kind.as_str(), &payload[view.kind.as_str()]);
    let mut shown = json!({"type": kind});
    let mut show = |name: &str, value: &Value| {
        if !value.is_null() {
            shown[name] = value.clone();
        }
    };
    match kind {
        "text" => show("text", &object["body"]),
        "image" | "video" | "audio" | "voice" | "document" | "sticker" => {
            for (name, of) in [("url", "link"), ("caption", "caption"), ("filename", "filename")] {
                show(name, &object[of]);
            }
            show("mimeType", &object["mime_type"]);
        }
        "location" => ["latitude", "longitude", "name", "address"].iter().for_each(|name| show(name, &object[*name])),
        // An object of the name of the key would be shown in the place of the type.
        "type" => {}
        _ => show(kind, object),
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(content: Value) -> Value {
        let fields = JsonFields::at(String::new(), &json!({"content": content})).unwrap();
        match read(&fields, &WaId::parse("351912000111").unwrap()) {
            Ok(content) => content.message.tree()[content.kind].clone(),
            Err(error) => Value::from(error.to_string()),
        }
    }

    #[test]
    fn r_cnv_7_buttons_become_reply_buttons() {
        let buttons = json!([{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]);
        let content = json!({"type": "interactive", "interactive": {"type": "button",
            "body": {"text": "Choose an option:"}, "action": {"buttons": buttons}}});
        let reply = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
        let action = json!({"buttons": [reply("yes", "Yes"), reply("no", "No")]});
        assert_eq!(sent(content), json!({"type": "button", "body": {"text": "Choose an option:"}, "action": action}));
    }

    #[test]
    fn every_type_of_the_contract_can_be_sent() {
        assert_eq!(sent(json!({"type": "text", "text": "hi"})), json!({"body": "hi"}));
        let image = json!({"type": "image", "url": "https://example.com/p.jpg", "caption": "c", "filename": "x"});
        assert_eq!(sent(image), json!({"link": "https://example.com/p.jpg", "caption": "c"}));
        let template = json!({"type": "template", "template": {"name": "hello", "language": "en"}});
        assert_eq!(sent(template), json!({"name": "hello", "language": {"code": "en"}}));
        let location = json!({"type": "location", "latitude": 38.7, "longitude": -9.1, "name": "Lisboa"});
        assert_eq!(sent(location), json!({"latitude": 38.7, "longitude": -9.1, "name": "Lisboa"}));
        let list = json!({"type": "interactive", "interactive": {"type": "list", "body": {"text": "t"},
            "action": {"button": "Open", "sections": [{"title": "s", "rows": [{"id": "1", "title": "One"}]}]}}});
        assert_eq!(sent(list)["action"]["button"], "Open");
    }

    #[test]
    fn r_cnv_10_what_people_read_is_sent_as_it_was_written() {
        assert_eq!(sent(json!({"type": "text", "text": " hi\n"})), json!({"body": " hi\n"}));
        let image = json!({"type": "image", "url": " https://example.com/p.jpg ", "caption": "  c "});
        assert_eq!(sent(image), json!({"link": "https://example.com/p.jpg", "caption": "  c "}));
        let blank = json!({"type": "image", "url": "https://example.com/p.jpg", "caption": "  "});
        assert_eq!(sent(blank), json!({"link": "https://example.com/p.jpg"}));
        let content = json!({"type": "interactive", "interactive": {"type": "button", "body": {"text": " t "},
            "action": {"buttons": [{"id": " a ", "title": " A "}]}}});
        let buttons = json!([{"type": "reply", "reply": {"id": " a ", "title": " A "}}]);
        let wanted = json!({"type": "button", "body": {"text": " t "}, "action": {"buttons": buttons}});
        assert_eq!(sent(content), wanted);
    }

    #[test]
    fn r_svc_5_another_json_type_is_told_as_that() {
        let interactive = |kind: &str, action: Value| json!({"type": "interactive", "interactive": {"type": kind, "body": {"text": "t"}, "action": action}});
        let list = |sections: Value| interactive("list", json!({"button": "Open", "sections": sections}));
        let mut headed = list(json!([{"rows": [{"id": "1", "title": "One"}]}]));
        headed["interactive"]["header"] = json!({"type": 5});
        let template = |parts: Value| json!({"type": "template", "template": {"name": "x", "language": "en", "components": parts}});
        for (content, field) in [
            (list(json!("x")), "interactive.action.sections"),
            (list(json!(["x"])), "interactive.action.sections.0"),
            (list(json!([{"rows": {}}])), "interactive.action.sections.0.rows"),
            (list(json!([{"rows": ["x"]}])), "interactive.action.sections.0.rows.0"),
            (list(json!([{"rows": [{"id": 1, "title": "One"}]}])), "interactive.action.sections.0.rows.0.id"),
            (list(json!([{"rows": [{"id": "1", "title": []}]}])), "interactive.action.sections.0.rows.0.title"),
            (list(json!([{"title": 5, "rows": []}])), "interactive.action.sections.0.title"),
            (interactive("button", json!({"buttons": [5]})), "interactive.action.buttons.0"),
            (interactive("button", json!({"buttons": [{"id": 5}]})), "interactive.action.buttons.0.id"),
            (headed, "interactive.header.type"),
            (template(json!({})), "template.components"),
            (template(json!([5])), "template.components.0"),
        ] {
            let fields = JsonFields::at(String::new(), &json!({ "content": content })).unwrap();
            let error = read(&fields, &WaId::parse("351912000111").unwrap()).err().expect("a refusal");
            let told = serde_json::to_value(error.details()).unwrap();
            assert_eq!(told, json!({"field": format!("content.{field}"), "code": "INVALID_TYPE"}), "{content}");
        }
        let eleven = list(vec![json!({"rows": [{"id": "1", "title": "One"}]}); 11].into());
        assert_eq!(sent(eleven), "Validation failed: content.interactive.action.sections must be at most 10");
        let told = refusal("content.text.preview_url", &Violation::NotABoolean);
        assert_eq!(told.details().code, "INVALID_TYPE");
    }

    #[test]
    fn r_svc_5_what_is_missing_or_wrong_is_named() {
        for (content, named) in [
            (json!({}), "content.type is required"),
            (json!({"type": "text"}), "content.text is required"),
            (json!({"type": "text", "text": " "}), "content.text is required"),
            (json!({"type": "text", "text": 5}), "content.text must be a text"),
            (json!({"type": "text", "text": "x".repeat(4_097)}), "content.text must be at most 4096 characters"),
            (json!({"type": "reaction"}), "content.type must be a type that can be sent"),
            (json!({"type": "image", "url": "http://example.com/p"}), "content.url must be an https address"),
            (json!({"type": "location", "latitude": 91, "longitude": 0}), "content.latitude must be a place on earth"),
            (
                json!({"type": "interactive", "interactive": {"type": "button", "body": {"text": "t"}, "action": {}}}),
                "content.interactive.action.buttons is required",
            ),
            (json!({"type": "template", "template": {"name": "x"}}), "content.template.language is required"),
        ] {
            let told = sent(content.clone());
            assert_eq!(told, format!("Validation failed: {named}"), "{content}");
        }
    }
}
