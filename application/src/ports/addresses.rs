//! Where calls on behalf of a tenant may go (R-WHK-4, R-OUT-8).

use std::net::SocketAddr;

use async_trait::async_trait;

/// An address that may be called, with what it leads to at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetted {
    /// The address, normalised. May hold a secret in its query.
    pub url: String,
    /// Its scheme, host and port: what may be told and recorded. Paths and queries hold secrets.
    pub origin: String,
    /// Its host: a name, or an IP address without brackets.
    pub host: String,
    /// Where to connect to, and nowhere else: every answer of the name service, all of them allowed.
    pub addresses: Vec<SocketAddr>,
}

/// Why an address may not be called. The texts hold nothing of the address itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No URL, or one written to be misread.
    #[error("Enter a valid URL.")]
    Malformed,
    /// Another scheme than `https`.
    #[error("The address must begin with https://.")]
    Scheme,
    /// A name or password in the address.
    #[error("The address must not hold a user name or password.")]
    UserInfo,
    /// A port of other services than HTTP.
    #[error("This port is not allowed.")]
    Port,
    /// Leads to this machine, a private network, or this very server.
    #[error("The address leads to a place that may not be called.")]
    Place,
    /// The name service knows no such name, or does not answer.
    #[error("The host cannot be found.")]
    Unresolved,
}

/// Vets addresses. Ask at every call, not only when an address is set: what a name leads to changes.
#[async_trait]
pub trait Addresses: Send + Sync {
    /// Resolves an address and says whether it may be called; refused when **any** answer may not.
    async fn vet(&self, address: &str) -> Result<Vetted, AddressError>;
}
