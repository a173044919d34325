//! Counters per function. Always on, at a few nanoseconds per event.

mod event;
#[cfg(feature = "metrics")]
mod export;
mod histogram;
mod snapshot;

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

pub(crate) use self::event::Event;
use self::histogram::Histogram;
pub use self::histogram::Latency;
pub use self::snapshot::{BreakerState, FunctionStats, Stats};
use crate::callsite::Callsite;

/// Functions in one block of the table.
const BLOCK: usize = 64;
/// Blocks in the table. Functions beyond share the last row.
const BLOCKS: usize = 64;
/// Misses in a row from which on a function is taken to find nothing.
const DRY: u32 = 64;
/// Sets of counters for one function: threads on different ones do not slow each other down.
const STRIPES: usize = 8;

/// The counters of one cache, a row for every function.
pub(crate) struct Recorder {
    blocks: [OnceLock<Box<Block>>; BLOCKS],
}

type Block = [OnceLock<Box<Row>>; BLOCK];

/// One function's counters.
struct Row {
    callsite: &'static Callsite,
    stripes: [Stripe; STRIPES],
    loads: Histogram,
    /// Misses since the last hit.
    misses: AtomicU32,
    /// Limits the function's concurrent loads.
    places: Option<Semaphore>,
}

/// Two cache lines apart from the next, as processors fetch them in pairs.
#[repr(align(128))]
struct Stripe([AtomicU64; Event::COUNT]);

impl Recorder {
    pub(crate) const fn new() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS] }
    }

    pub(crate) fn count(&self, callsite: &'static Callsite, event: Event) {
        let row = self.row(callsite);
        let Stripe(counters) = &row.stripes[stripe()];
        counters[event as usize].fetch_add(1, Ordering::Relaxed);
        match event {
            Event::Miss => _ = row.misses.fetch_add(1, Ordering::Relaxed),
            // A store that refuses leases may still be read, and of one that is down it is not known what it has. Written
            // only where it changes: hits share the line.
            Event::Hit | Event::StoreRefused | Event::Down
                if row.misses.load(Ordering::Relaxed) != 0 =>
            {
                row.misses.store(0, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Whether the function's latest lookups, a good many, all found nothing.
    pub(crate) fn is_dry(&self, callsite: &'static Callsite) -> bool {
        self.row(callsite).misses.load(Ordering::Relaxed) >= DRY
    }

    /// Counts a load that came to an end, and how long it took.
    pub(crate) fn loaded(&self, callsite: &'static Callsite, event: Event, took: Duration) {
        self.count(callsite, event);
        self.row(callsite).loads.record(took);
    }

    /// The places for a function's loads, where they are bounded.
    pub(crate) fn places(&self, callsite: &'static Callsite) -> Option<&Semaphore> {
        self.row(callsite).places.as_ref()
    }

    /// The counters of all functions that were called.
    pub(crate) fn functions(&self) -> Vec<FunctionStats> {
        let blocks = self.blocks.iter().filter_map(OnceLock::get);
        let rows = blocks.flat_map(|block| block.iter()).filter_map(OnceLock::get);
        rows.map(|row| row.snapshot()).collect()
    }

    fn row(&self, callsite: &'static Callsite) -> &Row {
        let index = callsite.index().min(BLOCK * BLOCKS - 1);
        let block =
            self.blocks[index / BLOCK].get_or_init(|| Box::new([const { OnceLock::new() }; BLOCK]));
        block[index % BLOCK].get_or_init(|| Box::new(Row::new(callsite)))
    }
}

impl Row {
    fn new(callsite: &'static Callsite) -> Self {
        let stripe = || Stripe([const { AtomicU64::new(0) }; Event::COUNT]);
        let places = callsite.policy().max_concurrent_loads;
        Self {
            callsite,
            stripes: std::array::from_fn(|_| stripe()),
            loads: Histogram::new(),
            misses: AtomicU32::new(0),
            places: places.map(|places| Semaphore::new(places as usize)),
        }
    }

    fn snapshot(&self) -> FunctionStats {
        let count = |event: Event| {
            let counts =
                self.stripes.iter().map(|Stripe(c)| c[event as usize].load(Ordering::Relaxed));
            counts.sum()
        };
        FunctionStats::new(self.callsite, count, self.loads.snapshot())
    }
}

/// The stripe of the present thread.
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
    }
    MINE.try_with(Cell::get).unwrap_or(0)
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.functions()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callsite::BY_HAND;

    #[test]
    fn a_function_is_dry_until_there_is_something_or_nobody_to_ask() {
        let recorder = Recorder::new();
        let dry = || (0..DRY).for_each(|_| recorder.count(&BY_HAND, Event::Miss));
        for event in [Event::Hit, Event::StoreRefused, Event::Down] {
            dry();
            assert!(recorder.is_dry(&BY_HAND));
            recorder.count(&BY_HAND, event);
            assert!(!recorder.is_dry(&BY_HAND), "{event:?}");
        }
    }
}
