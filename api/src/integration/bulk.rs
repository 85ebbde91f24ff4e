//! `/api/v1/bulk_messages/`: one message to many chats.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use chatledger_application::{ApplicationError, bulk::NewBulkMessage};
use chatledger_domain::{RawJson, TagId, WaId, bulk_message::Fills};
use chatledger_projections::views::{BulkFilter, BulkMessageView};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    State, content,
    wire::{BulkMessageElement, BulkMessageTask, Links},
};
use crate::{
    docs::params::{PageParams, TaskParams},
    error::ApiError,
    extract::{Body, Caller, Fields, ListPage, Query, Valid, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/bulk_messages/", "list_bulk_messages", || to(list)),
    Endpoint::new("POST", "/api/v1/bulk_messages/", "create_bulk_message", || to(create)),
    Endpoint::new("GET", "/api/v1/bulk_message_elements/", "list_bulk_message_elements", || to(elements)),
];

/// A bulk message to be.
#[derive(ToSchema)]
#[schema(example = json!({
    "recipients": [{"recipient": "351912000111"}], "tags": [{"tag_id": 5}],
    "payload": {"type": "text", "text": {"body": "Hello {{name}}"}},
    "format": [{"wa_id": "351912000111", "params": {"name": "Rui"}}]
}))]
pub struct NewBulkMessageTask {
    /// `{"recipient": …}` each. Recipients and tags together must name at least one and at most 10,000 chats.
    #[schema(value_type = Option<Vec<Object>>)]
    pub recipients: Option<()>,
    /// `{"tag_id": …}` each: the chats that carry the tag now and that the caller may write to.
    #[schema(value_type = Option<Vec<Object>>)]
    pub tags: Option<()>,
    /// The message, as for `POST /messages/`, without `wa_id`.
    #[schema(value_type = Object)]
    pub payload: (),
    /// `{"wa_id": …, "params": {…}}` each: in this recipient's message, `{{name}}` becomes the value of `name`.
    #[schema(value_type = Option<Vec<Object>>)]
    pub format: Option<()>,
}

/// The caller's bulk messages, newest first; for admins everybody's.
#[utoipa::path(get, path = "/api/v1/bulk_messages/", operation_id = "list_bulk_messages", tag = "Bulk messages",
    params(PageParams),
    responses((status = 200, description = "Bulk messages.", body = ListPage<BulkMessageTask>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let filter = BulkFilter { sender: own(&caller), task: None };
    let page = state.inbox.bulk_messages(caller.tenant, filter, part.request()).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let tasks = page.rows.iter().map(|task| BulkMessageTask::new(task, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, tasks)))
}

/// What became of the recipients' messages, newest first: of the caller's bulk messages, for admins of everybody's.
#[utoipa::path(get, path = "/api/v1/bulk_message_elements/", operation_id = "list_bulk_message_elements",
    tag = "Bulk messages", params(PageParams, TaskParams),
    responses((status = 200, description = "Recipients.", body = ListPage<BulkMessageElement>)))]
pub async fn elements(
    caller: Caller,
    state: State,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let task = query.get("task").map(str::parse);
    let part = query.page()?;
    let Ok(task) = task.transpose() else { return Ok(super::ok(&part.nothing::<()>(&request))) };
    let filter = BulkFilter { sender: own(&caller), task };
    let page = state.inbox.bulk_elements(caller.tenant, filter, part.request()).await?;
    let elements = page.rows.iter().map(BulkMessageElement::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, elements)))
}

/// Sends a message to many chats: each as if the caller had sent it alone, so permissions and the 24-hour window apply
/// to each. Answers at once; `done` grows until it is `total`.
#[utoipa::path(post, path = "/api/v1/bulk_messages/", operation_id = "create_bulk_message", tag = "Bulk messages",
    request_body = NewBulkMessageTask,
    responses((status = 201, description = "The bulk message.", body = BulkMessageTask)))]
pub async fn create(caller: Caller, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let new = read(body.read().await?)?;
    let made = state.application.create_bulk_message(&caller.context(), new).await.map_err(|error| match error {
        ApplicationError::NoRecipients => ApiError::field("recipients", text::REQUIRED),
        ApplicationError::TooManyRecipients(most) => {
            ApiError::field("recipients", format!("Ensure there are no more than {most} recipients."))
        }
        ApplicationError::UnknownTag(tag) => ApiError::invalid_pk("tags", tag),
        error => error.into(),
    })?;
    let view = BulkMessageView {
        id: made.id,
        sender: Some(caller.user.clone()),
        kind: made.kind,
        payload: made.payload,
        recipients: made.recipients.iter().take(made.named).map(ToString::to_string).collect(),
        tags: made.tags,
        total: i64::try_from(made.recipients.len()).unwrap_or(i64::MAX),
        done: 0,
        timestamp: made.timestamp,
    };
    Ok(super::created(&BulkMessageTask::new(&view, &Links::of(&request, &state, caller.tenant))))
}

fn own(caller: &Caller) -> Option<chatledger_domain::UserId> {
    (!caller.actor.is_admin()).then_some(caller.actor.user)
}

fn read(mut fields: Fields) -> Result<NewBulkMessage, ApiError> {
    let recipients = list_of(&mut fields, "recipients", |fields, path, item| {
        let path = format!("{path}.recipient");
        wa_id(fields, &path, if item.is_object() { &item["recipient"] } else { item })
    });
    let tags = list_of(&mut fields, "tags", |fields, path, item| {
        let id = if item.is_object() { &item["tag_id"] } else { item };
        let found = id.as_i64().or_else(|| id.as_str()?.parse().ok());
        if found.is_none() {
            fields.refuse(&format!("{path}.tag_id"), text::INTEGER);
        }
        found.map(TagId)
    });
    let fills = list_of(&mut fields, "format", fill);
    let payload = payload(&mut fields);
    let read = (recipients, tags, fills, payload);
    let (recipients, tags, fills, (payload, kind, content)) = fields.finish(read)?;
    let fills = Fills::from_iter(fills.into_iter().map(|(wa_id, values)| (wa_id.to_string(), values)));
    Ok(NewBulkMessage { recipients, tags, kind: kind.to_owned(), content, payload, fills })
}

/// A list that may be absent, element by element.
fn list_of<T>(
    fields: &mut Fields,
    name: &str,
    mut read: impl FnMut(&mut Fields, &str, &Value) -> Valid<T>,
) -> Valid<Vec<T>> {
    let Some((_, value)) = fields.optional_json(name)? else { return Some(Vec::new()) };
    let Value::Array(items) = &value else {
        fields.refuse(name, text::not_a_list(&value));
        return None;
    };
    // Each is read, so that all that is wrong is told.
    let read: Vec<_> =
        items.iter().enumerate().map(|(index, item)| read(fields, &format!("{name}.{index}"), item)).collect();
    read.into_iter().collect()
}

fn wa_id(fields: &mut Fields, path: &str, value: &Value) -> Valid<WaId> {
    let given = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null => {
            fields.refuse(path, text::REQUIRED);
            return None;
        }
        _ => {
            fields.refuse(path, text::STRING);
            return None;
        }
    };
    let id = WaId::parse(&given).ok();
    if id.is_none() {
        fields.refuse(path, "Enter a valid WhatsApp id.");
    }
    id
}

fn fill(fields: &mut Fields, path: &str, item: &Value) -> Valid<(WaId, BTreeMap<String, String>)> {
    let wa_id = wa_id(fields, &format!("{path}.wa_id"), &item["wa_id"]);
    let mut values = BTreeMap::new();
    match &item["params"] {
        Value::Null => {}
        Value::Object(params) => {
            for (name, value) in params {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                values.insert(name.trim().to_owned(), value);
            }
        }
        other => fields.refuse(&format!("{path}.params"), text::not_an_object(other)),
    }
    Some((wa_id?, values))
}

/// The payload as it came, its type, and the object of the type.
fn payload(fields: &mut Fields) -> Valid<(RawJson, &'static str, RawJson)> {
    let (raw, mut inside) = fields.object("payload")?;
    let kind = content::kind(&mut inside);
    let content = kind.and_then(|kind| content::content(&mut inside, kind));
    fields.take_errors("payload", inside);
    Some((raw, kind?, content?))
}
