//! A queue in this process's memory, with the rules of the one in Redis. It ends with the process.

mod layout;
mod letters;
mod manage;
#[cfg(test)]
pub(crate) mod replica;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use self::layout::{Known, Mark};
use crate::store::queue::{
    Added, Addition, Buried, Claim, Crew, Death, Lengths, Position, PushTime, ReadFrom, ReadReply,
    Renewal, Stored, Unheard,
};
use crate::support::clock::wall_us;

/// Every partition of one queue.
#[derive(Debug, Default)]
pub(crate) struct MemoryQueue {
    partitions: Mutex<HashMap<u32, Partition>>,
    workers: Mutex<HashMap<String, Instant>>,
    known: Mutex<Known>,
    is_paused: AtomicBool,
    pushed: Notify,
}

#[derive(Clone, Debug, Default)]
struct Partition {
    /// In the order of their positions.
    items: VecDeque<Held>,
    /// In the order of their deaths.
    dead: VecDeque<Buried>,
    last_death: Death,
    last: Position,
    us: u64,
    mark: Mark,
    owner: Option<Owner>,
    /// The worker that took it last.
    taker: String,
    /// Owners in a row that ended without a word from the sink.
    unheard: u32,
}

/// An item that has not been delivered.
#[derive(Clone, Debug)]
struct Held {
    stored: Stored,
    /// An owner has read it.
    is_read: bool,
    /// When it came, or came back from the dead letters.
    since: Instant,
}

#[derive(Clone, Debug)]
struct Owner {
    token: String,
    until: Instant,
}

impl MemoryQueue {
    /// Appends an item, and another one if it is sent again.
    pub(crate) fn append(&self, partition: u32, addition: &Addition<'_>) -> Added {
        let added = self.with(partition, |partition| {
            if partition.mark.refuses(addition.epoch) {
                return Added::Moved;
            }
            let length = partition.items.len() as u64;
            if addition.longest.is_some_and(|longest| length >= longest) {
                return Added::Full;
            }
            let (position, us) = partition.tick(addition.stamp.us);
            let stamp = PushTime { us, ..addition.stamp };
            let (key, payload) = (addition.key.to_owned(), Some(addition.payload.to_vec()));
            partition.items.push_back(Held::new(Stored { position, key, stamp, payload }));
            Added::New(us)
        });
        self.pushed.notify_waiters();
        added
    }

    pub(crate) fn join(&self, claim: &Claim, partitions: u32) -> Crew {
        let now = Instant::now();
        let mut workers = lock(&self.workers);
        workers.retain(|_, until| *until > now);
        workers.insert(claim.worker.clone(), now + claim.lease);
        let is_paused = self.is_paused();
        let Known { layout, partitions } = self.know(partitions);
        Crew { partitions, alive: workers.keys().cloned().collect(), is_paused, layout }
    }

    pub(crate) fn count_workers(&self) -> usize {
        let now = Instant::now();
        lock(&self.workers).values().filter(|until| **until > now).count()
    }

    pub(crate) fn leave(&self, worker: &str) {
        lock(&self.workers).remove(worker);
    }

    pub(crate) fn take(&self, partition: u32, claim: &Claim) -> bool {
        let now = Instant::now();
        self.with(partition, |partition| {
            if partition.owner.as_ref().is_some_and(|owner| owner.until > now) {
                return false;
            }
            let (token, until) = (claim.token.clone(), now + claim.lease);
            partition.owner = Some(Owner { token, until });
            partition.taker.clone_from(&claim.worker);
            true
        })
    }

    pub(crate) fn give_back(&self, partition: u32, claim: &Claim) {
        self.as_owner(partition, claim, |partition| partition.owner = None);
    }

    /// The owner keeps a partition, or gets it back.
    pub(crate) fn renew(&self, partition: u32, claim: &Claim, renewal: Renewal<'_>) -> bool {
        let Renewal { fresh, is_late } = renewal;
        let now = Instant::now();
        self.with(partition, |partition| {
            let owner = partition.owner.as_ref().filter(|owner| owner.until > now);
            let keeps = match owner {
                Some(owner) => owner.token == claim.token || owner.token == fresh,
                None => is_late && partition.taker == claim.worker,
            };
            if keeps {
                let (token, until) = (fresh.to_owned(), now + claim.lease);
                partition.owner = Some(Owner { token, until });
            }
            keeps
        })
    }

    /// Items; of those that nobody has read, only what came before the partition's layout, if that
    /// is later than the settled one.
    pub(crate) fn read(
        &self,
        partition: u32,
        claim: &Claim,
        count: usize,
        (from, settled): (ReadFrom, u64),
    ) -> ReadReply {
        let read = self.as_owner(partition, claim, |partition| {
            let Mark { epoch, bound } = partition.mark;
            let wanted = |held: &&mut Held| match from {
                ReadFrom::Pending(after) => held.is_read && held.stored.position > after,
                ReadFrom::New => {
                    !held.is_read && (epoch <= settled || held.stored.position <= bound)
                }
            };
            let items = partition.items.iter_mut().filter(wanted).take(count).map(|held| {
                held.is_read = true;
                held.stored.clone()
            });
            ReadReply::Items { items: items.collect(), last: partition.last, epoch }
        });
        read.unwrap_or(ReadReply::Lost)
    }

    pub(crate) fn ack(&self, partition: u32, claim: &Claim, done: &[Position]) -> bool {
        self.renewing(partition, claim, |partition| {
            partition.items.retain(|held| done.binary_search(&held.stored.position).is_err());
        })
    }

    /// Counts owners that ended without a word from the sink. None: it is somebody else's.
    pub(crate) fn unheard(&self, partition: u32, claim: &Claim, more: Unheard) -> Option<u32> {
        self.as_owner(partition, claim, |partition| {
            partition.unheard = match more {
                Unheard::One => partition.unheard + 1,
                Unheard::NotOne => partition.unheard.saturating_sub(1),
                Unheard::None => 0,
            };
            partition.unheard
        })
    }

    /// Waits until a partition holds more than `last`, for at most `limit`.
    pub(crate) async fn wait_for_more(&self, partition: u32, last: Position, limit: Duration) {
        let more = async {
            loop {
                let pushed = self.pushed.notified();
                if self.with(partition, |partition| partition.last > last) {
                    return;
                }
                pushed.await;
            }
        };
        _ = timeout(limit, more).await;
    }

    pub(crate) fn lengths(&self, partition: u32) -> Lengths {
        self.with(partition, |partition| {
            let pending = partition.items.iter().filter(|held| held.is_read).count();
            let waiting = partition.items.len() - pending;
            Lengths {
                lag: partition.items.front().map_or(Duration::ZERO, |held| held.since.elapsed()),
                waiting: waiting as u64,
                pending: pending as u64,
                dead: partition.dead.len() as u64,
            }
        })
    }

    /// Does something for the owner, whose lease begins anew. False: it is somebody else's.
    fn renewing(&self, partition: u32, claim: &Claim, act: impl FnOnce(&mut Partition)) -> bool {
        let renewed = self.as_owner(partition, claim, |partition| {
            if let Some(owner) = &mut partition.owner {
                owner.until = Instant::now() + claim.lease;
            }
            act(partition);
        });
        renewed.is_some()
    }

    fn as_owner<R>(
        &self,
        partition: u32,
        claim: &Claim,
        act: impl FnOnce(&mut Partition) -> R,
    ) -> Option<R> {
        let now = Instant::now();
        self.with(partition, |partition| {
            let owner = partition.owner.as_ref()?;
            (owner.token == claim.token && owner.until > now).then(|| act(partition))
        })
    }

    fn with<R>(&self, partition: u32, act: impl FnOnce(&mut Partition) -> R) -> R {
        act(lock(&self.partitions).entry(partition).or_default())
    }
}

impl Held {
    fn new(stored: Stored) -> Self {
        Self { stored, is_read: false, since: Instant::now() }
    }
}

impl Partition {
    /// The next position, and the microseconds of a version made now: at least `us`.
    fn tick(&mut self, us: u64) -> (Position, u64) {
        // Later than those of former processes: their positions may be stored.
        let generation = match self.last.generation {
            0 => wall_us() / 1000,
            begun => begun,
        };
        self.last = Position { generation, number: self.last.number + 1 };
        self.us = us.max(self.us + 1);
        (self.last, self.us)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
