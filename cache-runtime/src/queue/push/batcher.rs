//! Pushes to one partition that are sent together.
//!
//! What a call of a script costs the server is much more than what one item more in it does. So to
//! each partition one call is under way at a time, and what is pushed meanwhile goes with the next:
//! a push that is alone is sent at once, and the more there are the less each costs. They are sent
//! in the order in which they came, and each is told what became of its item alone. An item whose
//! push was given up before it was sent is not sent.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{timeout, timeout_at};

use crate::engine::background;
use crate::queue::partitions::Log;
use crate::queue::shared::Lot;
use crate::store::queue::{Added, Addition, PushTime};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Most items of one call.
pub(in crate::queue) const ITEMS: usize = 64;
/// Most bytes of items in one call of several.
pub(in crate::queue) const BYTES: usize = 1 << 20;
/// Extra time for the sender task to report why there is no answer: only a lost connection means
/// that the item may have been stored.
const GRACE: Duration = Duration::from_millis(100);

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
struct Waiting {
    producer: String,
    number: u64,
    epoch: u64,
    oldest: u64,
    longest: Option<u64>,
    stamp: PushTime,
    window_us: u64,
    given_up: Vec<u64>,
    key: String,
    payload: Vec<u8>,
    by: Deadline,
    told: oneshot::Sender<StoreResult<Added>>,
}

impl Group {
    /// Whether a sender task must be started.
    fn join(&self, waiting: Waiting) -> bool {
        let mut state = self.lock();
        state.waiting.push_back(waiting);
        !std::mem::replace(&mut state.is_attended, true)
    }

    /// What is sent next; none if nothing waits, and nobody sends any more.
    fn next(&self) -> Option<Vec<Waiting>> {
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
    fn take_back(&self, number: u64) -> bool {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|waiting| waiting.number != number);
        let was_there = state.waiting.len() < before;
        if was_there {
            state.is_attended = false;
        }
        was_there
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn addition(&self) -> Addition<'_> {
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

impl Log {
    /// Appends an item to a partition on the server, in one call with what others push to it.
    pub(in crate::queue) async fn push_with_others(
        &self,
        partition: u32,
        addition: Addition<'_>,
        by: Deadline,
    ) -> StoreResult<Added> {
        let lot = self.shared.lot(partition);
        let Addition { number, epoch, oldest, longest, stamp, window_us, .. } = addition;
        let (told, mut outcome) = oneshot::channel();
        let waiting = Waiting {
            producer: addition.producer.to_owned(),
            number,
            epoch,
            oldest,
            longest,
            stamp,
            window_us,
            given_up: addition.given_up.to_vec(),
            key: addition.key.to_owned(),
            payload: addition.payload.to_vec(),
            by,
            told,
        };
        if lot.group.join(waiting) {
            let (log, lot) = (self.clone(), Arc::clone(&lot));
            background::spawn(Attendant { log, lot, is_done: false }.attend());
        }
        let told = match timeout_at(by, &mut outcome).await {
            // It never was sent, and never will be.
            Err(_) if lot.group.take_back(number) => return Err(StoreError::Down),
            Err(_) => timeout(GRACE, outcome).await,
            told => told,
        };
        match told {
            Ok(Ok(added)) => added,
            // Its runtime has ended underway.
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::TimedOut),
        }
    }
}

/// Who sends what waits for a partition, until nothing does.
struct Attendant {
    log: Log,
    lot: Arc<Lot>,
    is_done: bool,
}

impl Attendant {
    async fn attend(mut self) {
        // Those who are about to push go along.
        yield_now().await;
        while let Some(next) = self.lot.group.next() {
            self.send(next).await;
        }
        self.is_done = true;
    }

    async fn send(&self, group: Vec<Waiting>) {
        let Some(redis) = self.log.redis() else { return };
        let Some(by) = group.iter().map(|waiting| waiting.by).max() else { return };
        let additions: Vec<_> = group.iter().map(Waiting::addition).collect();
        let outcomes = match redis.push(&self.lot.lane, &additions, by).await {
            Ok(added) => added.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); group.len()],
        };
        for (waiting, outcome) in group.into_iter().zip(outcomes) {
            // A caller that is gone needs no answer.
            _ = waiting.told.send(outcome);
        }
    }
}

impl Drop for Attendant {
    /// The runtime of the sender task ends: the pushes see that their senders are gone, and try
    /// again through another task.
    fn drop(&mut self) {
        if !self.is_done {
            *self.lot.group.lock() = State::default();
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("number", &self.number).finish_non_exhaustive()
    }
}
