//! Which commands are to be sent, and whose reply is next.
//!
//! Places are numbered, and used again: in the long run, a command allocates nothing.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::task::{Poll, Waker};

use crate::store::redis::connection::multiplexer::{Ended, Pack};
use crate::store::redis::connection::wire::RespValue;

/// Further commands wait while so many bytes are to be sent: the server takes none, and soon the
/// breaker will know.
const MOST: usize = 4 << 20;

/// The commands of all callers of a connection.
#[derive(Default)]
pub(super) struct Queue {
    /// Commands that nobody has begun to write.
    unsent: Vec<u8>,
    slots: Vec<Slot>,
    vacant: Vec<Place>,
    /// The places of those whose replies have not come, in the order of their commands.
    awaited: VecDeque<Place>,
    /// Whether the replies of several callers were awaited at once since none was; and whether
    /// they were in the time before that.
    crowds: [bool; 2],
    /// Of the driver, while it has nothing to write.
    driver: Option<Waker>,
    /// Of those who wait for room.
    crowd: Vec<Waker>,
    ended: Option<Ended>,
}

/// Where a reply will be: an index among the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

#[derive(Default)]
struct Slot {
    replies: Replies,
    /// Replies that have not come.
    missing: usize,
    waker: Option<Waker>,
    /// The caller has gone.
    is_abandoned: bool,
}

/// The replies to the commands of one caller.
#[derive(Debug)]
pub(in crate::store) enum Replies {
    One(Option<RespValue>),
    Many(Vec<RespValue>),
}

/// What becomes of a reply.
pub(super) enum Received {
    /// It is the last one that somebody waits for, who is to be woken.
    Wakes(Waker),
    /// Others have to come as well.
    Kept,
    /// The caller has gone.
    Unwanted(RespValue),
    /// Nobody has sent a command.
    Unasked(RespValue),
}

impl Queue {
    /// Whether another command may be added. If not, `waker` is called when it may.
    pub(super) fn has_room(&mut self, waker: &Waker) -> Result<bool, Ended> {
        if let Some(ended) = self.ended {
            return Err(ended);
        }
        let has_room = self.unsent.len() < MOST;
        if !has_room {
            self.crowd.push(waker.clone());
        }
        Ok(has_room)
    }

    /// Whether a caller that comes now is alone. Where several have come together, they have got
    /// their replies together: the first that comes again is followed by the others.
    pub(super) fn is_alone(&self) -> bool {
        let [is_crowd, _] = self.crowds;
        self.awaited.is_empty() && !is_crowd
    }

    /// Whether several callers come together.
    pub(super) fn is_busy(&self) -> bool {
        self.crowds.contains(&true)
    }

    /// Adds a command.
    pub(super) fn add(&mut self, command: impl Pack, waker: &Waker) -> Place {
        command.pack(b"", &mut self.unsent);
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            Place(self.slots.len() - 1)
        });
        let [is_crowd, was_crowd] = &mut self.crowds;
        if self.awaited.is_empty() {
            *was_crowd = *is_crowd;
        }
        *is_crowd = !self.awaited.is_empty();
        self.awaited.push_back(place);
        if let Some(slot) = self.slots.get_mut(place.0) {
            slot.missing = command.count();
            slot.replies = Replies::of(slot.missing);
            slot.waker = Some(waker.clone());
        }
        place
    }

    /// The driver's waker, if it has nothing to do.
    pub(super) fn driver(&mut self) -> Option<Waker> {
        self.driver.take()
    }

    /// The driver has nothing to write, and is to be woken when it has.
    pub(super) fn rest(&mut self, driver: &Waker) {
        if self.driver.as_ref().is_none_or(|it| !it.will_wake(driver)) {
            self.driver = Some(driver.clone());
        }
    }

    /// Whether there is anything to write.
    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Exchanges what is to be sent for an empty buffer. Those who waited for room are to be woken.
    pub(super) fn unload(&mut self, buffer: &mut Vec<u8>) -> Vec<Waker> {
        mem::swap(&mut self.unsent, buffer);
        mem::take(&mut self.crowd)
    }

    /// A reply has come.
    pub(super) fn receive(&mut self, reply: RespValue) -> Received {
        let Some(place) = self.awaited.front().copied() else { return Received::Unasked(reply) };
        let Some(slot) = self.slots.get_mut(place.0) else { return Received::Unwanted(reply) };
        slot.missing = slot.missing.saturating_sub(1);
        let (is_last, is_abandoned) = (slot.missing == 0, slot.is_abandoned);
        let received = if is_abandoned {
            Received::Unwanted(reply)
        } else {
            slot.replies.push(reply);
            let waker = if is_last { slot.waker.take() } else { None };
            waker.map_or(Received::Kept, Received::Wakes)
        };
        if is_last {
            self.awaited.pop_front();
            if is_abandoned {
                self.vacate(place);
            }
        }
        received
    }

    /// The replies of a caller, when all have come.
    pub(super) fn take(&mut self, place: Place, waker: &Waker) -> Poll<Result<Replies, Ended>> {
        let ended = self.ended;
        let Some(slot) = self.slots.get_mut(place.0) else {
            return Poll::Ready(Err(ended.unwrap_or(Ended::Closed)));
        };
        if slot.missing > 0 && ended.is_none() {
            if slot.waker.as_ref().is_none_or(|it| !it.will_wake(waker)) {
                slot.waker = Some(waker.clone());
            }
            return Poll::Pending;
        }
        let replies = if slot.missing == 0 { Some(mem::take(&mut slot.replies)) } else { None };
        self.vacate(place);
        Poll::Ready(replies.ok_or(ended.unwrap_or(Ended::Closed)))
    }

    /// A caller has gone. What had come is returned, to be dropped.
    pub(super) fn abandon(&mut self, place: Place) -> Option<Replies> {
        let ended = self.ended.is_some();
        let slot = self.slots.get_mut(place.0)?;
        let replies = mem::take(&mut slot.replies);
        slot.waker = None;
        slot.is_abandoned = true;
        if slot.missing == 0 || ended {
            self.vacate(place);
        }
        Some(replies)
    }

    /// Nothing more will come. Those who wait for something are to be woken.
    pub(super) fn end(&mut self, ended: Ended) -> Vec<Waker> {
        self.ended.get_or_insert(ended);
        self.unsent = Vec::new();
        let mut wakers = mem::take(&mut self.crowd);
        wakers.extend(self.driver.take());
        for Place(place) in mem::take(&mut self.awaited) {
            wakers.extend(self.slots.get_mut(place).and_then(|slot| slot.waker.take()));
        }
        wakers
    }

    fn vacate(&mut self, place: Place) {
        if let Some(slot) = self.slots.get_mut(place.0) {
            *slot = Slot::default();
            self.vacant.push(place);
        }
    }
}

impl fmt::Debug for Queue {
    /// How much there is. What it is may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("unsent", &self.unsent.len())
            .field("places", &self.slots.len())
            .field("awaited", &self.awaited.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Replies {
    /// Room for so many.
    pub(super) fn of(count: usize) -> Self {
        if count == 1 { Self::One(None) } else { Self::Many(Vec::with_capacity(count)) }
    }

    fn push(&mut self, reply: RespValue) {
        match self {
            Self::One(one) => *one = Some(reply),
            Self::Many(replies) => replies.push(reply),
        }
    }

    /// The reply to one command.
    pub(in crate::store) fn one(self) -> Option<RespValue> {
        match self {
            Self::One(reply) => reply,
            Self::Many(replies) => replies.into_iter().next(),
        }
    }

    /// All replies, in order.
    pub(super) fn all(self) -> Vec<RespValue> {
        match self {
            Self::One(reply) => reply.into_iter().collect(),
            Self::Many(replies) => replies,
        }
    }
}

impl Default for Replies {
    fn default() -> Self {
        Self::One(None)
    }
}
