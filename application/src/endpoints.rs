//! Addresses that a tenant has called: vetted, then sealed whole, with only their origin told to the ledger.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use chatledger_domain::{Endpoint, SecretId, TenantId};
use serde::{Deserialize, Serialize};

use crate::{application::Application, error::ApplicationError, ports::addresses::AddressError};

/// Names and values of headers.
pub type Headers = BTreeMap<String, String>;

/// Where to call and what to send along; all of it may be secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTarget {
    /// The whole address.
    pub url: String,
    /// Headers to send along.
    pub headers: Headers,
    /// What calls are signed with, the newest first; each as long as it is valid (R-OUT-2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing: Vec<SigningKey>,
    /// What calls are signed with as WhatsApp signs its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_secret: Option<String>,
}

/// A secret of Standard Webhooks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// `whsec_` and the base64 of 32 bytes.
    pub secret: String,
    /// Until when it signs, POSIX seconds; `None` for the one that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl SigningKey {
    /// Whether it signs at a time, POSIX seconds.
    #[must_use]
    pub fn is_valid_at(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Headers that belong to a connection or say what the body is, and those that a call of ours carries by itself.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
    "x-chatledger-attempt",
    "x-chatledger-delivery",
    "x-hub-signature-256",
];

/// Whether a header, in whatever case, is none that a tenant may set.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

impl fmt::Debug for CallTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallTarget(…)")
    }
}

impl Application {
    /// The whole of some endpoints, by the id of their secret. One that changed at this very moment may be missing.
    ///
    /// # Errors
    /// The vault's fault.
    pub async fn call_targets(
        &self,
        tenant: TenantId,
        ids: &[SecretId],
    ) -> Result<HashMap<SecretId, CallTarget>, ApplicationError> {
        let sealed = self.secrets.unseal(tenant, ids).await?;
        Ok(sealed.into_iter().filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?))).collect())
    }

    /// Vets and seals a target; the endpoint as it was when it is the same.
    pub(crate) async fn seal_target(
        &self,
        tenant: TenantId,
        target: &CallTarget,
        before: Option<&Endpoint>,
    ) -> Result<Endpoint, ApplicationError> {
        let vetted = self.addresses.vet(&target.url).await?;
        // Our own door under a tenant's name: a call would come back to us.
        if self.directory.by_host(vetted.host.trim_end_matches('.')).await?.is_some() {
            return Err(AddressError::Place.into());
        }
        if let Some(before) = before
            && self.call_targets(tenant, &[before.secret]).await?.get(&before.secret) == Some(target)
        {
            return Ok(before.clone());
        }
        self.keep_target(tenant, target, vetted.origin).await
    }

    /// Seals a target whose origin is known to be allowed.
    pub(crate) async fn keep_target(
        &self,
        tenant: TenantId,
        target: &CallTarget,
        origin: String,
    ) -> Result<Endpoint, ApplicationError> {
        let secret = SecretId(self.random.uuid());
        let text = serde_json::to_string(target).unwrap_or_default();
        self.secrets.seal(tenant, secret, &text).await?;
        Ok(Endpoint { origin, header_names: target.headers.keys().cloned().collect(), secret })
    }

    /// Forgets the one of two endpoints' secrets that is of no more use. A fault only leaves a row that nobody names.
    pub(crate) async fn forget_target(&self, tenant: TenantId, unused: Option<&Endpoint>, used: Option<&Endpoint>) {
        let Some(unused) = unused.filter(|unused| used.is_none_or(|used| used.secret != unused.secret)) else { return };
        if let Err(error) = self.secrets.forget(tenant, unused.secret).await {
            tracing::warn!(%error, "a secret of no more use stays in the vault");
        }
    }
}
