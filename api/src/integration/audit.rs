//! `/api/v1/audit/`: who did what, when, in whose name, and what a chat was like at any past moment; for admins.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use chatledger_application::{
    ApplicationError,
    audit::{Entry, Moment, Names, Wanted, kinds, unknown_kind},
    ports::audit::{Span, Subject},
};
use chatledger_domain::Position;

use super::{
    State,
    wire::{AuditEntry, AuditPage, ChatState},
};
use crate::{
    audit::{Format, Head, Summary, csv, html, ndjson},
    docs::params::{AuditParams, MomentParams},
    error::ApiError,
    extract::{Admin, Caller, Pagination, Query, wa_id_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/audit/chats/{wa_id}/", "audit_chat", || to(chat)),
    Endpoint::new("GET", "/api/v1/audit/chats/{wa_id}/state/", "audit_chat_state", || to(chat_state)),
    Endpoint::new("GET", "/api/v1/audit/users/{user}/", "audit_user", || to(user)),
    Endpoint::new("GET", "/api/v1/audit/tags/{tag}/", "audit_tag", || to(tag)),
];

/// How often the ledger is looked into for one answer, a bounded part of it each time.
const LOOKS: usize = 4;
/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);

const MOMENT: &str = "Enter a position, @ and POSIX seconds, or a time as 2026-01-06T10:00:00Z.";
const TIME: &str = "Enter POSIX seconds, or a time as 2026-01-06T10:00:00Z.";
const TOO_LONG: &str = "This takes longer than a request may. Ask for less, or use the command `chatledger audit`.";

/// The history of a chat: messages, statuses, tags, assignment, marks, the customer's names.
#[utoipa::path(get, path = "/api/v1/audit/chats/{wa_id}/", operation_id = "audit_chat", tag = "Audit",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id."), AuditParams),
    responses((status = 200, description = "A part of the history.", body = AuditPage),
        (status = 404, description = "No such chat.", body = Object, example = json!({"detail": "Not found."}))))]
pub async fn chat(
    Admin(caller): Admin,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let subject = state.application.chat_subject(caller.tenant, wa_id_in_path(&path)?).await;
    answer(&caller, &state, &request, subject, query).await
}

/// What a chat was like at a moment.
#[utoipa::path(get, path = "/api/v1/audit/chats/{wa_id}/state/", operation_id = "audit_chat_state", tag = "Audit",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id."), MomentParams),
    responses((status = 200, description = "What it was like.", body = ChatState)))]
pub async fn chat_state(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let at = query.read("at", Moment::parse, MOMENT);
    query.page()?;
    let chat = in_time(state.application.chat_as_of(caller.tenant, wa_id, at)).await?.map_err(refused)?;
    Ok(super::ok(&ChatState::new(&chat)))
}

/// The history of a user: what it did, what was done to it, the chats that it was given and lost.
#[utoipa::path(get, path = "/api/v1/audit/users/{user}/", operation_id = "audit_user", tag = "Audit",
    params(("user" = String, Path, description = "The user's id, or the name that it has or once had."), AuditParams),
    responses((status = 200, description = "A part of the history.", body = AuditPage),
        (status = 404, description = "No such user.", body = Object, example = json!({"detail": "Not found."}))))]
pub async fn user(
    Admin(caller): Admin,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let subject = state.application.user_subject(caller.tenant, &path).await;
    answer(&caller, &state, &request, subject, query).await
}

/// The history of a tag: what became of it, and every tagging with it. Also of a deleted one.
#[utoipa::path(get, path = "/api/v1/audit/tags/{tag}/", operation_id = "audit_tag", tag = "Audit",
    params(("tag" = String, Path, description = "The tag's id, or the name that it has or once had."), AuditParams),
    responses((status = 200, description = "A part of the history.", body = AuditPage),
        (status = 404, description = "No such tag.", body = Object, example = json!({"detail": "Not found."}))))]
pub async fn tag(
    Admin(caller): Admin,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let subject = state.application.tag_subject(caller.tenant, &path).await;
    answer(&caller, &state, &request, subject, query).await
}

/// What is asked of a history.
struct Asked {
    wanted: Wanted,
    after: Position,
    /// `None` for JSON.
    format: Option<Format>,
    part: Pagination,
}

async fn answer(
    caller: &Caller,
    state: &State,
    request: &HttpRequest,
    subject: Result<Subject, ApplicationError>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let subject = subject.map_err(refused)?;
    let asked = read(query, request)?;
    in_time(history(caller, state, request, subject, asked)).await?
}

async fn history(
    caller: &Caller,
    state: &State,
    request: &HttpRequest,
    subject: Subject,
    Asked { wanted, after, format, part }: Asked,
) -> Result<HttpResponse, ApiError> {
    let (application, tenant) = (&state.application, caller.tenant);
    let mut span = application.audit_span(tenant, &wanted).await?;
    span.after = span.after.max(after).min(span.through);
    let mut names = Names::default();
    let much = (part.request().limit, LOOKS);
    let found = application.timeline(tenant, &subject, span, &wanted.kinds, much, &mut names).await?;
    // What follows is of the same moment, however the ledger grows.
    let is_cut = found.seen < span.through;
    let next = is_cut.then(|| part.follow(request, &[("after", found.seen.0), ("at", span.through.0)]));
    let Some(format) = format else {
        let results = found.entries.iter().map(AuditEntry::new).collect();
        let (seen, through) = (found.seen.0, span.through.0);
        return Ok(super::ok(&AuditPage { next, seen, through, results }));
    };
    names.learn_subject(application, tenant, &subject).await?;
    let shown = Span { through: found.seen, ..span };
    let head = Head {
        title: Head::title_of(&subject, &names, span.through),
        tenant: application.tenant_slug(tenant).await?,
        chat: match format {
            Format::Html => application.chat_around(tenant, &subject, shown).await?,
            _ => None,
        },
        subject,
        span: shown,
        kinds: wanted.kinds,
        made_at: state.clock.now(),
    };
    file(&head, &found.entries, format, next)
}

/// The history in another form than JSON. Where it goes on is told by `Link`.
fn file(head: &Head, entries: &[Entry], format: Format, next: Option<String>) -> Result<HttpResponse, ApiError> {
    let mut builder = HttpResponse::Ok();
    if let Some(next) = &next {
        builder.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
    }
    let name = match &head.subject {
        Subject::Chat(wa_id) => format!("chat-{wa_id}"),
        Subject::User { id, .. } => format!("user-{id}"),
        Subject::Tag { id, .. } => format!("tag-{id}"),
    };
    let attached = |ending: &str| (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\""));
    match format {
        Format::Csv => {
            builder.insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8")).insert_header(attached("csv"));
            Ok(builder.body(as_csv(entries).map_err(|error| unwritten(&error))?))
        }
        Format::Ndjson => {
            builder.insert_header((header::CONTENT_TYPE, "application/x-ndjson")).insert_header(attached("ndjson"));
            let mut lines = Vec::new();
            entries.iter().try_for_each(|entry| ndjson::write(&mut lines, entry)).map_err(|error| unwritten(&error))?;
            Ok(builder.body(lines))
        }
        Format::Html | Format::Text => {
            let mut summary = Summary::default();
            entries.iter().for_each(|entry| summary.add(entry));
            let more =
                next.map(|_| format!("This is a part: the history goes on after position {}.", head.span.through));
            builder.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
            builder
                .insert_header((header::CONTENT_SECURITY_POLICY, format!("{}; frame-ancestors 'none'", *html::POLICY)));
            Ok(builder.body(html::report(head, &summary, entries, more.as_deref())))
        }
    }
}

fn as_csv(entries: &[Entry]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::new(Vec::new())?;
    for entry in entries {
        writer.write(entry)?;
    }
    Ok(writer.finish()?)
}

fn unwritten(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "a history cannot be written");
    ApiError::Internal
}

fn read(mut query: Query, request: &HttpRequest) -> Result<Asked, ApiError> {
    let wanted = Wanted {
        at: query.read("at", Moment::parse, MOMENT),
        from: query.read("from", Wanted::parse_time, TIME),
        until: query.read("until", Wanted::parse_time, TIME),
        kinds: query.list("kind"),
    };
    if let Some(unknown) = unknown_kind(&wanted.kinds) {
        let known = kinds().into_iter().collect::<Vec<_>>().join(", ");
        query.refuse("kind", format!("\"{unknown}\" is not a valid choice. There are: {known}."));
    }
    let after = Position(query.integer("after").unwrap_or(0).max(0));
    let format = match query.get("format").map(str::to_owned) {
        None => accepted(request),
        Some(name) => match name.as_str() {
            "json" => None,
            "csv" => Some(Format::Csv),
            "ndjson" => Some(Format::Ndjson),
            "html" => Some(Format::Html),
            _ => {
                query
                    .refuse("format", format!("\"{name}\" is not a valid choice. There are: json, csv, ndjson, html."));
                None
            }
        },
    };
    let part = query.page_of_at_most(if format.is_none() { 1_000 } else { 10_000 })?;
    Ok(Asked { wanted, after, format, part })
}

/// The first of our forms that `Accept` names.
fn accepted(request: &HttpRequest) -> Option<Format> {
    let accept = request.headers().get(header::ACCEPT)?.to_str().ok()?;
    let names = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    let formats = names.filter_map(|name| match name {
        "text/csv" => Some(Some(Format::Csv)),
        "application/x-ndjson" | "application/ndjson" => Some(Some(Format::Ndjson)),
        "text/html" => Some(Some(Format::Html)),
        "application/json" | "*/*" => Some(None),
        _ => None,
    });
    formats.into_iter().next().flatten()
}

async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, ApiError> {
    let done = tokio::time::timeout(LIMIT, work).await;
    done.map_err(|_| ApiError::Outside(actix_web::http::StatusCode::SERVICE_UNAVAILABLE, TOO_LONG))
}

/// What is not there is not found, whatever it was called.
fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownUser(_) | ApplicationError::UnknownTag(_) => ApiError::NotFound,
        ApplicationError::SeveralOfThisName(ids) => {
            let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            ApiError::Reason(format!("Several have had this name; ask by id: {ids}."))
        }
        error => error.into(),
    }
}
