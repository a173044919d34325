//! Single flight: callers of one process that miss the same key share one load.
//!
//! # Who may take a flight's result
//!
//! Sharing is where ordinary single flight serves stale data: a caller that starts after an invalidation was
//! acknowledged joins a load that began before the write. Here a result is decided by one event: the command that
//! found the value, the fill that was accepted, or (where nothing is stored) the beginning of the load. Anything
//! acknowledged before that event is in the result. So
//!
//! > a waiter takes a result only if it joined before the deciding event was set off.
//!
//! The leader calls [`Leader::mark`] right before each event that may turn out to decide, and lands with the mark of
//! the one that did. Waiters that joined later stay, and one of them leads next. So per key at most one load runs and
//! one is waited for, and every caller's value was read after it called, or proved unchanged since.
//!
//! # Tags
//!
//! An entry is in its tags' hands as well, of which the commands on its own key know nothing. So for tags
//!
//! - a value that was found decides if its tags' stamps were read after the mark, as it was itself;
//! - an accepted fill decides if the stamps, read again after the mark, are still those of the load: the leader asks for them
//!   beside the fill, if anybody waits. If they are not, what decides is the beginning of the load;
//! - the beginning of the load decides as it does for keys: what was invalidated before it is in what it loads, by a tag or
//!   by a key. So nothing changes for loads that are not stored, or whose fill was refused;
//! - an invalidation that was not delivered changes no stamp. [`Flights::forget`] cannot know whose flights a tag concerns, so
//!   the leader asks the journal after its mark as well: who joins after the write was journalled is behind that mark, or
//!   the journal says so;
//! - a waiter takes a value only if it has its own tags: a leader with others has looked at those.
//!
//! # Failed loads
//!
//! An error goes to all waiters that it can be cloned for and that joined before the load began. Where it cannot,
//! the others lead in groups of 1, 2, 4, 8 …, so that a hundred waiters of a failing load have their answer within
//! eight loads' time without falling on the origin all at once; a load that succeeds meanwhile serves the rest.
//!
//! # Cancellation
//!
//! A dropped [`Leader`] hands over to a waiter. A leadership that was granted to a caller dropped before it noticed is
//! dropped with the grant, and so handed over too.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::outcome::SharedError;
use crate::store::Name;

const SHARDS: usize = 32;
/// Largest group of waiters that load at once after failures.
const WIDEST: u32 = 1 << 10;

/// The loads under way in this process.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: [Mutex<HashMap<Arc<str>, Arc<Flight>>>; SHARDS],
    /// How many there are, so that a hit looks no further when there are none.
    aloft: AtomicUsize,
}

/// One key's load and those who wait for it.
struct Flight {
    key: Arc<str>,
    shard: usize,
    state: Mutex<State>,
}

struct State {
    /// Counts the events that may decide.
    marks: u64,
    /// Callers that load now: one, or a group after failures.
    leaders: u32,
    /// Size of the next group.
    width: u32,
    waiters: VecDeque<Waiter>,
}

struct Waiter {
    /// The marks set when it joined.
    joined: u64,
    verdict: oneshot::Sender<Verdict>,
}

/// What a waiter is told.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The value record that the leader read or loaded.
    Value(Bytes),
    /// The load's error.
    Error(SharedError),
    /// Lead.
    Lead(Leader),
}

/// How a caller takes part.
#[derive(Debug)]
pub(crate) enum Role {
    Lead(Leader),
    Wait(oneshot::Receiver<Verdict>),
}

/// How a leader's part ends.
#[derive(Debug)]
pub(crate) enum Landing {
    /// A value that those who joined before the mark may take; nothing where nobody had joined when it was due.
    Value(Option<Bytes>, Mark),
    /// The load failed, or its value cannot be encoded; with the error where it can be shared with those who joined
    /// before the mark.
    Failed(Option<SharedError>, Mark),
    /// A value of which nobody else may take part.
    Alone,
}

/// The moment right before an event that may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(u64);

impl Flights {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), aloft: AtomicUsize::new(0) }
    }

    /// Joins the flight of a key if there is one.
    pub(crate) fn join(&self, name: Name<'_>) -> Option<oneshot::Receiver<Verdict>> {
        if self.aloft.load(Ordering::Acquire) == 0 {
            return None;
        }
        let shard = lock(&self.shards[shard_of(name)]);
        shard.get(name.text).map(|flight| flight.wait())
    }

    /// Joins the flight of a key, or leads a new one.
    pub(crate) fn enter(self: &Arc<Self>, name: Name<'_>) -> Role {
        let index = shard_of(name);
        let key: Arc<str> = name.text.into();
        let mut shard = lock(&self.shards[index]);
        let place = match shard.entry(Arc::clone(&key)) {
            Entry::Occupied(flight) => return Role::Wait(flight.get().wait()),
            Entry::Vacant(place) => place,
        };
        let state = State { marks: 0, leaders: 1, width: 1, waiters: VecDeque::new() };
        let flight = Arc::new(Flight { key, shard: index, state: Mutex::new(state) });
        place.insert(Arc::clone(&flight));
        self.aloft.fetch_add(1, Ordering::Release);
        Role::Lead(Leader { flights: Arc::clone(self), flight, first: true, landed: false })
    }

    /// Takes the flights of some keys off the map, before an invalidation: callers from now on start new ones.
    pub(crate) fn forget(&self, names: &[Name<'_>]) {
        if self.aloft.load(Ordering::Acquire) == 0 {
            return;
        }
        for name in names {
            if lock(&self.shards[shard_of(*name)]).remove(name.text).is_some() {
                self.aloft.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// Whether no load is under way, as far as anybody can join it.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let none = self.shards.iter().all(|shard| lock(shard).is_empty());
        assert_eq!(none, self.aloft.load(Ordering::Acquire) == 0, "they are counted");
        none
    }

    /// Takes all flights off the map.
    pub(crate) fn forget_all(&self) {
        for shard in &self.shards {
            let forgotten = std::mem::take(&mut *lock(shard)).len();
            self.aloft.fetch_sub(forgotten, Ordering::Release);
        }
    }

    /// Ends one leader's part: serves the waiters that may be served and, when the last leader is done, lets others
    /// lead.
    fn land(self: &Arc<Self>, flight: &Arc<Flight>, landing: &Landing) {
        let mut shard = lock(&self.shards[flight.shard]);
        let mut state = lock(&flight.state);
        state.leaders -= 1;
        let served = state.served(landing);
        let mut promoted = Vec::new();
        if state.leaders == 0 {
            promoted = state.promote();
            if promoted.is_empty()
                && let Entry::Occupied(mapped) = shard.entry(Arc::clone(&flight.key))
                && Arc::ptr_eq(mapped.get(), flight)
            {
                mapped.remove();
                self.aloft.fetch_sub(1, Ordering::Release);
            }
        }
        drop(state);
        drop(shard);

        for waiter in served {
            let verdict = match landing {
                Landing::Value(Some(record), _) => Verdict::Value(record.clone()),
                Landing::Failed(Some(error), _) => Verdict::Error(Arc::clone(error)),
                _ => continue,
            };
            // A waiter that has gone needs nothing.
            _ = waiter.verdict.send(verdict);
        }
        for (position, waiter) in promoted.into_iter().enumerate() {
            let leader = Leader {
                flights: Arc::clone(self),
                flight: Arc::clone(flight),
                first: position == 0,
                landed: false,
            };
            // Where the waiter has gone just now, the leadership comes back, is dropped, and so handed over.
            _ = waiter.verdict.send(Verdict::Lead(leader));
        }
    }
}

impl Flight {
    fn wait(&self) -> oneshot::Receiver<Verdict> {
        let (verdict, receiver) = oneshot::channel();
        let mut state = lock(&self.state);
        let joined = state.marks;
        state.waiters.push_back(Waiter { joined, verdict });
        receiver
    }
}

impl State {
    /// Takes out the waiters that may take this landing's result, and sets the size of the next group.
    fn served(&mut self, landing: &Landing) -> Vec<Waiter> {
        let mark = match landing {
            Landing::Value(record, mark) => {
                self.width = 1;
                record.is_some().then_some(mark)
            }
            Landing::Failed(error, mark) => {
                // Once for a group, however many of it failed.
                if self.leaders == 0 {
                    self.width = (self.width * 2).min(WIDEST);
                }
                error.is_some().then_some(mark)
            }
            Landing::Alone => {
                self.width = 1;
                None
            }
        };
        let Some(&Mark(mark)) = mark else {
            return Vec::new();
        };
        #[cfg(cache_mutants)]
        let mark = crate::mutants::mark(mark);
        let (served, rest) = self.waiters.drain(..).partition(|waiter| waiter.joined < mark);
        self.waiters = rest;
        served.into()
    }

    /// Takes out the waiters that lead next.
    fn promote(&mut self) -> Vec<Waiter> {
        let mut promoted = Vec::new();
        while promoted.len() < self.width as usize
            && let Some(waiter) = self.waiters.pop_front()
        {
            if !waiter.verdict.is_closed() {
                promoted.push(waiter);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most `width`, a u32")]
        {
            self.leaders = promoted.len() as u32;
        }
        promoted
    }
}

/// The right, and the duty, to load for those who wait. Dropping it hands over.
#[must_use]
pub(crate) struct Leader {
    flights: Arc<Flights>,
    flight: Arc<Flight>,
    first: bool,
    landed: bool,
}

impl Leader {
    /// Call right before an event that may decide the result.
    pub(crate) fn mark(&self) -> Mark {
        let mut state = lock(&self.flight.state);
        state.marks += 1;
        Mark(state.marks)
    }

    /// Whether it is this leader that asks the store. The others of a group after failures just load.
    pub(crate) fn is_first(&self) -> bool {
        self.first
    }

    /// Whether earlier loads of this flight failed.
    pub(crate) fn follows_failure(&self) -> bool {
        lock(&self.flight.state).width > 1
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        !lock(&self.flight.state).waiters.is_empty()
    }

    /// Ends the flight's present load.
    pub(crate) fn land(mut self, landing: &Landing) {
        self.landed = true;
        self.flights.land(&self.flight, landing);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.landed {
            self.flights.land(&self.flight, &Landing::Alone);
        }
    }
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").field("key", &self.flight.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").field("key", &self.key).finish_non_exhaustive()
    }
}

fn shard_of(name: Name<'_>) -> usize {
    usize::try_from(name.hash.0 % SHARDS as u64).unwrap_or_default()
}

/// No code that may panic runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
