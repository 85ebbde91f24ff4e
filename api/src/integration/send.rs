//! `POST /api/v1/messages/`: sends a message (R-MSG-*, R-WIN-*).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use chatledger_application::{
    ApplicationError,
    chats::{SendMessage, Sending, SendingOutcome},
};
use chatledger_domain::{RawJson, chat::content as rules};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{State, content, own_media};
use crate::{
    error::ApiError,
    extract::{Body, Caller, Fields, Valid, text},
    family::json_body,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[Endpoint::new("POST", "/api/v1/messages/", "send_message", || to(send))];

/// The longest id that a client may give a message, in characters.
const MAX_PENDING: usize = 64;

/// A message to be sent: `type` and the object named by it. Without `type`, the one object that is there tells it.
#[derive(ToSchema)]
#[schema(example = json!({"wa_id": "351912000111", "type": "text", "text": {"body": "Your order is ready."}}))]
pub struct NewMessage {
    /// The customer.
    pub wa_id: String,
    /// `text`, `image`, `video`, `audio`, `voice`, `document`, `sticker`, `location`, `contacts`, `template`, `hsm`,
    /// `interactive` or `reaction`.
    pub r#type: Option<String>,
    /// For `text`: `body` of at most 4096 characters, `preview_url`.
    #[schema(value_type = Option<Object>)]
    pub text: Option<()>,
    /// For `template`: `name`, `language.code`, `components`. The only kind that may be sent outside the window.
    #[schema(value_type = Option<Object>)]
    pub template: Option<()>,
    /// The quoted message: `{"message_id": …}`.
    #[schema(value_type = Option<Object>)]
    pub context: Option<()>,
    /// The client's own id of the message, at most 64 characters; the same again sends nothing.
    pub pending_message_unique_id: Option<String>,
}

/// WhatsApp took the message.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11",
    "waba_response": {
        "messaging_product": "whatsapp", "contacts": [{"input": "351912000111", "wa_id": "351912000111"}],
        "messages": [{"id": "wamid.HBgMMzUxOTEyMDAwMTEx"}]
    }
}))]
pub struct Accepted {
    /// Our id.
    pub id: String,
    /// WhatsApp's answer.
    #[schema(value_type = Object)]
    pub waba_response: RawJson,
}

/// The message is recorded and will be sent.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11", "reason": "Message accepted and queued."}))]
pub struct Queued {
    /// Our id.
    pub id: String,
    /// Why there is no answer of WhatsApp's.
    pub reason: &'static str,
}

/// Sends a message. Outside the 24-hour window only templates may be sent: 453.
#[utoipa::path(post, path = "/api/v1/messages/", operation_id = "send_message", tag = "Messages",
    request_body = NewMessage,
    responses(
        (status = 201, description = "WhatsApp took it.", body = Accepted),
        (status = 202, description = "It is recorded and will be sent.", body = Queued),
        (status = 453, description = "The 24-hour customer service window is closed.", body = Object, example = json!({
            "reason": "The 24-hour customer service window is closed. Send a template message.",
            "waba_response": {"errors": [{"code": 470, "title": "Re-engagement message"}]}
        }))))]
pub async fn send(caller: Caller, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let mut message = read(body.read().await?)?;
    own_media::name(&state, &request, caller.tenant, &mut message).await?;
    let wa_id = message.wa_id.to_string();
    let sent = state.application.send_message(&caller.context(), message).await;
    let sending = sent.map_err(|error| match error {
        ApplicationError::UnknownMessage(id) => {
            ApiError::field("context.message_id", format!("Object with id={id} does not exist."))
        }
        error => error.into(),
    })?;
    answer(sending, &wa_id)
}

fn read(mut fields: Fields) -> Result<SendMessage, ApiError> {
    let wa_id = fields.wa_id("wa_id");
    let kind = content::kind(&mut fields);
    let content = kind.and_then(|kind| content::content(&mut fields, kind));
    let context = quoted(&mut fields);
    let pending = fields.optional_text("pending_message_unique_id", MAX_PENDING);
    let (wa_id, kind, content, context, pending) = fields.finish((wa_id, kind, content, context, pending))?;
    let message = rules::message(&wa_id, kind, &content);
    Ok(SendMessage { wa_id, kind: rules::sent_type(kind).to_owned(), message, context, pending, conversation: None })
}

/// The id of the quoted message.
fn quoted(fields: &mut Fields) -> Valid<Option<String>> {
    let Some((_, context)) = fields.optional_object("context")? else { return Some(None) };
    match context["message_id"].as_str() {
        Some(id) if !id.is_empty() => Some(Some(id.to_owned())),
        _ => {
            fields.refuse("context.message_id", text::REQUIRED);
            None
        }
    }
}

fn answer(sending: Sending, wa_id: &str) -> Result<HttpResponse, ApiError> {
    let id = sending.message_id.to_string();
    match sending.outcome {
        SendingOutcome::Accepted { waba_id, response } => {
            let told = || {
                let contacts = json!([{"input": wa_id, "wa_id": wa_id}]);
                let body =
                    json!({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": waba_id}]});
                RawJson::from(&body)
            };
            Ok(super::created(&Accepted { id, waba_response: response.unwrap_or_else(told) }))
        }
        SendingOutcome::Queued => {
            let body = Queued { id, reason: "Message accepted and queued." };
            Ok(json_body(HttpResponse::build(StatusCode::ACCEPTED), &body))
        }
        SendingOutcome::Rejected { errors } => Err(ApiError::Provider(errors)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::extract::fields_of;

    fn told(body: Value) -> Value {
        match read(fields_of(&body.to_string())) {
            Err(ApiError::Fields(errors)) => errors.body(),
            _ => Value::Null,
        }
    }

    #[test]
    fn r_msg_7_the_type_selects_its_object() {
        let body = told(json!({"wa_id": "351912", "type": "text", "image": {}}));
        assert_eq!(body, json!({"text": ["This field is required."], "reason": "text: This field is required."}));
        let body = told(json!({"wa_id": "351912", "type": "foo", "foo": {}}));
        assert_eq!(body["type"], json!(["\"foo\" is not a valid choice."]));
    }

    #[test]
    fn r_msg_13_one_object_tells_the_type() {
        let message = read(fields_of(r#"{"wa_id": "+351 912", "text": {"body": "hi"}}"#)).unwrap();
        assert_eq!((message.wa_id.as_str(), message.kind.as_str()), ("351912", "text"));
        let body = told(json!({"wa_id": "351912", "text": {"body": "hi"}, "image": {"id": "1"}}));
        assert_eq!(body["type"], json!(["This field is required."]));
        assert_eq!(told(json!({"wa_id": "351912"}))["type"], json!(["This field is required."]));
    }

    #[test]
    fn an_hsm_is_a_template() {
        let hsm = r#"{"wa_id":"1","type":"hsm","hsm":{"namespace":"n","element_name":"e"}}"#;
        assert_eq!(read(fields_of(hsm)).unwrap().kind, "template");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let body = told(
            json!({"type": "text", "text": {"body": "x\0"}, "context": {}, "pending_message_unique_id": "a".repeat(65)}),
        );
        assert_eq!(body["wa_id"], json!(["This field is required."]));
        assert_eq!(body["text"], json!(["Null characters are not allowed."]));
        assert_eq!(body["context"], json!({"message_id": ["This field is required."]}));
        assert_eq!(body["pending_message_unique_id"], json!(["Ensure this field has no more than 64 characters."]));
    }

    #[test]
    fn an_answer_that_got_lost_is_made_from_the_id() {
        let outcome = SendingOutcome::Accepted { waba_id: "wamid.1".to_owned(), response: None };
        let response = answer(Sending { message_id: Default::default(), outcome }, "351912").unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
    }
}
