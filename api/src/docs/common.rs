//! What every operation of the document has: credentials and errors.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::{
    Modify,
    openapi::{
        ContentBuilder, OpenApi, RefOr, Required, ResponseBuilder, Schema,
        path::{Operation, ParameterIn},
        schema::{AnyOfBuilder, ObjectBuilder, SchemaType, Type},
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

use crate::family::Family;

/// Adds what the handlers do not repeat.
pub(super) struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let header = ApiKeyValue::with_description("Authorization", "`Token ` and the user's token.");
        components.add_security_scheme("token", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let header = ApiKeyValue::with_description("D360-Api-Key", "The provider's key of the inbox's number.");
        components.add_security_scheme("provider", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let text = "A browser's session, from `/login/`; what is not a GET needs `X-CSRFToken` as well.";
        let cookie = ApiKeyValue::with_description("sessionid", text);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        for (path, item) in &mut document.paths.paths {
            item.patch.iter_mut().for_each(|operation| optional_fields(operation, &components.schemas));
            let is_service = Family::of(path) == Family::Service;
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                query_parameters(operation);
                if is_service {
                    service_errors(operation);
                } else if path.starts_with("/api/v1/") {
                    let is_list = operation.parameters.iter().flatten().any(|parameter| parameter.name == "limit");
                    // What a list is cut down to need not be there; what it is a part of must.
                    let is_filter = is_list && path.ends_with("}/");
                    integration_errors(operation, path.contains('{') && !is_filter);
                }
            }
        }
    }
}

/// What a query takes besides what its type says: nothing at all counts as absent, `limit` and `offset` are corrected
/// (R-PAG-1), booleans have several spellings (R-FIL-3).
fn query_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if parameter.parameter_in != ParameterIn::Query {
            continue;
        }
        let Some(RefOr::T(Schema::Object(told))) = parameter.schema.take() else { continue };
        let is = |kind: Type| match &told.schema_type {
            SchemaType::Type(one) => *one == kind,
            SchemaType::Array(several) => several.contains(&kind),
            SchemaType::AnyValue => false,
        };
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let besides = match parameter.name.as_str() {
            "limit" | "offset" => text(),
            _ if is(Type::Boolean) => text().enum_values(Some(["", "True", "False", "1", "0"])),
            _ => text().max_length(Some(0)),
        };
        let is_text = is(Type::String);
        let told = Schema::Object(told);
        parameter.schema = Some(RefOr::T(if is_text {
            told
        } else {
            Schema::AnyOf(AnyOfBuilder::new().item(told).item(besides.build()).build())
        }));
    }
}

/// A change takes any part of what it may change, and a change of nothing is no change: no field is required, nor is a
/// body. What it shares with the creation of the same thing is told again here, without its required fields.
fn optional_fields(operation: &mut Operation, schemas: &BTreeMap<String, RefOr<Schema>>) {
    let Some(body) = &mut operation.request_body else { return };
    body.required = Some(Required::False);
    for content in body.content.values_mut() {
        let Some(RefOr::Ref(reference)) = &content.schema else { continue };
        let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
        if let Some(RefOr::T(Schema::Object(fields))) = schemas.get(name)
            && !fields.required.is_empty()
        {
            let mut fields = fields.clone();
            fields.required.clear();
            content.schema = Some(RefOr::T(Schema::Object(fields)));
        }
    }
}

fn integration_errors(operation: &mut Operation, names_one: bool) {
    let detail = |text: &str| json!({"detail": text});
    let is_open = is_open(operation);
    let takes_input = operation.request_body.is_some() || operation.parameters.is_some();
    if takes_input {
        let body = json!({"name": ["This field is required."], "reason": "name: This field is required."});
        add(operation, 400, "What was sent does not fit; `reason` sums it up.", body);
    }
    if !is_open {
        let body = detail("Authentication credentials were not provided.");
        add(operation, 403, "No or a bad credential, or not allowed.", body);
    }
    if names_one {
        add(operation, 404, "Not there, or not readable.", detail("Not found."));
    }
    if operation.request_body.is_some() {
        let body = json!({"reason": "The file is too large.", "detail": "The request is too large."});
        add(operation, 413, "The body is too large.", body);
        let body = detail("Unsupported media type \"text/csv\" in request.");
        add(operation, 415, "The body is neither JSON nor a form.", body);
    }
    let body = detail("Request was throttled. Expected available in 12 seconds.");
    add(operation, 429, "Too many requests; `Retry-After` tells how long to wait.", body);
    let text = "The service is temporarily unavailable. Please try again.";
    add(operation, 503, "The database cannot be reached.", json!({"reason": text, "detail": text}));
}

/// Whether an operation needs no credential.
pub(super) fn is_open(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|security| {
        security.iter().any(|requirement| serde_json::to_value(requirement).is_ok_and(|value| value == json!({})))
    })
}

fn service_errors(operation: &mut Operation) {
    let body = |text: &str, code: &str| json!({"success": false, "data": null, "error": text, "pagination": null, "details": {"code": code}});
    if operation.request_body.is_some() {
        add(operation, 400, "Not a JSON object.", body("The body is not a WhatsApp call", "INVALID_BODY"));
        add(operation, 413, "Longer than 4 MiB.", body("The request is too large.", "PAYLOAD_TOO_LARGE"));
    }
    let text = "The service is temporarily unavailable.";
    add(operation, 503, "Not recorded; try again.", body(text, "UNAVAILABLE"));
}

/// Adds a response unless the handler describes it itself.
pub(super) fn add(operation: &mut Operation, status: u16, description: &str, example: serde_json::Value) {
    let schema = RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::Object).build()));
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    let response = ResponseBuilder::new().description(description).content("application/json", content).build();
    operation.responses.responses.entry(status.to_string()).or_insert(RefOr::T(response));
}
