//! The other end: frames in, frames out, pings and the good-bye.

use std::{io::ErrorKind, pin::Pin, time::Duration};

use actix_web::web::Bytes;
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Message, MessageStream, ProtocolError, Session,
};
use bytestring::ByteString;
use futures_util::{FutureExt, Sink, future::poll_fn};
use tokio::time::timeout;

/// The longest frame that a client may send, in bytes.
const MAX_FRAME: usize = 64 * 1024;
/// How long a client may take to take the good-bye.
const CLOSING: Duration = Duration::from_secs(3);

/// What a client said.
pub(super) enum Said {
    /// A text frame.
    Text(ByteString),
    /// A binary frame.
    Binary,
    /// A ping, to be answered with the same.
    Ping(Bytes),
    /// A pong: it is there.
    Pong,
    /// Good-bye, with its reason.
    Goodbye(Option<CloseReason>),
    /// Nothing more: the connection is broken.
    Gone,
    /// What no client may say; the code says why.
    Nonsense(CloseCode),
}

/// A client.
pub(super) struct Client {
    pub ear: Ear,
    pub voice: Voice,
}

/// What comes from a client.
pub(super) struct Ear(AggregatedMessageStream);

/// What goes to a client.
pub(super) struct Voice(Session);

impl Client {
    pub fn new(session: Session, stream: MessageStream) -> Self {
        let stream = stream.max_frame_size(MAX_FRAME).aggregate_continuations().max_continuation_size(MAX_FRAME);
        Self { ear: Ear(stream), voice: Voice(session) }
    }

    /// Says good-bye.
    pub async fn close(self, reason: Option<CloseReason>) {
        // A client that takes nothing is left to the socket's own time limit.
        let _ = timeout(CLOSING, self.voice.0.close(reason)).await;
    }
}

impl Ear {
    /// The next thing that it says. May be dropped while it waits.
    pub async fn listen(&mut self) -> Said {
        match self.0.recv().await {
            Some(Ok(AggregatedMessage::Text(text))) => Said::Text(text),
            Some(Ok(AggregatedMessage::Binary(_))) => Said::Binary,
            Some(Ok(AggregatedMessage::Ping(bytes))) => Said::Ping(bytes),
            Some(Ok(AggregatedMessage::Pong(_))) => Said::Pong,
            Some(Ok(AggregatedMessage::Close(reason))) => Said::Goodbye(reason),
            Some(Err(ProtocolError::Overflow)) => Said::Nonsense(CloseCode::Size),
            Some(Err(ProtocolError::Io(error))) if error.kind() == ErrorKind::InvalidData => {
                Said::Nonsense(CloseCode::Invalid)
            }
            Some(Err(ProtocolError::Io(_))) | None => Said::Gone,
            Some(Err(_)) => Said::Nonsense(CloseCode::Protocol),
        }
    }
}

impl Voice {
    /// Waits until there is room for a frame on the way to the client; whether it is still there. May be dropped while
    /// it waits.
    pub async fn has_room(&mut self) -> bool {
        poll_fn(|cx| Pin::new(&mut self.0).poll_ready(cx)).await.is_ok()
    }

    /// Sends a frame for which [`Self::has_room`] has waited.
    pub fn send(&mut self, text: ByteString) -> bool {
        Pin::new(&mut self.0).start_send(Message::Text(text)).is_ok()
    }

    /// Sends an answer; waits for room.
    pub async fn answer(&mut self, text: &'static str) -> bool {
        self.has_room().await && self.send(ByteString::from_static(text))
    }

    /// Asks whether the client is there. One that does not take what is sent is not asked.
    pub fn ping(&mut self) -> bool {
        self.send_now(Message::Ping(Bytes::new()))
    }

    /// Answers a ping.
    pub fn pong(&mut self, bytes: Bytes) {
        self.send_now(Message::Pong(bytes));
    }

    /// Sends where there is room right now.
    fn send_now(&mut self, message: Message) -> bool {
        self.has_room().now_or_never() == Some(true) && Pin::new(&mut self.0).start_send(message).is_ok()
    }
}
