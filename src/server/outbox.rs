//! The queue of what waits to be sent to one client, bounded in bytes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::rooms::Closing;

/// What the session is to send.
#[derive(Debug)]
pub(crate) enum Outbound {
    /// A text frame, shared with the others who are sent the same.
    Text(Utf8Bytes),
    /// The end of the connection, after everything before.
    Close(Closing),
}

/// The room loop's end of the queue.
pub(crate) struct Outbox {
    queue: mpsc::UnboundedSender<Outbound>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
    overflow: CancellationToken,
}

/// The session's end of the queue.
pub(crate) struct Outgoings {
    queue: mpsc::UnboundedReceiver<Outbound>,
    waiting: Arc<AtomicUsize>,
    /// Cancelled when the client does not take what it is sent.
    pub(crate) overflow: CancellationToken,
}

/// A queue that holds at most `limit` bytes of text.
pub(crate) fn outbox(limit: usize) -> (Outbox, Outgoings) {
    let (sender, queue) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let overflow = CancellationToken::new();
    let outbox = Outbox {
        queue: sender,
        waiting: Arc::clone(&waiting),
        limit,
        overflow: overflow.clone(),
    };
    let outgoings = Outgoings {
        queue,
        waiting,
        overflow,
    };
    (outbox, outgoings)
}

impl Outbox {
    /// Adds a text. Where it does not fit the connection is given up: a client that has missed an
    /// event is wrong about the room until it joins again.
    pub(crate) fn send(&self, text: Utf8Bytes) {
        let length = text.len();
        if self.waiting.fetch_add(length, Ordering::Relaxed) + length > self.limit {
            self.overflow.cancel();
            return;
        }
        // The session is gone: its end is on the way to the room loop.
        let _ = self.queue.send(Outbound::Text(text));
    }

    /// Ends the connection after what was sent before.
    pub(crate) fn close(&self, closing: Closing) {
        let _ = self.queue.send(Outbound::Close(closing));
    }
}

impl Outgoings {
    /// The next thing to send; `None` when the room loop is gone.
    pub(crate) async fn next(&mut self) -> Option<Outbound> {
        let next = self.queue.recv().await;
        self.count(next)
    }

    /// The next thing to send, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Outbound> {
        let next = self.queue.try_recv().ok();
        self.count(next)
    }

    fn count(&self, next: Option<Outbound>) -> Option<Outbound> {
        if let Some(Outbound::Text(text)) = &next {
            self.waiting.fetch_sub(text.len(), Ordering::Relaxed);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_beyond_its_limit_gives_the_connection_up() {
        let (outbox, mut outgoings) = outbox(10);
        outbox.send("12345678".into());
        assert!(matches!(outgoings.next().await, Some(Outbound::Text(_))));
        outbox.send("12345678".into());
        assert!(!outgoings.overflow.is_cancelled());
        outbox.send("123".into());
        assert!(outgoings.overflow.is_cancelled());
    }
}
