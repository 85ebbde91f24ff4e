//! Somebody else's address that is called, as far as it may be recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::SecretId;

/// An address to call and the headers to send along. Path, query and values of headers may be secrets, so they are
/// not here: they are sealed in the vault, under an id of their own for every change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Scheme, host and port.
    pub origin: String,
    /// Names of the headers.
    #[serde(default)]
    pub header_names: Vec<String>,
    /// Where the whole address and the headers are sealed.
    pub secret: SecretId,
}
