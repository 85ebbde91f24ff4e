//! The OpenAPI document of the Service API.

use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        path::{Operation, Parameter, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::common::{add, is_open};
use crate::service;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "chatledger Service API",
        description = "The inbox as shops' services use it: accounts, conversations, customers, analytics.",
        version = "1",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/")),
    security(("bearer" = [])),
    modifiers(&Common),
    paths(
        service::token::create,
        service::accounts::connect,
        service::accounts::show,
        service::accounts::disconnect,
        service::conversations::list,
        service::conversations::get,
        service::conversations::assign,
        service::conversations::close,
        service::send::send,
        service::customers::list,
        service::customers::get,
        service::customer_tags::put,
        service::opt_in::put,
        service::analytics::messages,
        service::analytics::conversations,
    )
)]
pub(super) struct Service;

/// Adds what the handlers do not repeat.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let bearer = bearer.description(Some("A JSON Web Token: `sub`, `exp`, `shops`, `role`.")).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for (path, item) in &mut document.paths.paths {
            let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            writes.into_iter().flatten().for_each(|operation| {
                conflict(operation);
                errors(operation, path.contains('{'));
            });
            item.get.iter_mut().for_each(|operation| errors(operation, path.contains('{')));
        }
    }
}

fn body(text: &str, details: Value) -> Value {
    json!({"success": false, "data": null, "error": text, "pagination": null, "details": details})
}

/// What is recorded may find others recording the same; a log-in records nothing.
fn conflict(operation: &mut Operation) {
    if !is_open(operation) {
        let details = json!({"code": "CONFLICT"});
        let text = "Somebody else is changing the same; try again";
        add(operation, 409, "A duplicate, or too many concurrent changes.", body(text, details));
    }
}

fn errors(operation: &mut Operation, names_one: bool) {
    let is_asked = |parameter: &Parameter| parameter.parameter_in == ParameterIn::Query;
    let takes_query = operation.parameters.iter().flatten().any(is_asked);
    let takes_body = operation.request_body.is_some();
    if takes_body {
        let example = body("The body is not a JSON object", json!({"code": "INVALID_JSON"}));
        add(operation, 400, "What was sent cannot be read.", example);
    } else if takes_query {
        let details = json!({"field": "shopId", "code": "MISSING_PARAMETER"});
        let example = body("The query parameter shopId is required", details);
        add(operation, 400, "A query parameter is missing, cannot be read or is out of range.", example);
    }
    if !is_open(operation) {
        add(operation, 401, "No or a bad token.", body("Unauthorized", json!({"code": "INVALID_TOKEN"})));
    }
    if names_one || takes_query {
        add(operation, 404, "Not there, or not the caller's.", body("Not found", json!({"code": "NOT_FOUND"})));
    }
    if takes_body {
        let details = json!({"field": "phoneNumberId", "code": "REQUIRED_FIELD"});
        let text = "Validation failed: phoneNumberId is required";
        add(operation, 422, "A field does not fit, or a rule forbids it.", body(text, details));
        let details = json!({"code": "PAYLOAD_TOO_LARGE"});
        add(operation, 413, "Longer than 1 MiB.", body("The request is too large", details));
        let details = json!({"code": "UNSUPPORTED_MEDIA_TYPE"});
        add(operation, 415, "The body is not JSON.", body("The body must be JSON", details));
    }
    let details = json!({"code": "RATE_LIMIT_EXCEEDED", "retryAfter": 12});
    add(
        operation,
        429,
        "Too many requests; `Retry-After` tells how long to wait.",
        body("Rate limit exceeded", details),
    );
    let text = "The service is temporarily unavailable";
    add(operation, 503, "The database or WhatsApp cannot be reached.", body(text, json!({"code": "UNAVAILABLE"})));
}
