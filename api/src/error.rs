//! Every error of the Integration API, and its body (errors-and-limits §2).

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use chatledger_application::{
    ApplicationError,
    ports::{Unavailable, vault::MAX_PASSWORD, whatsapp_account::AccountFault},
};
use chatledger_domain::{RawJson, media::Class};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{extract::FieldErrors, family::json_body, throttle::Wait};

/// No credential, or one that is not looked at.
pub const NOT_PROVIDED: &str = "Authentication credentials were not provided.";
/// A token that names no live token.
pub const INVALID_TOKEN: &str = "Invalid token.";
/// The token of a user that may not act.
pub const INACTIVE_USER: &str = "User inactive or deleted.";

const FORGED: &str = "CSRF Failed: CSRF token missing or incorrect.";
const FORBIDDEN: &str = "You do not have permission to perform this action.";
const CHANGED: &str = "Chat assignments have been changed by another user recently.";
const WINDOW_CLOSED: &str = "The 24-hour customer service window is closed. Send a template message.";
const OPTED_OUT: &str = "The customer has opted out of messages: only replies inside the 24-hour window are sent.";
const UNAVAILABLE: &str = "The service is temporarily unavailable. Please try again.";

/// An error of the Integration API.
#[derive(Debug)]
pub enum ApiError {
    /// 400: fields that do not fit.
    Fields(FieldErrors),
    /// 400: a body that is not JSON; why.
    Parse(String),
    /// 400: a business rule; which.
    Reason(String),
    /// WhatsApp refused a message: its errors.
    Provider(RawJson),
    /// 400: WhatsApp refused something else: its errors.
    Refused(RawJson),
    /// 502, 503, 504: somebody outside, whose answer is needed, did not give it; what the client is told.
    Outside(StatusCode, &'static str),
    /// 403: no or a bad credential; which text.
    Unauthenticated(&'static str),
    /// 403: a session's request without proof that it comes from our own pages (R-AUTH-10).
    Forged,
    /// 403: not allowed.
    Forbidden,
    /// 403: somebody else was faster (R-ASG-10).
    AssignmentHeld,
    /// 404.
    NotFound,
    /// 404: not yet there (R-MED-3).
    NotYet,
    /// 408: the body dripped too slowly.
    TooSlow,
    /// 413.
    TooLarge,
    /// 413: a file of this class (R-MED-1).
    FileTooLarge(Class),
    /// 415: the media type.
    UnsupportedMediaType(String),
    /// 429.
    Throttled(Wait),
    /// 453: the 24-hour window (R-WIN-5).
    WindowClosed,
    /// 503: the outside, or too many concurrent changes.
    Unavailable,
    /// 500: a fault of ours.
    Internal,
}

impl ApiError {
    /// 400 for one field.
    #[must_use]
    pub fn field(path: &str, message: impl Into<String>) -> Self {
        Self::Fields(FieldErrors::one(path, message))
    }

    /// 400 for a number that names nothing.
    #[must_use]
    pub fn invalid_pk(path: &str, pk: impl std::fmt::Display) -> Self {
        Self::field(path, format!("Invalid pk \"{pk}\" - object does not exist."))
    }

    /// Status and body, where they are shown inside another answer.
    pub(crate) fn as_told(&self) -> (u16, RawJson) {
        let body = serde_json::to_string(&self.body()).ok().and_then(|body| RawJson::parse(body).ok());
        (self.status_code().as_u16(), body.unwrap_or_else(|| RawJson::from(&Value::Null)))
    }

    fn body(&self) -> Body<'_> {
        match self {
            Self::Fields(errors) => Body::Fields(errors),
            Self::Parse(why) => {
                let detail = format!("JSON parse error - {why}");
                Body::both(detail.clone(), detail)
            }
            Self::Reason(reason) => Body::Reason { reason: reason.clone(), waba_response: None },
            Self::Provider(errors) => {
                let waba_response = Some(WabaErrors { errors: errors.clone() });
                Body::Reason { reason: provider_reason("the message", errors), waba_response }
            }
            Self::Refused(errors) => {
                let waba_response = Some(WabaErrors { errors: errors.clone() });
                Body::Reason { reason: provider_reason("the request", errors), waba_response }
            }
            Self::Outside(_, reason) => Body::Reason { reason: (*reason).to_owned(), waba_response: None },
            Self::Unauthenticated(detail) => Body::detail(*detail),
            Self::Forged => Body::detail(FORGED),
            Self::Forbidden => Body::detail(FORBIDDEN),
            Self::AssignmentHeld => Body::both(FORBIDDEN, CHANGED),
            Self::NotFound | Self::NotYet => Body::detail("Not found."),
            Self::TooSlow => Body::detail("The request did not arrive in time."),
            Self::TooLarge => Body::both("The request is too large.", "The file is too large."),
            Self::FileTooLarge(class) => Body::TooLarge { reason: "The file is too large.", detail: limit_of(*class) },
            Self::UnsupportedMediaType(kind) => Body::detail(format!("Unsupported media type \"{kind}\" in request.")),
            Self::Throttled(Wait(seconds)) => {
                let plural = if *seconds == 1 { "" } else { "s" };
                Body::detail(format!("Request was throttled. Expected available in {seconds} second{plural}."))
            }
            Self::WindowClosed => {
                let errors = RawJson::from(&json!([{"code": 470, "title": "Re-engagement message"}]));
                Body::Reason { reason: WINDOW_CLOSED.to_owned(), waba_response: Some(WabaErrors { errors }) }
            }
            Self::Unavailable => Body::both(UNAVAILABLE, UNAVAILABLE),
            Self::Internal => Body::detail("A server error occurred."),
        }
    }
}

/// The body of an error, keys in the contract's order.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Fields(&'a FieldErrors),
    Detail {
        detail: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    TooLarge {
        reason: &'static str,
        detail: String,
    },
    Reason {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        waba_response: Option<WabaErrors>,
    },
}

#[derive(Serialize)]
struct WabaErrors {
    errors: RawJson,
}

impl Body<'_> {
    fn detail(detail: impl Into<String>) -> Self {
        Self::Detail { detail: detail.into(), reason: None }
    }

    fn both(detail: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Detail { detail: detail.into(), reason: Some(reason.into()) }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.status_code().fmt(f)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        let code = match self {
            Self::Outside(status, _) => return *status,
            Self::Fields(_) | Self::Parse(_) | Self::Reason(_) | Self::Refused(_) => 400,
            Self::Provider(errors) if is_window_error(errors) => 453,
            Self::Provider(_) => 400,
            Self::Unauthenticated(_) | Self::Forged | Self::Forbidden | Self::AssignmentHeld => 403,
            Self::NotFound | Self::NotYet => 404,
            Self::TooSlow => 408,
            Self::TooLarge | Self::FileTooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::Throttled(_) => 429,
            Self::WindowClosed => 453,
            Self::Unavailable => 503,
            Self::Internal => 500,
        };
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status_code());
        match self {
            Self::Throttled(Wait(seconds)) => {
                builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Self::NotYet => {
                builder.insert_header((header::RETRY_AFTER, "5"));
            }
            // The rest of the body is still on its way, and nobody will read it.
            Self::TooSlow | Self::TooLarge | Self::FileTooLarge(_) => {
                builder.force_close();
            }
            _ => {}
        }
        json_body(builder, &self.body())
    }
}

/// How large a file of a class may be, in words (R-MED-1).
fn limit_of(class: Class) -> String {
    let article = if matches!(class, Class::Image | Class::Audio) { "An" } else { "A" };
    let (limit, name) = (class.limit(), class.name());
    let limit = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
    format!("{article} {name} may have at most {limit}.")
}

/// Whether WhatsApp says that the window is closed (R-WIN-6).
fn is_window_error(errors: &RawJson) -> bool {
    let is_one = |error: &Value| matches!(error["code"].as_i64(), Some(470 | 131_047));
    errors.tree().as_array().is_some_and(|errors| errors.iter().any(is_one))
}

/// What WhatsApp says first.
fn provider_reason(what: &str, errors: &RawJson) -> String {
    let tree = errors.tree();
    let first = &tree[0];
    let told = ["title", "message", "details"].iter().find_map(|key| first[*key].as_str());
    told.map_or_else(|| format!("WhatsApp refused {what}."), |told| format!("WhatsApp refused {what}: {told}"))
}

impl From<ApplicationError> for ApiError {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::UnknownChat
            | ApplicationError::UnknownContact
            | ApplicationError::UnknownTagging
            | ApplicationError::UnknownTemplate
            | ApplicationError::UnknownSavedResponse
            | ApplicationError::UnknownBulkMessage
            | ApplicationError::UnknownDelivery => Self::NotFound,
            ApplicationError::TemplateRefused(reason) => Self::Reason(reason),
            ApplicationError::Account(fault) => fault.into(),
            ApplicationError::NotReadable
            | ApplicationError::NotWritable
            | ApplicationError::TagsNotAllowed
            | ApplicationError::NotAllowed => Self::Forbidden,
            ApplicationError::WindowClosed => Self::WindowClosed,
            ApplicationError::OptedOut => Self::Reason(OPTED_OUT.to_owned()),
            ApplicationError::AssignmentHeld => Self::AssignmentHeld,
            ApplicationError::AlreadyTagged => Self::field("non_field_errors", "The tag is applied already."),
            ApplicationError::UnknownTag(tag) => Self::invalid_pk("tag", tag),
            ApplicationError::UnknownMessage(id) => {
                Self::field("message", format!("Object with id={id} does not exist."))
            }
            ApplicationError::UnknownUser(user) => Self::invalid_pk("assigned_to_user", user),
            ApplicationError::UnknownGroup(group) => Self::invalid_pk("assigned_group", group),
            ApplicationError::NameTaken => Self::field("name", "This name is in use already."),
            ApplicationError::LastAdmin => {
                Self::Reason("The last active admin can be neither deactivated nor demoted.".to_owned())
            }
            ApplicationError::AdminsUnrestricted => {
                Self::Reason("The permissions of admins cannot be lowered.".to_owned())
            }
            ApplicationError::BuiltInGroup => Self::Reason("A built-in group cannot be changed or deleted.".to_owned()),
            ApplicationError::WrongPassword => Self::Reason("Current password is incorrect.".to_owned()),
            ApplicationError::WeakPassword(flaw) => Self::field("password", flaw.to_string()),
            ApplicationError::AccountNotConnected => Self::Reason("No WhatsApp account is connected.".to_owned()),
            ApplicationError::DailyLimitReached => Self::Reason(
                "The daily limit of customers to be written to outside the 24-hour window is reached.".to_owned(),
            ),
            ApplicationError::PasswordTooLong => {
                Self::Reason(format!("A password has at most {MAX_PASSWORD} characters."))
            }
            ApplicationError::Busy => Self::Throttled(Wait(1)),
            ApplicationError::EmptyFile => Self::field("file_encoded", "The submitted file is empty."),
            ApplicationError::FileTooLarge(class) => Self::FileTooLarge(class),
            ApplicationError::FileNotWanted(_) => Self::field(
                "file_encoded",
                "Upload a valid image. The file you uploaded was either not an image or a corrupted image.",
            ),
            ApplicationError::StorageFull => Self::Reason("The storage of this inbox is full.".to_owned()),
            ApplicationError::Conflict => Self::Unavailable,
            ApplicationError::Unavailable(error) => error.into(),
            error => {
                tracing::error!(?error, "a use case failed");
                Self::Internal
            }
        }
    }
}

impl From<AccountFault> for ApiError {
    fn from(fault: AccountFault) -> Self {
        if let AccountFault::Refused(errors) = fault {
            return Self::Refused(errors);
        }
        tracing::warn!(?fault, "WhatsApp did not do what it was asked");
        let (status, reason) = match fault {
            AccountFault::Late => (StatusCode::GATEWAY_TIMEOUT, "WhatsApp did not answer in time."),
            AccountFault::Unreadable(_) | AccountFault::NotFound => {
                (StatusCode::BAD_GATEWAY, "WhatsApp did not answer as it should.")
            }
            AccountFault::Unsupported => {
                (StatusCode::SERVICE_UNAVAILABLE, "This is not available for the connected number.")
            }
            _ => (StatusCode::SERVICE_UNAVAILABLE, "WhatsApp cannot be reached at the moment."),
        };
        Self::Outside(status, reason)
    }
}

impl From<Unavailable> for ApiError {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(?error, "something outside is unavailable");
        Self::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: &ApiError) -> Value {
        serde_json::to_value(error.body()).unwrap()
    }

    fn raw(text: &str) -> RawJson {
        RawJson::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn r_win_5_a_closed_window_is_453() {
        let error = ApiError::from(ApplicationError::WindowClosed);
        assert_eq!(error.status_code().as_u16(), 453);
        assert_eq!(
            shown(&error),
            json!({"reason": "The 24-hour customer service window is closed. Send a template message.",
                   "waba_response": {"errors": [{"code": 470, "title": "Re-engagement message"}]}})
        );
    }

    #[test]
    fn r_win_6_whatsapps_own_window_error_is_453_too() {
        assert_eq!(ApiError::Provider(raw(r#"[{"code":131047,"title":"Re-engagement"}]"#)).status_code().as_u16(), 453);
        let error = ApiError::Provider(raw(r#"[{"code":131026,"title":"Message undeliverable"}]"#));
        assert_eq!(error.status_code().as_u16(), 400);
        assert_eq!(shown(&error)["reason"], "WhatsApp refused the message: Message undeliverable");
    }

    #[test]
    fn r_asg_10_the_loser_is_told_why() {
        let body = shown(&ApiError::from(ApplicationError::AssignmentHeld));
        assert_eq!(body["reason"], "Chat assignments have been changed by another user recently.");
        assert_eq!(body["detail"], FORBIDDEN);
    }

    #[test]
    fn r_err_4_every_400_has_a_reason() {
        let errors = [
            ApiError::field("text", "This field is required."),
            ApiError::Parse("Expecting value: line 1 column 1 (char 0)".to_owned()),
            ApiError::Reason("No.".to_owned()),
            ApiError::Provider(raw("[]")),
            ApiError::Refused(raw("[]")),
        ];
        for error in errors {
            assert!(shown(&error)["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{error:?}");
        }
    }

    #[test]
    fn r_err_2_a_fault_shows_nothing_of_its_cause() {
        let error = ApiError::from(Unavailable::new("the database", "password=hunter2"));
        assert_eq!(error.status_code().as_u16(), 503);
        assert!(!shown(&error).to_string().contains("hunter2"));
    }
}
