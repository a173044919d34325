//! Many commands in one system call.
//!
//! A multi-threaded runtime runs a woken task right after the task that woke it. The task that
//! drives a connection would therefore write each command by itself, however many callers are about
//! to send theirs: one system call per command, on the server as well. If it is deferred until
//! those callers have had their turn, it writes all their commands at once, which more than doubles
//! the throughput of a connection. Replies are not deferred.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::store::redis::connection::replies::{Progress, Replies};

/// A stream whose every write waits once for the tasks that are ready to run, and which knows how
/// far its replies are.
#[derive(Debug)]
pub(in crate::store) struct Gathered<S> {
    stream: S,
    has_waited: bool,
    replies: Replies,
}

impl<S> Gathered<S> {
    pub(in crate::store) fn new(stream: S) -> Self {
        Self { stream, has_waited: false, replies: Replies::default() }
    }

    /// How far a large reply is.
    pub(in crate::store) fn progress(&self) -> Progress {
        self.replies.progress()
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            // A task that wakes itself goes to the end of the queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.replies.pass(buffer.filled().get(before..).unwrap_or_default());
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncWriteExt as _, sink};

    use super::*;

    #[tokio::test]
    async fn a_write_waits_for_those_who_are_ready() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |who| {
            let order = Arc::clone(&order);
            move || order.lock().unwrap().push(who)
        };
        let (written, ran) = (note("write"), note("caller"));
        let writer = tokio::spawn(async move {
            Gathered::new(sink()).write_all(b"PING").await.unwrap();
            written();
        });
        let caller = tokio::spawn(async move { ran() });
        writer.await.unwrap();
        caller.await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["caller", "write"]);
    }
}
