//! One outgoing call, safe and bounded: where to is vetted anew, the connection goes to what was vetted and nowhere
//! else, and whatever comes back costs a bounded time and memory (R-OUT-1, R-OUT-2, R-OUT-3, R-OUT-8).
//!
//! One [`Caller`] serves all receivers. Whether and when a call is made again is not decided here.

mod answer;
mod connections;
mod headers;
mod pins;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chatledger_application::{
    endpoints::CallTarget,
    ports::{
        Unavailable,
        addresses::{AddressError, Addresses, Vetted},
        clock::Clock,
        directory::Directory,
    },
};
use tokio::time::timeout;
use uuid::Uuid;

use self::{answer::Read, connections::Connections};

/// What a call may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may take until the status is there, the name service included.
    pub head: Duration,
    /// How long the rest of the answer is waited for.
    pub rest: Duration,
    /// How many bytes of the answer are handed on.
    pub answer: usize,
}

impl Limits {
    /// A delivery: a 2xx within 10 s counts (R-OUT-3), whatever follows it.
    pub const DELIVERY: Self = Self { head: Duration::from_secs(10), rest: Duration::from_secs(2), answer: 1024 };
}

/// What came of a call.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The status, where an answer came in time.
    pub status: Option<u16>,
    /// How long it took in all.
    pub took: Duration,
    /// The first bytes of the answer, with replacement characters for what is no UTF-8.
    pub answer: String,
    /// Whether that is the whole answer.
    pub is_whole: bool,
    /// Why there is no status. Tells nothing of addresses, headers and secrets.
    pub error: Option<String>,
    /// After how long the receiver wants to be asked again, at most 10 h (R-OUT-4).
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// Any 2xx (R-OUT-3).
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// 410: never to be called with this again (R-OUT-4).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("not called: {0}")]
    Address(#[from] AddressError),
    #[error("not called: {0}")]
    Unavailable(#[from] Unavailable),
    #[error("{}", answer::explain(.0))]
    Broken(#[from] reqwest::Error),
}

/// Calls receivers.
pub struct Caller {
    addresses: Arc<dyn Addresses>,
    directory: Arc<dyn Directory>,
    clock: Arc<dyn Clock>,
    connections: Connections,
}

impl Caller {
    /// A caller. `addresses` says where calls may go, `directory` which hosts are our own.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(
        addresses: Arc<dyn Addresses>,
        directory: Arc<dyn Directory>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Unavailable> {
        Ok(Self { addresses, directory, clock, connections: Connections::new()? })
    }

    /// Delivers a body once: at most about 12 s.
    pub async fn call(&self, target: &CallTarget, id: Uuid, attempt: u32, body: Arc<str>) -> Outcome {
        self.call_within(target, id, attempt, body, Limits::DELIVERY).await
    }

    /// Calls within other limits.
    pub async fn call_within(
        &self,
        target: &CallTarget,
        id: Uuid,
        attempt: u32,
        body: Arc<str>,
        limits: Limits,
    ) -> Outcome {
        let start = Instant::now();
        let outcome = match timeout(limits.head, self.send(target, id, attempt, body)).await {
            Err(_) => Outcome { error: Some("no answer in time".to_owned()), ..Outcome::default() },
            Ok(Err(why)) => Outcome { error: Some(why.to_string()), ..Outcome::default() },
            Ok(Ok(response)) => {
                let status = response.status().as_u16();
                let retry_after = answer::retry_after(response.headers(), self.clock.now());
                let Read { text, is_whole } = answer::read(response, limits).await;
                Outcome { status: Some(status), answer: text, is_whole, retry_after, ..Outcome::default() }
            }
        };
        Outcome { took: start.elapsed(), ..outcome }
    }

    async fn send(
        &self,
        target: &CallTarget,
        id: Uuid,
        attempt: u32,
        body: Arc<str>,
    ) -> Result<reqwest::Response, NoAnswer> {
        let vetted = self.vet(&target.url).await?;
        let headers = headers::of(target, id, attempt, self.clock.now().timestamp(), &body);
        // Held until the status is there: the connection is made by then.
        let lane = self.connections.lane(&vetted);
        let request = lane.client().post(&vetted.url).headers(headers).body(Bytes::from_owner(Text(body)));
        Ok(request.send().await?)
    }

    /// As it is vetted when it is set; names lead elsewhere later, and tenants get hosts.
    async fn vet(&self, url: &str) -> Result<Vetted, NoAnswer> {
        let vetted = self.addresses.vet(url).await?;
        match self.directory.by_host(vetted.host.trim_end_matches('.')).await? {
            Some(_) => Err(AddressError::Place.into()),
            None => Ok(vetted),
        }
    }
}

/// A body that attempts and receivers share.
struct Text(Arc<str>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
