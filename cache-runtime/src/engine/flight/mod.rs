//! Single flight: callers of one process that miss the same key share one load.
//!
//! # Who may take a flight's result
//!
//! Ordinary single flight serves stale data: a caller that starts after an invalidation was
//! acknowledged joins a load that began before the write. Here, a single event decides each result:
//! the command that found the value, the fill that was accepted, or (if nothing is stored) the
//! beginning of the load. The result reflects everything acknowledged before that event. Therefore
//!
//! > a waiter takes a result only if it joined before the deciding event was initiated.
//!
//! The leader calls [`Leader::mark`] right before each event that may turn out to decide, and lands
//! with the mark of the one that did. Waiters that joined later stay, and one of them leads next.
//! So per key at most one load runs and one more is waited for, and the value that a caller gets
//! was read after its call began, or was proved unchanged since. This excludes:
//!
//! ```text
//! leader: sets mark 1, asks the store, which reads the old value
//! writer: commits, invalidates the key, gets the acknowledgement
//! waiter: joins after mark 1, and must see the write
//! leader: lands the old value, which the waiter takes
//! ```
//!
//! The leader lands with mark 1, and the waiter had seen that when it joined: it leads next, and
//! looks for itself. A writer of this process also [removes](Flights::forget) the flight from the
//! map before it invalidates, so that such a caller need not wait at all.
//!
//! # Tags
//!
//! An entry also depends on its tags, which the commands on its own key do not look at. So with
//! tags:
//!
//! - Finding a value decides if, like the value itself, the stamps of its tags were read after the
//!   mark.
//! - An accepted fill decides if the stamps, read again after the mark, are still those of the
//!   load. The leader reads them together with the fill if anybody waits. If they have changed, the
//!   beginning of the load decides.
//! - The beginning of the load decides just as it does for keys: the load sees what was invalidated
//!   before it, by tag or by key. So nothing changes for loads that are not stored, or whose fill
//!   was refused.
//! - An invalidation that was not delivered changes no stamp. [`Flights::forget`] cannot know which
//!   flights a tag concerns, so the leader also checks the journal after its mark: a caller that
//!   joins after the write was journalled either joins after that mark, or the leader finds the
//!   write in the journal.
//! - A waiter takes a value only if the value has the waiter's own tags: a leader with other tags
//!   has checked only those.
//!
//! # Failed loads
//!
//! A value is that of its key, whoever loaded it. An error is that of a call: of one function, and
//! of everything that the call [asked for](FlightRequest). If `rows(&[13, 20])` fails because of
//! row 13, a call of `row(20)` that waited for it has not failed, and neither has
//! `rows(&[20, 21])`. So
//!
//! > a waiter takes an error only from a call of the same function that asked for the same entries.
//!
//! The same goes for an old value that a function serves in place of its error. A load by hand
//! takes no errors, and of values only what can be decoded: the type of an original is not known to
//! it.
//!
//! If an error can be cloned, or made from one that all hold
//! ([`SharedError`](crate::error::SharedError)), all such waiters that joined before the load began
//! get it. The others, and those of a load that panicked, lead in groups of 1, 2, 4, 8, 16, 16 …:
//! twenty waiters of a failing load have their answer within the time of five loads, and however
//! many there are, no more than 16 of them load at once. A load that succeeds in the meantime
//! serves the rest.
//!
//! # Cancellation
//!
//! A dropped [`Leader`] hands over to a waiter. If a caller is dropped before it notices that it
//! leads, the [`Leader`] that was sent to it is dropped as well, and so hands over too.

mod asked;
mod landing;
mod leader;
mod state;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

pub(crate) use self::asked::FlightRequest;
pub(crate) use self::landing::{Landed, Landing, Mark};
pub(crate) use self::leader::Leader;
use self::state::{State, Waiter};
use crate::store::Name;
use crate::typing::Shared;

const SHARDS: usize = 32;

/// The loads running in this process.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: [Mutex<HashMap<Arc<str>, Arc<Flight>>>; SHARDS],
    /// The number of flights. A hit need not look further if it is 0.
    aloft: AtomicUsize,
}

/// One key's load and the callers that wait for it.
struct Flight {
    key: Arc<str>,
    shard: usize,
    state: Mutex<State>,
}

/// What a waiter gets.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The value that the leader read or loaded.
    Value(Landed),
    /// A value past its time to live, which the leader serves.
    Stale(Landed),
    /// The load's error.
    Error(Shared),
    /// Lead.
    Lead(Leader),
}

/// How a caller takes part.
#[derive(Debug)]
pub(crate) enum Role {
    Lead(Leader),
    Wait(oneshot::Receiver<Verdict>),
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), aloft: AtomicUsize::new(0) }
    }

    /// Joins the flight of a key if there is one.
    pub(crate) fn join(
        &self,
        name: Name<'_>,
        asked: impl FnOnce() -> FlightRequest,
    ) -> Option<oneshot::Receiver<Verdict>> {
        if self.aloft.load(Ordering::Acquire) == 0 {
            return None;
        }
        let shard = lock(&self.shards[shard_of(name)]);
        shard.get(name.text).map(|flight| flight.wait(asked()))
    }

    /// Joins the flight of a key, or leads a new one.
    pub(crate) fn enter(self: &Arc<Self>, name: Name<'_>, asked: FlightRequest) -> Role {
        let index = shard_of(name);
        let key: Arc<str> = name.text.into();
        let mut shard = lock(&self.shards[index]);
        let place = match shard.entry(Arc::clone(&key)) {
            Entry::Occupied(flight) => return Role::Wait(flight.get().wait(asked)),
            Entry::Vacant(place) => place,
        };
        let flight = Arc::new(Flight { key, shard: index, state: Mutex::new(State::new()) });
        place.insert(Arc::clone(&flight));
        self.aloft.fetch_add(1, Ordering::Release);
        Role::Lead(Leader::new(self, flight, asked, true))
    }

    /// Removes the flights of some keys from the map before an invalidation, so that later callers
    /// start new ones.
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

    /// Removes all flights from the map.
    pub(crate) fn forget_all(&self) {
        for shard in &self.shards {
            let forgotten = std::mem::take(&mut *lock(shard)).len();
            self.aloft.fetch_sub(forgotten, Ordering::Release);
        }
    }

    /// Ends the part of a leader that asked for this: serves the waiters that may be served and,
    /// when the last leader is done, lets others lead.
    ///
    /// Holds the lock of the shard, as joining does, from the look at the waiters until the flight
    /// is out of the map. This excludes:
    ///
    /// ```text
    /// waiter: finds the flight in the map
    /// leader: lands, finds no waiters, removes the flight from the map
    /// waiter: adds itself to a flight that has no leader, and waits in vain
    /// ```
    fn land(self: &Arc<Self>, flight: &Arc<Flight>, asked: &FlightRequest, landing: &Landing) {
        let mut shard = lock(&self.shards[flight.shard]);
        let mut state = lock(&flight.state);
        state.leaders -= 1;
        let served = state.served(asked, landing);
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
                Landing::Value(Some(landed), _) => Verdict::Value(landed.clone()),
                Landing::Stale(record, _) => Verdict::Stale(Landed::encoded(record.clone())),
                Landing::Failed(Some(error), _) => Verdict::Error(Arc::clone(error)),
                _ => continue,
            };
            // A waiter that has gone needs nothing.
            _ = waiter.verdict.send(verdict);
        }
        for (position, Waiter { asked, verdict, .. }) in promoted.into_iter().enumerate() {
            let leader = Leader::new(self, Arc::clone(flight), asked, position == 0);
            // If the waiter has just gone, the send fails, and dropping the leader hands over to
            // the next one.
            _ = verdict.send(Verdict::Lead(leader));
        }
    }
}

impl Flight {
    fn wait(&self, asked: FlightRequest) -> oneshot::Receiver<Verdict> {
        let (verdict, receiver) = oneshot::channel();
        let mut state = lock(&self.state);
        let joined = state.marks;
        state.waiters.push_back(Waiter { joined, asked, verdict });
        receiver
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
