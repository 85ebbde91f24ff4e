//! `/api/v1/settings/rule_engine/`: who decides on assignments, and the rules, for admins.

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::{ApplicationError, endpoints::CallTarget, rule_engine::NewRule};
use chatledger_domain::{
    GroupId, RuleId, TagId, UserId,
    rule_engine::{AssignMethod, Mode, Rule as Before, Target},
};
use utoipa::ToSchema;

use super::{
    State,
    call_target::{MAX_URL, bad_address, headers},
    wire::{Rule, RuleEngine},
};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Admin, Body, Caller, Fields, ListPage, Query, Valid, number_in_path, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/settings/rule_engine/", "get_rule_engine", || to(get)),
    Endpoint::new("PUT", "/api/v1/settings/rule_engine/", "put_rule_engine", || to(put)),
    Endpoint::new("GET", "/api/v1/settings/rule_engine/rules/", "list_rules", || to(list)),
    Endpoint::new("POST", "/api/v1/settings/rule_engine/rules/", "create_rule", || to(create)),
    Endpoint::new("PUT", "/api/v1/settings/rule_engine/rules/{id}/", "put_rule", || to(put_rule)),
    Endpoint::new("PATCH", "/api/v1/settings/rule_engine/rules/{id}/", "patch_rule", || to(patch_rule)),
    Endpoint::new("DELETE", "/api/v1/settings/rule_engine/rules/{id}/", "delete_rule", || to(delete_rule)),
];

/// Who is to decide.
#[derive(ToSchema)]
#[schema(example = json!({"mode": "custom", "url": "https://rules.acme.example/engine", "headers": {}}))]
pub struct NewRuleEngine {
    /// `default` or `custom`.
    pub mode: String,
    /// Where the tenant's own engine is; needed for `custom`.
    pub url: Option<String>,
    /// Headers to send along: at most 20, names to values.
    #[schema(value_type = Option<Object>)]
    pub headers: Option<()>,
}

/// A rule to be: exactly one of `assign_to_user` and `assign_to_group`.
#[derive(ToSchema)]
#[schema(example = json!({"tagged_with": 5, "assign_to_group": 23, "group_assign_method": "let_group_decide"}))]
pub struct RuleFields {
    /// The tag that fires it; `null`: an incoming message of a chat that nobody has.
    pub tagged_with: Option<i64>,
    /// The user who gets the chat.
    pub assign_to_user: Option<i64>,
    /// The group that gets the chat.
    pub assign_to_group: Option<i64>,
    /// `round_robin` or `let_group_decide`; needed for a group.
    pub group_assign_method: Option<String>,
    /// Its place, from 1; the last unless told.
    pub position: Option<i64>,
}

/// Who decides on assignments.
#[utoipa::path(get, path = "/api/v1/settings/rule_engine/", operation_id = "get_rule_engine", tag = "Settings",
    responses((status = 200, description = "The rule engine.", body = RuleEngine)))]
pub async fn get(Admin(caller): Admin, state: State) -> Result<HttpResponse, ApiError> {
    show(&caller, &state).await
}

/// Says who decides on assignments, from the next trigger on.
#[utoipa::path(put, path = "/api/v1/settings/rule_engine/", operation_id = "put_rule_engine", tag = "Settings",
    request_body = NewRuleEngine,
    responses((status = 200, description = "The rule engine from now on.", body = RuleEngine)))]
pub async fn put(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let mode = fields.text("mode", 50).and_then(|given| {
        let mode = Mode::ALL.into_iter().find(|mode| mode.as_str() == given);
        choice(&mut fields, "mode", &given, mode)
    });
    let url = if mode == Some(Mode::Custom) {
        fields.text("url", MAX_URL).map(Some)
    } else {
        fields.optional_text("url", MAX_URL)
    };
    let read = (mode, url, headers(&mut fields));
    let (mode, url, headers) = fields.finish(read)?;
    let target = url.map(|url| CallTarget { url, headers: headers.unwrap_or_default(), ..CallTarget::default() });
    state.application.configure_rule_engine(&caller.context(), mode, target).await.map_err(refused)?;
    show(&caller, &state).await
}

/// The rules in the order in which they are tried.
#[utoipa::path(get, path = "/api/v1/settings/rule_engine/rules/", operation_id = "list_rules", tag = "Settings",
    params(PageParams), responses((status = 200, description = "Rules.", body = ListPage<Rule>)))]
pub async fn list(
    Admin(caller): Admin,
    state: State,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let page = state.inbox.rules(caller.tenant, part.request()).await?;
    let rules = page.rows.iter().map(Rule::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, rules)))
}

/// Adds a rule.
#[utoipa::path(post, path = "/api/v1/settings/rule_engine/rules/", operation_id = "create_rule", tag = "Settings",
    request_body = RuleFields, responses((status = 201, description = "The rule.", body = Rule)))]
pub async fn create(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let new = read(body.read().await?, None)?;
    let id = state.application.add_rule(&caller.context(), new).await.map_err(refused)?;
    let rule = state.inbox.rule(caller.tenant, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::created(&Rule::new(&rule)))
}

/// Sets a rule; its place stays unless told.
#[utoipa::path(put, path = "/api/v1/settings/rule_engine/rules/{id}/", operation_id = "put_rule", tag = "Settings",
    params(("id" = i64, Path, description = "The rule.")), request_body = RuleFields,
    responses((status = 200, description = "The rule from now on.", body = Rule)))]
pub async fn put_rule(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change(&caller, &state, &path, body, true).await
}

/// Changes a rule; what is not given stays.
#[utoipa::path(patch, path = "/api/v1/settings/rule_engine/rules/{id}/", operation_id = "patch_rule",
    tag = "Settings", params(("id" = i64, Path, description = "The rule.")), request_body = RuleFields,
    responses((status = 200, description = "The rule from now on.", body = Rule)))]
pub async fn patch_rule(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change(&caller, &state, &path, body, false).await
}

/// Deletes a rule.
#[utoipa::path(delete, path = "/api/v1/settings/rule_engine/rules/{id}/", operation_id = "delete_rule",
    tag = "Settings", params(("id" = i64, Path, description = "The rule.")),
    responses((status = 204, description = "Deleted.")))]
pub async fn delete_rule(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = RuleId(number_in_path(&path)?);
    state.application.delete_rule(&caller.context(), id).await.map_err(refused)?;
    Ok(super::no_content())
}

async fn show(caller: &Caller, state: &State) -> Result<HttpResponse, ApiError> {
    let engine = state.inbox.rule_engine(caller.tenant).await?;
    let (mode, secret) = engine.map_or_else(|| (Mode::Default.as_str().to_owned(), None), |e| (e.mode, e.secret));
    let target = match secret {
        Some(id) => state.application.call_targets(caller.tenant, &[id]).await?.remove(&id),
        None => None,
    };
    if secret.is_some() && target.is_none() {
        return Err(ApiError::Unavailable);
    }
    let headers = target.as_ref().map(|target| target.headers.clone()).unwrap_or_default();
    Ok(super::ok(&RuleEngine { mode: &mode, url: target.as_ref().map(|target| target.url.as_str()), headers }))
}

async fn change(caller: &Caller, state: &State, path: &str, body: Body, whole: bool) -> Result<HttpResponse, ApiError> {
    let (context, id) = (caller.context(), RuleId(number_in_path(path)?));
    let before = state.application.rule(&context, id).await.map_err(refused)?;
    let new = read(body.read().await?, (!whole).then_some(before))?;
    state.application.change_rule(&context, id, new).await.map_err(refused)?;
    let rule = state.inbox.rule(caller.tenant, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&Rule::new(&rule)))
}

/// A rule's fields; what is not given is as before.
fn read(mut fields: Fields, before: Option<Before>) -> Result<NewRule, ApiError> {
    let (mut user_before, mut group_before, mut method_before) = (None, None, None);
    match before.map(|rule| rule.target) {
        Some(Target::User(id)) => user_before = Some(id.0),
        Some(Target::Group { id, method }) => (group_before, method_before) = (Some(id.0), Some(method)),
        None => {}
    }
    let tag = fields.optional_pk("tagged_with");
    let user = fields.optional_pk("assign_to_user").map(|given| given.unwrap_or(user_before));
    let group = fields.optional_pk("assign_to_group").map(|given| given.unwrap_or(group_before));
    let method = if fields.has("group_assign_method") { method(&mut fields) } else { Some(method_before) };
    let position = place(&mut fields);
    let target = match (user, group, method) {
        (Some(Some(id)), Some(None), Some(_)) => Some(Target::User(UserId(id))),
        (Some(None), Some(Some(id)), Some(Some(method))) => Some(Target::Group { id: GroupId(id), method }),
        (Some(None), Some(Some(_)), Some(None)) => {
            fields.refuse("group_assign_method", text::REQUIRED);
            None
        }
        (Some(_), Some(_), _) if user.flatten().is_some() == group.flatten().is_some() => {
            fields.refuse("non_field_errors", "Set exactly one of assign_to_user and assign_to_group.");
            None
        }
        // Told already.
        _ => None,
    };
    let (tag, target, position) = fields.finish((tag, target, position))?;
    let tagged_with = tag.map_or_else(|| before.and_then(|rule| rule.tagged_with), |given| given.map(TagId));
    Ok(NewRule { tagged_with, target, place: position })
}

fn method(fields: &mut Fields) -> Valid<Option<AssignMethod>> {
    let Some(given) = fields.optional_text("group_assign_method", 50)? else { return Some(None) };
    let method = AssignMethod::ALL.into_iter().find(|method| method.as_str() == given);
    choice(fields, "group_assign_method", &given, method).map(Some)
}

fn place(fields: &mut Fields) -> Valid<Option<i64>> {
    let place = fields.optional_integer("position")?;
    if place.is_some_and(|place| place < 1) {
        fields.refuse("position", "Ensure this value is greater than or equal to 1.");
        return None;
    }
    Some(place)
}

fn choice<T>(fields: &mut Fields, name: &str, given: &str, found: Option<T>) -> Valid<T> {
    if found.is_none() {
        fields.refuse(name, format!("\"{given}\" is not a valid choice."));
    }
    found
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownRule => ApiError::NotFound,
        ApplicationError::Address(error) => bad_address(error),
        ApplicationError::UnknownTag(tag) => ApiError::invalid_pk("tagged_with", tag),
        ApplicationError::UnknownUser(user) => ApiError::invalid_pk("assign_to_user", user),
        ApplicationError::UnknownGroup(group) => ApiError::invalid_pk("assign_to_group", group),
        error => error.into(),
    }
}
