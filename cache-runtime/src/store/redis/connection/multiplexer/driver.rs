//! The task that reads, hands out replies and writes.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;

use crate::store::redis::connection::large::LARGE;
use crate::store::redis::connection::multiplexer::queue::Received;
use crate::store::redis::connection::multiplexer::socket::Reader;
use crate::store::redis::connection::multiplexer::{Ended, Listener, Shared};
use crate::store::redis::connection::wire::{Frames, RespValue};

/// How much is read at once, as a rule.
const CHUNK: usize = 64 << 10;
/// With less room than this, a new buffer is made, or an old one that nobody holds used again.
const LEAST: usize = 8 << 10;

/// Moves bytes between the callers of a connection and its socket, for as long as it is polled. All
/// calls end with it.
pub(in crate::store) struct Driver {
    shared: Arc<Shared>,
    reader: Reader,
    input: BytesMut,
    frames: Frames,
    /// The buffer has grown for a large reply.
    is_oversized: bool,
    progress: Progress,
    listener: Option<Listener>,
    /// Whether others have had their turn before the next write.
    has_yielded: bool,
    replies: Vec<RespValue>,
    wakers: Vec<Waker>,
}

/// How many bytes of a large reply have arrived; 0 while there is none. Clones are one.
///
/// Behind a reply of 50 MB, every other one waits for as long as that takes, also the one to a
/// `PING`: a server that sends as fast as the network lets it would look like one that does not
/// answer.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Progress(Arc<AtomicU64>);

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, reader: Reader, listener: Option<Listener>) -> Self {
        Self {
            shared,
            reader,
            input: BytesMut::new(),
            frames: Frames::default(),
            is_oversized: false,
            progress: Progress::default(),
            listener,
            has_yielded: false,
            replies: Vec::new(),
            wakers: Vec::new(),
        }
    }

    /// How far a large reply is.
    pub(in crate::store) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        // Replies first: whoever gets one may have another command, which is then written with the
        // others.
        while let Poll::Ready(read) = self.read(cx) {
            match read {
                Ok(()) => {}
                Err(ended) => return Poll::Ready(ended),
            }
        }
        self.write(cx)
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if self.input.capacity() - self.input.len() < LEAST {
            // What a server announces is not believed before as much has come.
            let missing = self.frames.missing().min(self.input.len());
            self.is_oversized |= missing > CHUNK;
            self.input.reserve(missing.max(CHUNK));
        }
        match ready!(self.reader.poll_read(cx, &mut self.input)) {
            Ok(1..) => Poll::Ready(self.deliver()),
            Ok(0) | Err(_) => Poll::Ready(Err(Ended::Closed)),
        }
    }

    /// Hands out the replies that have arrived.
    fn deliver(&mut self) -> Result<(), Ended> {
        let frames = loop {
            match self.frames.next(&mut self.input) {
                Ok(Some(push @ RespValue::Push(_))) => {
                    // In the order of the socket: after the replies before it, and before those
                    // behind it.
                    self.hand_out()?;
                    self.tell(push)?;
                }
                Ok(Some(reply)) => self.replies.push(reply),
                Ok(None) => break Ok(()),
                Err(_) => break Err(Ended::Malformed),
            }
        };
        self.hand_out()?;
        let so_far = self.input.len();
        let is_large = so_far.saturating_add(self.frames.missing()) > LARGE;
        self.progress.set(if is_large { so_far as u64 } else { 0 });
        if self.is_oversized && self.frames.missing() == 0 {
            self.is_oversized = false;
            self.input = BytesMut::from(&self.input[..]);
        }
        frames
    }

    fn hand_out(&mut self) -> Result<(), Ended> {
        let mut replies = mem::take(&mut self.replies);
        let (mut unwanted, mut unasked) = (Vec::new(), Vec::new());
        let mut queue = self.shared.queue();
        for reply in replies.drain(..) {
            match queue.receive(reply) {
                Received::Wakes(waker) => self.wakers.push(waker),
                Received::Kept => {}
                // Dropped without the lock.
                Received::Unwanted(reply) => unwanted.push(reply),
                Received::Unasked(reply) => unasked.push(reply),
            }
        }
        drop(queue);
        self.replies = replies;
        self.wakers.drain(..).for_each(Waker::wake);
        unasked.into_iter().try_for_each(|value| self.tell(value))
    }

    /// The server says something without having been asked.
    fn tell(&mut self, value: RespValue) -> Result<(), Ended> {
        match (&mut self.listener, value) {
            (Some(listener), value) => listener(value),
            // The server says why it will close the connection.
            (None, RespValue::Push(_) | RespValue::ServerError(_)) => {}
            (None, _) => return Err(Ended::Malformed),
        }
        Ok(())
    }

    /// Writes what there is to be written, until there is no more.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { shared, has_yielded, .. } = self;
        let mut outgoing = shared.outgoing();
        loop {
            if ready!(outgoing.poll_send(cx)).is_err() {
                return Poll::Ready(Ended::Closed);
            }
            let mut queue = shared.queue();
            if !queue.has_unsent() {
                queue.rest(cx.waker());
                return Poll::Pending;
            }
            *has_yielded = !*has_yielded && queue.is_busy();
            if *has_yielded {
                // A task that wakes itself goes to the end of the runtime's queue.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let crowd = outgoing.refill(&mut queue);
            drop(queue);
            crowd.into_iter().for_each(Waker::wake);
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let ended = ready!(self.drive(cx));
        self.shared.end(ended);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(Ended::Closed);
    }
}

impl Progress {
    pub(in crate::store) fn bytes(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn set(&self, bytes: u64) {
        // Only read, as a rule: there is no large reply.
        if self.bytes() != bytes {
            self.0.store(bytes, Relaxed);
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("input", &self.input.len()).finish_non_exhaustive()
    }
}
