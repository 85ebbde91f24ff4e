//! How requests are read: who calls, the body, the query, the path.
//!
//! Extractors that can refuse what they read do it when the handler asks, not before: a request without a credential
//! is answered as such whatever else is wrong with it.

mod body;
mod caller;
mod field_errors;
mod fields;
pub mod format;
mod multipart;
mod pagination;
mod query;
mod raw_body;
mod upload;
mod value;

pub use body::Body;
pub use caller::{Admin, Anyone, Caller, NamesCaller, Visitor, WhatsApp};
pub use field_errors::FieldErrors;
pub use fields::{Fields, Valid};
pub use pagination::{ListPage, Pagination};
pub use query::{NamesNothing, Query};
pub use raw_body::{BodyError, read_body};
pub use upload::Upload;
pub use value::{Given, text};

use chatledger_domain::WaId;

use crate::error::ApiError;

/// The chat that a path names; 404 when no id can be read there.
///
/// # Errors
/// [`ApiError::NotFound`].
pub fn wa_id_in_path(text: &str) -> Result<WaId, ApiError> {
    WaId::parse(text).map_err(|_| ApiError::NotFound)
}

/// The number that a path names; 404 when there is none.
///
/// # Errors
/// [`ApiError::NotFound`].
pub fn number_in_path(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

/// The fields of a JSON body, for tests.
#[cfg(test)]
pub(crate) fn fields_of(json: &str) -> Fields {
    body::from_json(json.as_bytes()).unwrap()
}
