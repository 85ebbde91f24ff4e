//! Reads the bytes of a body: no more than allowed, no longer than allowed.

use std::time::Duration;

use actix_web::{
    dev::Payload,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;

use crate::error::ApiError;

/// How much of a body that is too large is still taken in, in bytes.
const MOST_DISCARDED: usize = 16 * 1024 * 1024;

/// Why a body was not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Longer than allowed.
    TooLarge,
    /// It took longer than allowed.
    TooSlow,
    /// The connection or the framing broke.
    Broken,
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::TooSlow => Self::TooSlow,
            BodyError::Broken => Self::Reason("The request body could not be read.".to_owned()),
        }
    }
}

/// Reads a body whole. `length` is what the client announced.
///
/// # Errors
/// [`BodyError`].
pub async fn read_body(
    mut payload: Payload,
    length: Option<usize>,
    at_most: usize,
    deadline: Duration,
) -> Result<Bytes, BodyError> {
    let read = async {
        let read = collect(&mut payload, length, at_most).await;
        if read == Err(BodyError::TooLarge) {
            discard(&mut payload).await;
        }
        read
    };
    tokio::time::timeout(deadline, read).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(payload: &mut Payload, length: Option<usize>, at_most: usize) -> Result<Bytes, BodyError> {
    if length.is_some_and(|length| length > at_most) {
        return Err(BodyError::TooLarge);
    }
    // Nearly every body comes in one piece, which is then passed on as it is.
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|_| BodyError::Broken)?;
    let Some(second) = payload.next().await else { return within(first, at_most) };
    let mut whole = BytesMut::with_capacity(length.unwrap_or(first.len() * 2).min(at_most));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second.map_err(|_| BodyError::Broken)?);
    while whole.len() <= at_most
        && let Some(chunk) = payload.next().await
    {
        whole.extend_from_slice(&chunk.map_err(|_| BodyError::Broken)?);
    }
    within(whole.freeze(), at_most)
}

/// Takes in what is still being sent, within reason: a client whose connection is cut while it sends never sees why.
async fn discard(payload: &mut Payload) {
    let mut left = MOST_DISCARDED;
    while left > 0
        && let Some(Ok(chunk)) = payload.next().await
    {
        left = left.saturating_sub(chunk.len());
    }
}

fn within(bytes: Bytes, at_most: usize) -> Result<Bytes, BodyError> {
    if bytes.len() > at_most { Err(BodyError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use actix_web::error::PayloadError;
    use futures_util::{Stream, stream};

    use super::*;

    fn payload(stream: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
        Payload::Stream { payload: Box::pin(stream) }
    }

    fn pieces(pieces: &'static [&'static str]) -> Payload {
        payload(stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes())))))
    }

    #[actix_web::test]
    async fn a_body_is_read_to_its_end_and_its_limit() {
        let second = Duration::from_secs(1);
        assert_eq!(read_body(pieces(&["ab", "c", "d"]), None, 4, second).await, Ok(Bytes::from_static(b"abcd")));
        assert_eq!(read_body(pieces(&["ab", "cde"]), None, 4, second).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(pieces(&["abcde"]), None, 4, second).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(pieces(&[]), Some(5), 4, second).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(pieces(&[]), None, 4, second).await, Ok(Bytes::new()));
    }

    #[actix_web::test]
    async fn a_body_that_drips_is_cut() {
        let drip = stream::once(ready(Ok(Bytes::from_static(b"a")))).chain(stream::pending());
        assert_eq!(read_body(payload(drip), None, 4, Duration::from_millis(5)).await, Err(BodyError::TooSlow));
    }
}
