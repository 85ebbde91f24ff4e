//! What is said in a message, between the contract's form and WhatsApp's (service-api §4).

use chatledger_domain::{RawJson, WaId, chat::content as rules};
use chatledger_projections::views::MessageView;
use serde_json::{Map, Value, json};

use super::{body::JsonFields, error::ServiceError};
use crate::integration::wire::{Links, payload::Payload};

const MAX_TEXT: usize = 4_096;
const MAX_CAPTION: usize = 1_024;
const MAX_BODY: usize = 1_024;
const MAX_TITLE: usize = 20;
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
        "text" => ("text", json!({"body": content.text("text", MAX_TEXT)?})),
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
    if let Some((path, _)) = rules::problems(kind, &object).into_iter().next() {
        return Err(ServiceError::invalid_value(&format!("content.{path}"), "as WhatsApp takes it"));
    }
    Ok(Content { kind, message: rules::message(wa_id, kind, &RawJson::from(&object)) })
}

fn media(content: &JsonFields, captioned: bool, named: bool) -> Result<Value, ServiceError> {
    let link = content.text("url", MAX_URL)?;
    let is_https = url::Url::parse(&link).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    if !is_https {
        return Err(ServiceError::invalid_value("content.url", "an https address"));
    }
    let mut object = Map::from_iter([("link".to_owned(), link.into())]);
    if captioned && let Some(caption) = content.optional_text("caption", MAX_CAPTION)? {
        object.insert("caption".to_owned(), caption.into());
    }
    if named && let Some(filename) = content.optional_text("filename", 240)? {
        object.insert("filename".to_owned(), filename.into());
    }
    Ok(object.into())
}

/// Buttons have an id and a title here, and a reply around them at WhatsApp.
fn interactive(given: &JsonFields) -> Result<Value, ServiceError> {
    let kind = given.text("type", MAX_ID)?;
    let text = given.object("body")?.text("text", MAX_BODY)?;
    let action = given.object("action")?;
    let action = match kind.as_str() {
        "button" => buttons(&action)?,
        "list" => {
            let sections = action.optional_list("sections")?.filter(|sections| !sections.is_empty());
            let sections = sections.ok_or_else(|| ServiceError::required(&action.name("sections")))?;
            json!({"button": action.text("button", MAX_TITLE)?, "sections": sections})
        }
        _ => return Err(ServiceError::invalid_value(&given.name("type"), "button or list")),
    };
    let mut object = json!({"type": kind, "body": {"text": text}, "action": action});
    for part in ["header", "footer"] {
        if given.value(part).is_some() {
            object[part] = given.object(part)?.into_value();
        }
    }
    Ok(object)
}

fn buttons(action: &JsonFields) -> Result<Value, ServiceError> {
    let name = action.name("buttons");
    let given = action.optional_list("buttons")?.filter(|buttons| !buttons.is_empty());
    let given = given.ok_or_else(|| ServiceError::required(&name))?;
    if given.len() > 3 {
        return Err(ServiceError::invalid_value(&name, "at most 3 buttons"));
    }
    let mut buttons = Vec::with_capacity(given.len());
    for (index, button) in given.iter().enumerate() {
        let button = JsonFields::at(format!("{name}.{index}"), button)?;
        let (id, title) = (button.text("id", MAX_ID)?, button.text("title", MAX_TITLE)?);
        buttons.push(json!({"type": "reply", "reply": {"id": id, "title": title}}));
    }
    Ok(json!({"buttons": buttons}))
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
        if let Some(text) = content.optional_text(field, MAX_BODY)? {
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
