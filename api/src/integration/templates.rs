//! `/api/v1/templates/`: the message templates at WhatsApp (R-TPL-1).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use chatledger_application::{
    ApplicationError,
    ports::{refreshes::Subject, whatsapp_account::NewTemplate},
};
use chatledger_domain::{RawJson, template_catalogue};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{State, refresh::RefreshStatus, wire::Template};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Admin, Body, Caller, Fields, ListPage, Query, Valid, text},
    family::json_body,
    routes::{Endpoint, to},
};

/// The endpoints of this resource. A template cannot be edited: PUT and PATCH are 405 (R-TPL-1).
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/templates/", "list_templates", || to(list)),
    Endpoint::new("POST", "/api/v1/templates/", "create_template", || to(create)),
    Endpoint::new("DELETE", "/api/v1/templates/{name}/", "delete_template", || to(delete)),
    Endpoint::new("POST", "/api/v1/templates/refresh/issue/", "refresh_templates", || to(refresh)),
    Endpoint::new("GET", "/api/v1/templates/refresh/status/", "get_templates_refresh", || to(refresh_status)),
];

/// The longest name, in characters.
const MAX_NAME: usize = 512;
/// The longest language, in characters.
const MAX_LANGUAGE: usize = 20;
/// The most components.
const MAX_COMPONENTS: usize = 50;
/// What clients are told when WhatsApp cannot be asked about templates.
const NOT_AVAILABLE: &str = "Template management is not available.";

/// Those of 2021, and today's.
const CATEGORIES: &[&str] = &[
    "ACCOUNT_UPDATE",
    "PAYMENT_UPDATE",
    "PERSONAL_FINANCE_UPDATE",
    "SHIPPING_UPDATE",
    "RESERVATION_UPDATE",
    "ISSUE_RESOLUTION",
    "APPOINTMENT_UPDATE",
    "TRANSPORTATION_UPDATE",
    "TICKET_UPDATE",
    "ALERT_UPDATE",
    "AUTO_REPLY",
    "MARKETING",
    "UTILITY",
    "AUTHENTICATION",
];

/// A template to be submitted to WhatsApp.
#[derive(ToSchema)]
#[schema(example = json!({
    "name": "order_update", "category": "UTILITY", "language": "en_US",
    "components": [{"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way."}]
}))]
pub struct CreateTemplate {
    /// Lower-case letters, digits and `_`; at most 512.
    pub name: String,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`, or one of 2021's eleven, which today's WhatsApp calls `UTILITY`.
    pub category: String,
    /// The language, as WhatsApp names it.
    pub language: String,
    /// Header, body, footer and buttons, as WhatsApp documents them.
    #[schema(value_type = Vec<Object>)]
    pub components: Vec<()>,
}

/// The templates, by name and language. They are kept; WhatsApp is asked the first time, and now and then.
#[utoipa::path(get, path = "/api/v1/templates/", operation_id = "list_templates", tag = "Templates", params(PageParams),
    responses(
        (status = 200, description = "Templates.", body = ListPage<Template>),
        (status = 503, description = "WhatsApp cannot be asked, and no template is known.", body = Object,
            example = json!({"reason": "Template management is not available."}))))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let unasked = match state.application.look_once(caller.tenant, Subject::Templates).await {
        Ok(()) => false,
        Err(ApplicationError::Account(_) | ApplicationError::AccountNotConnected) => true,
        Err(error) => return Err(error.into()),
    };
    let page = state.inbox.templates(caller.tenant, part.request()).await?;
    if unasked && page.count == 0 {
        return Err(ApiError::Outside(StatusCode::SERVICE_UNAVAILABLE, NOT_AVAILABLE));
    }
    let templates = page.rows.iter().map(Template::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, templates)))
}

/// Submits a template; for admins. WhatsApp decides on it later.
#[utoipa::path(post, path = "/api/v1/templates/", operation_id = "create_template", tag = "Templates",
    request_body = CreateTemplate,
    responses((status = 201, description = "WhatsApp has it and will decide.", body = Template)))]
pub async fn create(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let new = read(body.read().await?)?;
    let made = state.application.create_template(&caller.context(), new).await.map_err(refused)?;
    let template_catalogue::Template {
        name, category, language, components, namespace, rejected_reason, status, ..
    } = &made;
    Ok(super::created(&Template { name, category, language, components, namespace, rejected_reason, status }))
}

/// Deletes a template in all its languages; for admins.
#[utoipa::path(delete, path = "/api/v1/templates/{name}/", operation_id = "delete_template", tag = "Templates",
    params(("name" = String, Path, description = "The template.")),
    responses((status = 204, description = "Deleted.")))]
pub async fn delete(Admin(caller): Admin, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    if !is_name(&path) || path.chars().count() > MAX_NAME {
        return Err(ApiError::NotFound);
    }
    state.application.delete_template(&caller.context(), &path).await.map_err(refused)?;
    Ok(super::no_content())
}

/// Has WhatsApp asked for the templates anew, unless that is under way.
#[utoipa::path(post, path = "/api/v1/templates/refresh/issue/", operation_id = "refresh_templates", tag = "Templates",
    responses((status = 202, description = "It is under way.", body = Object, example = json!({}))))]
pub async fn refresh(caller: Caller, state: State) -> Result<HttpResponse, ApiError> {
    state.application.issue_refresh(caller.tenant, Subject::Templates).await?;
    Ok(json_body(HttpResponse::Accepted(), &json!({})))
}

/// Whether WhatsApp is being asked for the templates.
#[utoipa::path(get, path = "/api/v1/templates/refresh/status/", operation_id = "get_templates_refresh",
    tag = "Templates", responses((status = 200, description = "Whether it is under way.", body = RefreshStatus)))]
pub async fn refresh_status(caller: Caller, state: State) -> Result<HttpResponse, ApiError> {
    let currently_refreshing = state.application.is_refreshing(caller.tenant, Subject::Templates).await?;
    Ok(super::ok(&RefreshStatus { currently_refreshing }))
}

fn read(mut fields: Fields) -> Result<NewTemplate, ApiError> {
    let name = fields.text("name", MAX_NAME);
    if name.as_deref().is_some_and(|name| !is_name(name)) {
        fields.refuse("name", "This value does not match the required pattern.");
    }
    let category = fields.text("category", usize::MAX);
    if let Some(category) = category.as_deref().filter(|category| !CATEGORIES.contains(category)) {
        fields.refuse("category", format!("\"{category}\" is not a valid choice."));
    }
    let language = fields.text("language", MAX_LANGUAGE);
    let components = components(&mut fields);
    let (name, category, language, components) = fields.finish((name, category, language, components))?;
    Ok(NewTemplate { name, category, language, components })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn components(fields: &mut Fields) -> Valid<RawJson> {
    let (raw, value) = fields.json("components")?;
    match &value {
        Value::Array(items) if items.is_empty() => fields.refuse("components", "This list may not be empty."),
        Value::Array(items) if items.len() > MAX_COMPONENTS => {
            fields.refuse("components", format!("Ensure this field has no more than {MAX_COMPONENTS} elements."));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_object()) {
                fields.refuse(&format!("components.{index}"), text::not_an_object(item));
            }
        }
        other => fields.refuse("components", text::not_a_list(other)),
    }
    Some(raw)
}

fn refused(error: ApplicationError) -> ApiError {
    match error.into() {
        ApiError::Outside(status, _) => ApiError::Outside(status, NOT_AVAILABLE),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::fields_of;

    fn told(body: Value) -> Value {
        match read(fields_of(&body.to_string())) {
            Err(ApiError::Fields(errors)) => errors.body(),
            _ => Value::Null,
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_template_is_told_at_once() {
        let body = told(json!({"name": "No Way", "category": "SPAM", "language": " ", "components": ["x", {}]}));
        assert_eq!(body["name"], json!(["This value does not match the required pattern."]));
        assert_eq!(body["category"], json!(["\"SPAM\" is not a valid choice."]));
        assert_eq!(body["language"], json!(["This field may not be blank."]));
        let text = "Expected a dictionary of items but got type \"str\".";
        assert_eq!(body["components"], json!({"0": [text]}));
        for (components, text) in [
            (json!([]), "This list may not be empty."),
            (json!({}), "Expected a list of items but got type \"dict\"."),
            (json!("["), "Expected a list of items but got type \"str\"."),
            (Value::Null, "This field may not be null."),
        ] {
            assert_eq!(told(json!({"components": components}))["components"], json!([text]));
        }
        let body = told(json!({"name": "a".repeat(513)}));
        assert_eq!(body["name"], json!(["Ensure this field has no more than 512 characters."]));
        assert_eq!(body["components"], json!(["This field is required."]));
    }

    #[test]
    fn every_category_is_taken() {
        for category in CATEGORIES {
            let body = json!({"name": "a_1", "category": category, "language": "en", "components": [{}]});
            assert_eq!(told(body), Value::Null);
        }
    }
}
