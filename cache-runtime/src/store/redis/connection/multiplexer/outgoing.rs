//! What is being written.

use std::io;
use std::task::{Context, Poll, Waker, ready};

use crate::store::redis::connection::multiplexer::queue::Queue;
use crate::store::redis::connection::multiplexer::socket::Writer;

/// A buffer that has grown larger than this is not kept.
const KEPT: usize = 1 << 20;

/// Commands on their way to the socket.
pub(super) struct Outgoing {
    /// None when the connection has ended.
    writer: Option<Writer>,
    commands: Vec<u8>,
    /// How many bytes of them have been written.
    written: usize,
    /// Whether what was written may still be in a buffer of the writer.
    is_buffered: bool,
}

impl Outgoing {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer: Some(writer), commands: Vec::new(), written: 0, is_buffered: false }
    }

    /// Whether there is nothing left to be written.
    pub(super) fn is_sent(&self) -> bool {
        self.commands.is_empty() && !self.is_buffered
    }

    /// Takes over what is to be sent. Those who waited for room are to be woken.
    pub(super) fn refill(&mut self, queue: &mut Queue) -> Vec<Waker> {
        queue.unload(&mut self.commands)
    }

    /// Writes what the socket takes at once. False if that is not everything, or if the connection
    /// has come to its end, which the driver will learn.
    pub(super) fn try_send(&mut self) -> bool {
        let Some(writer) = &self.writer else { return false };
        match writer.try_write(&self.commands) {
            Ok(written) => {
                self.note(written);
                self.is_sent()
            }
            Err(_) => false,
        }
    }

    /// Writes everything.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        while let Some(rest) = self.commands.get(self.written..).filter(|it| !it.is_empty()) {
            let writer = self.writer.as_mut().ok_or_else(closed)?;
            match ready!(writer.poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(closed())),
                written => self.note(written),
            }
        }
        if self.is_buffered {
            let writer = self.writer.as_mut().ok_or_else(closed)?;
            ready!(writer.poll_flush(cx))?;
            self.is_buffered = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Closes this side of the socket.
    pub(super) fn close(&mut self) {
        self.writer = None;
        self.commands = Vec::new();
    }

    fn note(&mut self, written: usize) {
        self.written += written;
        self.is_buffered = self.writer.as_ref().is_some_and(Writer::has_buffer);
        if self.written >= self.commands.len() {
            self.written = 0;
            self.commands.clear();
            if self.commands.capacity() > KEPT {
                self.commands = Vec::new();
            }
        }
    }
}
