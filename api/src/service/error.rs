//! Every error of the Service API, and its body (service-api §§1, 10).

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use chatledger_application::{
    ApplicationError,
    ports::{Unavailable, whatsapp_account::AccountFault},
};
use chatledger_domain::RawJson;
use serde::Serialize;

use super::envelope::Envelope;
use crate::extract::BodyError;

/// What is wrong, for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// The field or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One of the contract's codes.
    pub code: &'static str,
    /// WhatsApp's own code, where WhatsApp said no or would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whats_app_code: Option<i64>,
    /// Seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
}

/// An error of the Service API: status by kind (R-SVC-5), a sentence for people, details for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    status: StatusCode,
    text: String,
    details: Details,
}

impl ServiceError {
    fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, text: text.into(), details: Details { code, ..Details::default() } }
    }

    /// What is wrong, for programs.
    #[must_use]
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// Names the field or parameter.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.details.field = Some(field.into());
        self
    }

    /// Names WhatsApp's code.
    #[must_use]
    pub fn whats_app_code(mut self, code: Option<i64>) -> Self {
        self.details.whats_app_code = code;
        self
    }

    /// 400: the body is no JSON object.
    #[must_use]
    pub fn invalid_json(why: impl std::fmt::Display) -> Self {
        Self::new(400, "INVALID_JSON", format!("The body is not a JSON object: {why}"))
    }

    /// 400: a field of another JSON type than it has to be.
    #[must_use]
    pub fn invalid_type(field: &str, wanted: &str) -> Self {
        Self::new(400, "INVALID_TYPE", format!("Validation failed: {field} must be {wanted}")).at(field)
    }

    /// 400: a query parameter that is needed.
    #[must_use]
    pub fn missing_parameter(name: &str) -> Self {
        Self::new(400, "MISSING_PARAMETER", format!("The query parameter {name} is required")).at(name)
    }

    /// 400: a query parameter that cannot be read.
    #[must_use]
    pub fn invalid_parameter(name: &str, wanted: &str) -> Self {
        Self::new(400, "INVALID_PARAMETER", format!("The query parameter {name} must be {wanted}")).at(name)
    }

    /// 400: a number outside what is possible.
    #[must_use]
    pub fn out_of_range(name: &str, wanted: &str) -> Self {
        Self::new(400, "OUT_OF_RANGE", format!("The query parameter {name} must be {wanted}")).at(name)
    }

    /// 401: no token, or a bad one.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "INVALID_TOKEN", "Unauthorized")
    }

    /// 404: not there, or not the caller's.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "Not found")
    }

    /// 409: a duplicate; which.
    #[must_use]
    pub fn duplicate(code: &'static str, text: &str) -> Self {
        Self::new(409, code, text)
    }

    /// 422: a field that is missing or empty.
    #[must_use]
    pub fn required(field: &str) -> Self {
        Self::new(422, "REQUIRED_FIELD", format!("Validation failed: {field} is required")).at(field)
    }

    /// 422: a field with a value that it cannot have.
    #[must_use]
    pub fn invalid_value(field: &str, wanted: &str) -> Self {
        Self::new(422, "INVALID_VALUE", format!("Validation failed: {field} must be {wanted}")).at(field)
    }

    /// 422: a business rule; which.
    #[must_use]
    pub fn rule(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(422, code, text)
    }

    /// 422: the conversation is closed or over (R-CNV-8).
    #[must_use]
    pub fn conversation_closed() -> Self {
        Self::rule("CONVERSATION_CLOSED", "The conversation is closed or has expired")
    }

    /// 422: WhatsApp refused: its errors, a list.
    #[must_use]
    pub fn provider(errors: &RawJson) -> Self {
        let tree = errors.tree();
        let first = tree.as_array().and_then(|errors| errors.first()).unwrap_or(&tree);
        let code = first["code"].as_i64();
        if matches!(code, Some(470 | 131_047)) {
            return window_closed();
        }
        let told = ["title", "message", "details"].iter().find_map(|key| first[*key].as_str());
        let text = told.map_or_else(|| "WhatsApp refused it".to_owned(), |told| format!("WhatsApp refused it: {told}"));
        Self::rule("PROVIDER_REJECTED", text).whats_app_code(code)
    }

    /// 429: too many requests (R-LIM-4).
    #[must_use]
    pub fn throttled(retry_after: i64) -> Self {
        let mut error = Self::new(429, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded");
        error.details.retry_after = Some(retry_after);
        error
    }

    /// 503: the outside, or too many concurrent changes of the system's own.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(503, "UNAVAILABLE", "The service is temporarily unavailable")
    }

    /// 500: a fault of ours.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, "INTERNAL_ERROR", "Internal server error")
    }
}

/// R-CNV-7.
fn window_closed() -> ServiceError {
    ServiceError::rule("WINDOW_CLOSED", "The 24-hour customer service window is closed")
        .at("content.type")
        .whats_app_code(Some(131_047))
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(f)
    }
}

impl ResponseError for ServiceError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status);
        if let Some(seconds) = self.details.retry_after {
            builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if matches!(self.status.as_u16(), 408 | 413) {
            // The rest of the body is still on its way, and nobody will read it.
            builder.force_close();
        }
        Envelope::failure(&self.text, &self.details).answer(builder)
    }
}

impl From<ApplicationError> for ServiceError {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::UnknownChat
            | ApplicationError::UnknownContact
            | ApplicationError::UnknownTenant
            | ApplicationError::NotReadable => Self::not_found(),
            ApplicationError::NotWritable => Self::rule("FORBIDDEN_CHAT", "This chat may not be written to"),
            ApplicationError::TagsNotAllowed => Self::rule("FORBIDDEN_CHAT", "Tags may not be used"),
            ApplicationError::WindowClosed => window_closed(),
            ApplicationError::ConversationEnded => Self::conversation_closed(),
            ApplicationError::OptedOut => Self::rule("OPTED_OUT", "The customer has opted out and gets no templates"),
            ApplicationError::NoChatYet => {
                Self::rule("INVALID_VALUE", "Tags belong to chats, and there is none with this customer yet").at("waId")
            }
            ApplicationError::AssignmentHeld => {
                Self::rule("ALREADY_ASSIGNED", "The conversation is assigned to somebody else")
            }
            ApplicationError::UnknownUser(_) => Self::rule("AGENT_NOT_FOUND", "There is no such agent").at("agentId"),
            ApplicationError::TemplateRefused(reason) => Self::rule("INVALID_VALUE", reason).at("content.template"),
            ApplicationError::AccountNotConnected => {
                Self::rule("ACCOUNT_NOT_CONNECTED", "No WhatsApp account is connected")
            }
            ApplicationError::AccountConnected => {
                Self::duplicate("ACCOUNT_EXISTS", "A WhatsApp account is connected to this shop")
            }
            ApplicationError::NumberInUse => {
                Self::duplicate("PHONE_NUMBER_IN_USE", "This number is connected to another shop")
            }
            ApplicationError::DailyLimitReached => Self::rule(
                "DAILY_LIMIT_REACHED",
                "As many customers as WhatsApp allows on a day were written to outside the 24-hour window",
            ),
            ApplicationError::Account(AccountFault::Refused(errors)) => Self::provider(&errors),
            ApplicationError::Busy => Self::throttled(1),
            // The loser has been re-checked often enough (R-CST-3).
            ApplicationError::Conflict => Self::new(409, "CONFLICT", "Somebody else is changing the same; try again"),
            ApplicationError::Account(fault) => {
                tracing::warn!(?fault, "WhatsApp did not do what it was asked");
                Self::unavailable()
            }
            ApplicationError::Unavailable(error) => error.into(),
            error => {
                tracing::error!(?error, "a use case failed");
                Self::internal()
            }
        }
    }
}

impl From<Unavailable> for ServiceError {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(?error, "something outside is unavailable");
        Self::unavailable()
    }
}

impl From<BodyError> for ServiceError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Broken => Self::invalid_json("it did not arrive whole"),
            BodyError::TooLarge => Self::new(413, "PAYLOAD_TOO_LARGE", "The request is too large"),
            BodyError::TooSlow => Self::new(408, "REQUEST_TIMEOUT", "The request did not arrive in time"),
        }
    }
}

impl ServiceError {
    /// 415: a body that says it is something else.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        Self::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be JSON")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shown(error: &ServiceError) -> Value {
        serde_json::to_value(Envelope::failure(&error.text, &error.details)).unwrap()
    }

    #[test]
    fn r_svc_2_failures_carry_all_four_keys_and_details() {
        let error = ServiceError::required("phoneNumberId");
        assert_eq!(
            shown(&error),
            json!({"success": false, "data": null, "error": "Validation failed: phoneNumberId is required",
                   "pagination": null, "details": {"field": "phoneNumberId", "code": "REQUIRED_FIELD"}})
        );
        assert_eq!(error.status_code().as_u16(), 422);
    }

    #[test]
    fn r_lim_4_too_many_requests_say_how_long_to_wait() {
        let error = ServiceError::throttled(12);
        assert_eq!(shown(&error)["details"], json!({"code": "RATE_LIMIT_EXCEEDED", "retryAfter": 12}));
        assert_eq!(error.error_response().headers().get("retry-after").unwrap(), "12");
    }

    #[test]
    fn r_cnv_9_what_whatsapp_refuses_carries_its_code() {
        let errors = RawJson::parse(r#"[{"code":131026,"title":"Undeliverable"}]"#.to_owned()).unwrap();
        let body = shown(&ServiceError::provider(&errors));
        assert_eq!(body["details"], json!({"code": "PROVIDER_REJECTED", "whatsAppCode": 131_026}));
        let errors = RawJson::parse(r#"[{"code":131047}]"#.to_owned()).unwrap();
        assert_eq!(shown(&ServiceError::provider(&errors))["details"]["code"], "WINDOW_CLOSED");
    }

    #[test]
    fn r_err_2_a_fault_shows_nothing_of_its_cause() {
        let error = ServiceError::from(Unavailable::new("the database", "password=hunter2"));
        assert!(!shown(&error).to_string().contains("hunter2"));
    }
}
