//! One connection that many callers share.
//!
//! A caller appends its command to those that are to be sent, under a lock that is held for no
//! longer than that takes, and gets a place for the reply. A task, the [driver](driver::Driver),
//! writes what has gathered, and hands out replies in the order of the commands.
//!
//! | who | does |
//! |---|---|
//! | [`queue`] | which commands are to be sent, and whose reply is next; no input or output |
//! | [`outgoing`] | what is being written |
//! | [`driver`] | reads, hands out, writes, and ends the connection |
//! | [`socket`] | TCP, Unix sockets and TLS as one |
//!
//! # Who writes
//!
//! A caller that nobody is before writes its command itself: with the driver, a task would have to
//! be woken for each. While commands are in flight, or were together just before, further ones
//! gather, and the driver writes all of them at once. A multi-threaded runtime runs a woken task
//! right after the task that woke it, so the driver lets everybody else who is ready have a turn
//! first, once: one system call per command, on the server as well, would otherwise be the rule.
//!
//! # Who has gone
//!
//! A caller may be dropped at any time. Its command may have been sent by then, so its place stays
//! until the reply has come, which nobody gets. Everything ends with the driver, whatever ends
//! that: an error, its handle, or its runtime. Every caller is told at once.

mod driver;
mod outgoing;
mod pack;
mod queue;
mod socket;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

pub(in crate::store) use self::driver::{Driver, Progress};
use self::outgoing::Outgoing;
pub(in crate::store) use self::pack::{Asking, GetKey, Pack};
pub(in crate::store) use self::queue::Replies;
use self::queue::{Place, Queue};
pub(in crate::store) use self::socket::Socket;
use crate::store::redis::connection::wire::RespValue;

/// A connection. Clones are one.
#[derive(Clone)]
pub(in crate::store) struct Multiplexer(Arc<Shared>);

/// What callers and the driver share. Whoever holds both locks has taken that of `outgoing` first,
/// or has not waited for it.
struct Shared {
    queue: Mutex<Queue>,
    outgoing: Mutex<Outgoing>,
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Ended {
    /// By either side, or by what is between them.
    Closed,
    /// What the other side says is not Redis's protocol.
    Malformed,
}

/// Who is told what the server says without having been asked.
pub(in crate::store) type Listener = Box<dyn FnMut(RespValue) + Send>;

impl Multiplexer {
    /// A connection by this socket. Nothing moves unless the driver is polled.
    pub(in crate::store) fn new(socket: Socket, listener: Option<Listener>) -> (Self, Driver) {
        let (reader, writer) = socket.split();
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            outgoing: Mutex::new(Outgoing::new(writer)),
        });
        (Self(Arc::clone(&shared)), Driver::new(shared, reader, listener))
    }

    /// Sends a command, or several, when the future is polled first. If the future is dropped, the
    /// command may have been sent, and its reply is thrown away.
    pub(in crate::store) fn send<P: Pack>(&self, command: P) -> Exchange<'_, P> {
        Exchange { shared: &self.0, command, place: None }
    }
}

/// A command, and then its reply.
#[must_use]
pub(in crate::store) struct Exchange<'a, P> {
    shared: &'a Shared,
    command: P,
    /// From when it is among those to be sent until its reply was taken.
    place: Option<Place>,
}

impl<P: Pack> Future for Exchange<'_, P> {
    type Output = Result<P::Replies, Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(place) = self.place else {
            let count = self.command.count();
            if count == 0 {
                return Poll::Ready(P::unpack(Replies::of(count)).ok_or(Ended::Malformed));
            }
            return match self.shared.submit(self.command, cx.waker()) {
                Ok(place) => {
                    self.place = place;
                    Poll::Pending
                }
                Err(ended) => Poll::Ready(Err(ended)),
            };
        };
        let taken = self.shared.queue().take(place, cx.waker());
        taken.map(|replies| {
            self.place = None;
            replies.and_then(|replies| P::unpack(replies).ok_or(Ended::Malformed))
        })
    }
}

impl<P> Drop for Exchange<'_, P> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            // What is thrown away is dropped without the lock.
            let _replies = self.shared.queue().abandon(place);
        }
    }
}

impl Shared {
    /// Adds a command to those that are to be sent, and sends it if nobody is before it. No place:
    /// too much is to be sent already, and `waker` is called when that has changed.
    fn submit(&self, command: impl Pack, waker: &Waker) -> Result<Option<Place>, Ended> {
        let mut queue = self.queue();
        if !queue.has_room(waker)? {
            return Ok(None);
        }
        let is_alone = queue.is_alone();
        let place = queue.add(command, waker);
        if is_alone && let Some(mut outgoing) = self.outgoing_at_once() {
            let crowd = outgoing.refill(&mut queue);
            drop(queue);
            crowd.into_iter().for_each(Waker::wake);
            if outgoing.try_send() {
                return Ok(Some(place));
            }
            drop(outgoing);
            queue = self.queue();
        }
        let driver = queue.driver();
        drop(queue);
        if let Some(driver) = driver {
            driver.wake();
        }
        Ok(Some(place))
    }

    /// The connection has ended, and every caller is told. Only the first time counts.
    fn end(&self, ended: Ended) {
        self.outgoing().close();
        let wakers = self.queue().end(ended);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same if nobody else is writing, and nothing is left to be written.
    fn outgoing_at_once(&self) -> Option<MutexGuard<'_, Outgoing>> {
        self.outgoing.try_lock().ok().filter(|outgoing| outgoing.is_sent())
    }
}

impl fmt::Debug for Multiplexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Multiplexer").field(&*self.0.queue()).finish()
    }
}
