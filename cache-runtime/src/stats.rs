//! Counters: what happened, per function. Always on, a few nanoseconds an event.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::callsite::Callsite;
use crate::store::StoreError;

/// Something that happened in a call. Labels are functions, never keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Event {
    /// A value was found in the store.
    Hit,
    /// None was.
    Miss,
    /// The call went past the cache: asked to, or under a fence of its own task.
    Bypass,
    /// The entry may be outdated: an invalidation of it is still to be delivered.
    Outdated,
    /// Another caller's load served this one.
    Coalesced,
    /// Waited longer than its patience, and helped itself.
    Impatient,
    /// Waited for another process.
    LeaseWait,
    /// Got the lease after another process had held it.
    Takeover,
    /// A loaded value was stored.
    Stored,
    /// A fill was refused: a stale value that was not stored.
    Refused,
    /// A stored value did not decode, or is of another codec or version.
    Undecodable,
    /// A loaded value did not encode.
    Unencodable,
    /// A loaded value is larger than the limit.
    Oversized,
    /// Somebody else's data stands in the key.
    Foreign,
    /// A reply belonged to another key.
    Misplaced,
    /// The store was down, and known to be.
    Down,
    /// The store did not answer in time.
    TimedOut,
    /// The connection was lost underway.
    Lost,
    /// The store refused, or gave a reply that the command does not give.
    RefusedByStore,
    /// An invalidation was acknowledged.
    Invalidated,
    /// An invalidation was not acknowledged.
    Unacknowledged,
}

impl Event {
    const COUNT: usize = Self::Unacknowledged as usize + 1;

    pub(crate) fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Down => Self::Down,
            StoreError::TimedOut => Self::TimedOut,
            StoreError::Lost => Self::Lost,
            StoreError::Refused(_) | StoreError::Unexpected => Self::RefusedByStore,
        }
    }
}

/// Functions in one block of the table.
const BLOCK: usize = 64;
/// Blocks in the table. Functions beyond share the last place.
const BLOCKS: usize = 64;

type Counters = [AtomicU64; Event::COUNT];

/// The counters of one cache, a row for every function.
pub(crate) struct Stats {
    blocks: [OnceLock<Box<[Counters; BLOCK]>>; BLOCKS],
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS] }
    }

    pub(crate) fn count(&self, callsite: &'static Callsite, event: Event) {
        self.row(callsite)[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn row(&self, callsite: &'static Callsite) -> &Counters {
        let index = callsite.index().min(BLOCK * BLOCKS - 1);
        let block = self.blocks[index / BLOCK].get_or_init(|| {
            Box::new([const { [const { AtomicU64::new(0) }; Event::COUNT] }; BLOCK])
        });
        &block[index % BLOCK]
    }
}

impl std::fmt::Debug for Stats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stats")
    }
}
