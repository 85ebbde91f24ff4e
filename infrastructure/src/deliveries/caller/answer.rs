//! Reads what a receiver answers: a bounded part of it in a bounded time, never unpacked, and why there is none.

use std::{error::Error, io, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use tokio::time::timeout;

use super::Limits;

/// So many bytes of an answer are read, or as many as are handed on; a longer one costs its connection.
const READ: usize = 16 * 1024;
/// The longest wait that a receiver may ask for (R-OUT-4).
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 3600);

/// What was read.
pub(super) struct Read {
    pub(super) text: String,
    pub(super) is_whole: bool,
}

/// The first bytes of an answer. A fault here changes nothing of what the status said.
pub(super) async fn read(mut response: Response, limits: Limits) -> Read {
    let mut bytes = Vec::new();
    let most = READ.max(limits.answer);
    let all = timeout(limits.rest, async {
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = most - bytes.len();
                    bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        return false;
                    }
                }
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    });
    let ended = all.await.unwrap_or(false);
    Read { is_whole: ended && bytes.len() <= limits.answer, text: text(&bytes, limits.answer) }
}

/// As text of at most so many bytes. Null characters, which no column of text takes, are replaced as well.
fn text(bytes: &[u8], most: usize) -> String {
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).replace('\0', "\u{fffd}");
    while text.len() > most {
        text.pop();
    }
    text
}

/// `Retry-After`: seconds or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let told = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match told.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(told).ok()?.to_utc() - now).to_std().ok()?,
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Why a call broke, in words that tell nothing of where it went.
pub(super) fn explain(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut kind = None;
    while let Some(at) = cause {
        kind = at.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        cause = at.source();
    }
    match kind {
        _ if error.is_timeout() => "no connection in time",
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::InvalidData) if error.is_connect() => "no trusted TLS connection",
        _ if error.is_connect() => "no connection",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
            "the connection was closed before an answer"
        }
        _ => "no proper HTTP answer",
    }
}
