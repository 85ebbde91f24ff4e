//! Every error of the doors for WhatsApp, in the Service API's form.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use chatledger_application::ApplicationError;

use crate::{extract::BodyError, family::Family};

/// What the contract answers to a bad signature, exactly.
const INVALID_SIGNATURE: &str =
    r#"{"success":false,"error":"Invalid signature","details":{"code":"INVALID_SIGNATURE"}}"#;

/// An error of a webhook call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookError {
    /// 400: no JSON object (R-IN-3).
    NotACall,
    /// 401: not Meta's signature (R-IN-1).
    InvalidSignature,
    /// 404: nobody's channel.
    UnknownChannel,
    /// The body did not arrive.
    Body(BodyError),
    /// 503: not recorded; WhatsApp tries again.
    Unavailable,
    /// 500: a fault of ours.
    Internal,
}

impl std::fmt::Display for HookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.status_code().fmt(f)
    }
}

impl ResponseError for HookError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotACall | Self::Body(BodyError::Broken) => StatusCode::BAD_REQUEST,
            Self::InvalidSignature => StatusCode::UNAUTHORIZED,
            Self::UnknownChannel => StatusCode::NOT_FOUND,
            Self::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        match self {
            Self::NotACall => Family::Service.error(status, "The body is not a WhatsApp call", "INVALID_BODY"),
            Self::InvalidSignature => HttpResponse::build(status)
                .insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8"))
                .body(INVALID_SIGNATURE),
            Self::Body(_) => {
                let mut response = Family::Service.status_error(status);
                // The rest of the body is still on its way, and nobody will read it.
                response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
                response
            }
            _ => Family::Service.status_error(status),
        }
    }
}

impl From<BodyError> for HookError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<ApplicationError> for HookError {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::Unavailable(error) => {
                tracing::warn!(?error, "a webhook was not recorded");
                Self::Unavailable
            }
            ApplicationError::Conflict => Self::Unavailable,
            error => {
                tracing::error!(?error, "a webhook was not recorded");
                Self::Internal
            }
        }
    }
}
