//! What waits to be sent on one connection: bounded, so that a slow client costs nobody but itself (R-WS-8).

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytestring::ByteString;
use chatledger_domain::Position;
use tokio::sync::Notify;

/// A client that is further behind is let go (R-WS-8).
const MOST_FRAMES: usize = 1_000;
/// The same in bytes; a single frame may be larger.
const MOST_BYTES: usize = 1 << 20;

const QUARTER_FRAMES: usize = MOST_FRAMES / 4;
const QUARTER_BYTES: usize = MOST_BYTES / 4;

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client is too far behind: 1013.
    Behind,
    /// The user's access has ended: 1008.
    Revoked,
    /// What happened could not be told: 1011. The client catches up after it has come again.
    Failed,
}

/// A frame, and how far the ledger was told with it.
pub(super) struct Letter {
    pub upto: Position,
    pub text: ByteString,
}

/// The frames of one connection that are not sent yet.
#[derive(Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    wake: Notify,
}

#[derive(Default)]
struct Inner {
    letters: VecDeque<Letter>,
    bytes: usize,
    end: Option<End>,
}

/// What is to be done next.
pub(super) enum Next {
    Send(Letter),
    End(End),
    Wait,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame in; one too many ends the connection. Whether one more quarter of it is full, so that whoever
    /// has much to tell at once can give the client the time to take it.
    pub fn put(&self, upto: Position, text: ByteString) -> bool {
        let mut inner = self.lock();
        if inner.end.is_some() {
            return false;
        }
        let (frames, bytes) = (inner.letters.len() + 1, inner.bytes + text.len());
        if frames > MOST_FRAMES || (bytes > MOST_BYTES && frames > 1) {
            drop(inner);
            self.end(End::Behind);
            return false;
        }
        let fills = frames % QUARTER_FRAMES == 0 || inner.bytes / QUARTER_BYTES < bytes / QUARTER_BYTES;
        inner.bytes = bytes;
        inner.letters.push_back(Letter { upto, text });
        drop(inner);
        self.wake.notify_one();
        fills
    }

    /// Whether less than a quarter of it is full.
    pub fn is_calm(&self) -> bool {
        let inner = self.lock();
        inner.letters.len() < QUARTER_FRAMES && inner.bytes < QUARTER_BYTES
    }

    /// Ends the connection; what waits is not sent any more. The first reason stands.
    pub fn end(&self, end: End) {
        let mut inner = self.lock();
        inner.end.get_or_insert(end);
        (inner.letters, inner.bytes) = (VecDeque::new(), 0);
        drop(inner);
        self.wake.notify_one();
    }

    /// Why the connection is to end, if it is.
    pub fn ended(&self) -> Option<End> {
        self.lock().end
    }

    /// Takes what comes next.
    pub fn next(&self) -> Next {
        let mut inner = self.lock();
        if let Some(end) = inner.end {
            return Next::End(end);
        }
        let Some(letter) = inner.letters.pop_front() else {
            // An idle connection keeps no memory for a burst that is over.
            inner.letters.shrink_to_fit();
            return Next::Wait;
        };
        inner.bytes -= letter.text.len();
        Next::Send(letter)
    }

    /// Waits until something has changed. For one waiter.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(mailbox: &Mailbox, frames: usize, bytes: usize) {
        for _ in 0..frames {
            mailbox.put(Position(1), "x".repeat(bytes).into());
        }
    }

    fn is_behind(mailbox: &Mailbox) -> bool {
        matches!(mailbox.next(), Next::End(End::Behind))
    }

    #[test]
    fn r_ws_8_a_thousand_frames_may_wait_and_not_one_more() {
        let mailbox = Mailbox::default();
        fill(&mailbox, 1_000, 10);
        assert!(matches!(mailbox.next(), Next::Send(_)));
        fill(&mailbox, 1, 10);
        assert!(matches!(mailbox.next(), Next::Send(_)));
        fill(&mailbox, 2, 10);
        assert!(is_behind(&mailbox));
    }

    #[test]
    fn a_mebibyte_may_wait_or_one_frame_of_any_size() {
        let mailbox = Mailbox::default();
        fill(&mailbox, 1, 3 << 20);
        assert!(matches!(mailbox.next(), Next::Send(letter) if letter.text.len() == 3 << 20));
        fill(&mailbox, 3, 400 << 10);
        assert!(is_behind(&mailbox));
        fill(&mailbox, 1, 1);
        assert!(is_behind(&mailbox), "nothing is sent after the end");
    }

    #[test]
    fn the_first_reason_stands() {
        let mailbox = Mailbox::default();
        mailbox.end(End::Revoked);
        mailbox.end(End::Behind);
        assert!(matches!(mailbox.next(), Next::End(End::Revoked)));
    }
}
