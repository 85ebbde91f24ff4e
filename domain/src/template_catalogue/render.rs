//! The text that a customer reads when a template is sent.

use serde_json::Value;

/// Header, body, footer and buttons of a template (`components` as WhatsApp lists them) with the parameters of a
/// message (`template` as it is sent) in their places, a line each; `None` when there is no text.
#[must_use]
pub fn rendered(components: &Value, template: &Value) -> Option<String> {
    let mut lines = Vec::new();
    for component in list(Some(components)) {
        let kind = component["type"].as_str().unwrap_or_default().to_lowercase();
        let parameters = parameters_of(template, &kind);
        if let Some(text) = component["text"].as_str() {
            lines.push(filled(text, &parameters));
        }
        lines.extend(list(component.get("buttons")).filter_map(|button| button["text"].as_str()).map(str::to_owned));
    }
    lines.retain(|line| !line.is_empty());
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A parameter: its name, where it has one, and its text.
type Parameter<'a> = (Option<&'a str>, &'a str);

fn parameters_of<'a>(template: &'a Value, kind: &str) -> Vec<Parameter<'a>> {
    let of_kind = |component: &&Value| component["type"].as_str().is_some_and(|k| k.eq_ignore_ascii_case(kind));
    let components = list(template.get("components")).filter(of_kind);
    components.flat_map(|component| list(component.get("parameters"))).map(parameter).collect()
}

fn parameter(parameter: &Value) -> Parameter<'_> {
    let text = ["/text", "/currency/fallback_value", "/date_time/fallback_value"]
        .into_iter()
        .find_map(|path| parameter.pointer(path)?.as_str());
    (parameter["parameter_name"].as_str(), text.unwrap_or_default())
}

/// The text with `{{1}}` or `{{name}}` replaced; a placeholder without its parameter stays.
fn filled(text: &str, parameters: &[Parameter<'_>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((place, after)) = after.split_once("}}") else {
            rest = &rest[before.len()..];
            break;
        };
        let place = place.trim();
        let number = place.parse::<usize>().ok().and_then(|number| parameters.get(number.checked_sub(1)?));
        match number.or_else(|| parameters.iter().find(|(name, _)| *name == Some(place))) {
            Some((_, value)) => out.push_str(value),
            None => out.extend(["{{", place, "}}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
