//! What waits to be sent to one partition, and what of it goes in one call.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::StoreResult;
use crate::store::queue::{Added, Addition, PushTime};
use crate::support::budget::Deadline;

/// Most items of one call.
pub(in crate::queue) const ITEMS: usize = 64;
/// Most bytes of items in one call of several.
pub(in crate::queue) const BYTES: usize = 1 << 20;

/// Pushes to one partition that have not been sent.
#[derive(Debug, Default)]
pub(in crate::queue) struct Group(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// A sender task is running.
    is_attended: bool,
}

/// An item on its way, with copies of what the push has.
pub(super) struct Waiting {
    pub(super) producer: String,
    pub(super) number: u64,
    pub(super) epoch: u64,
    pub(super) oldest: u64,
    pub(super) longest: Option<u64>,
    pub(super) stamp: PushTime,
    pub(super) window_us: u64,
    pub(super) given_up: Vec<u64>,
    pub(super) key: String,
    pub(super) payload: Vec<u8>,
    pub(super) by: Deadline,
    pub(super) told: oneshot::Sender<StoreResult<Added>>,
}

impl Group {
    /// Whether a sender task must be started.
    pub(super) fn join(&self, waiting: Waiting) -> bool {
        let mut state = self.lock();
        state.waiting.push_back(waiting);
        !std::mem::replace(&mut state.is_attended, true)
    }

    /// What is sent next; none if nothing waits, and nobody sends any more.
    pub(super) fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        let (mut next, mut bytes) = (Vec::new(), 0);
        while let Some(waiting) = state.waiting.pop_front() {
            if waiting.told.is_closed() {
                continue;
            }
            bytes += waiting.payload.len();
            let is_placed_otherwise =
                next.first().is_some_and(|first: &Waiting| first.epoch != waiting.epoch);
            if !next.is_empty() && (next.len() == ITEMS || bytes > BYTES || is_placed_otherwise) {
                state.waiting.push_front(waiting);
                break;
            }
            next.push(waiting);
        }
        state.is_attended = !next.is_empty();
        state.is_attended.then_some(next)
    }

    /// Takes an item back, unless it was taken along. Whoever sends has not come to it in time: its
    /// runtime may stand still, with nobody to drive it. The next push finds somebody else.
    pub(super) fn take_back(&self, number: u64) -> bool {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|waiting| waiting.number != number);
        let was_there = state.waiting.len() < before;
        if was_there {
            state.is_attended = false;
        }
        was_there
    }

    /// Drops what waits: the sender task ends, and each push sees that.
    pub(super) fn abandon(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    pub(super) fn addition(&self) -> Addition<'_> {
        let Self { producer, given_up, key, payload, .. } = self;
        let Self { number, epoch, oldest, longest, stamp, window_us, .. } = *self;
        Addition {
            producer,
            number,
            epoch,
            oldest,
            longest,
            stamp,
            window_us,
            given_up,
            key,
            payload,
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("number", &self.number).finish_non_exhaustive()
    }
}
