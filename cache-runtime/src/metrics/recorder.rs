//! Where events are counted.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::metrics::histogram::Histogram;
use crate::metrics::outcome::{
    Ending, MissReason, Misses, OutcomeKind, Outcomes, UncachedCalls, UncachedReason,
};
use crate::metrics::{Event, FunctionStats};
use crate::policy::Callsite;
use crate::support::log;

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
    /// Called with every function that is used for the first time, and those that were used before.
    on_new: Box<OnNew>,
    /// Held while a function is compared with those that were used before.
    comparing: Mutex<()>,
    blocks: [OnceLock<Box<Block>>; BLOCKS],
}

type OnNew = dyn Fn(&'static Callsite, &[&'static Callsite]) + Send + Sync;

type Block = [OnceLock<Box<Row>>; BLOCK];

/// One function's counters.
struct Row {
    callsite: &'static Callsite,
    stripes: [Stripe; STRIPES],
    loads: Histogram,
    /// Misses since the last hit.
    misses: AtomicU32,
    /// Limits the function's concurrent loads.
    places: Option<Arc<Semaphore>>,
}

/// Two cache lines apart from the next, as processors fetch them in pairs.
#[repr(align(128))]
struct Stripe {
    outcomes: [AtomicU64; OutcomeKind::ALL.len()],
    uncached: [AtomicU64; UncachedReason::ALL.len()],
    misses: [AtomicU64; MissReason::ALL.len()],
    events: [AtomicU64; Event::COUNT],
}

impl Recorder {
    pub(crate) fn new(
        on_new: impl Fn(&'static Callsite, &[&'static Callsite]) + Send + Sync + 'static,
    ) -> Self {
        let comparing = Mutex::new(());
        let blocks = [const { OnceLock::new() }; BLOCKS];
        Self { on_new: Box::new(on_new), comparing, blocks }
    }

    /// Compares a function with those that the cache has been used by, if it is new among them.
    pub(crate) fn enter(&self, callsite: &'static Callsite) {
        self.row(callsite);
    }

    /// Counts something that happened in a call, or besides calls.
    pub(crate) fn count(&self, callsite: &'static Callsite, event: Event) {
        let row = self.row(callsite);
        add(&row.stripe().events, event as usize, 1);
        log::trace(format_args!("{}: {event:?}", callsite.name()));
        // A store that refuses leases may still be read, and of one that was not asked it is not
        // known what it has.
        if matches!(event, Event::StoreRefused | Event::Down | Event::Saturated) {
            row.is_no_longer_dry();
        }
    }

    /// Counts a call that has ended, or several.
    pub(crate) fn ended(&self, callsite: &'static Callsite, ending: Ending, calls: u64) {
        let row = self.row(callsite);
        match ending {
            // Their sum is the count of the outcome.
            Ending { why: Some(why), .. } => add(&row.stripe().uncached, why as usize, calls),
            Ending { kind, .. } => add(&row.stripe().outcomes, kind as usize, calls),
        }
        log::trace(format_args!("{}: {}", callsite.name(), ending.kind));
        if ending.kind == OutcomeKind::Hit {
            row.is_no_longer_dry();
        }
    }

    /// Counts a lookup that found nothing.
    pub(crate) fn missed(&self, callsite: &'static Callsite, reason: MissReason) {
        let row = self.row(callsite);
        add(&row.stripe().misses, reason as usize, 1);
        log::trace(format_args!("{}: missed, {reason}", callsite.name()));
        row.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the function's latest lookups, a good many, all found nothing.
    pub(crate) fn is_dry(&self, callsite: &'static Callsite) -> bool {
        self.row(callsite).misses.load(Ordering::Relaxed) >= DRY
    }

    /// There is something to be found by the next lookup.
    pub(crate) fn is_no_longer_dry(&self, callsite: &'static Callsite) {
        self.row(callsite).is_no_longer_dry();
    }

    /// Counts a load that came to an end, and how long it took.
    pub(crate) fn loaded(&self, callsite: &'static Callsite, event: Event, took: Duration) {
        self.count(callsite, event);
        self.row(callsite).loads.record(took);
    }

    /// The places for a function's loads, where they are bounded.
    pub(crate) fn places(&self, callsite: &'static Callsite) -> Option<&Arc<Semaphore>> {
        self.row(callsite).places.as_ref()
    }

    /// The counters of all functions that were called.
    pub(crate) fn functions(&self) -> Vec<FunctionStats> {
        self.rows().map(Row::snapshot).collect()
    }

    fn row(&self, callsite: &'static Callsite) -> &Row {
        let index = callsite.index().min(BLOCK * BLOCKS - 1);
        let block =
            self.blocks[index / BLOCK].get_or_init(|| Box::new([const { OnceLock::new() }; BLOCK]));
        let place = &block[index % BLOCK];
        match place.get() {
            Some(row) => row,
            None => self.add(place, callsite),
        }
    }

    /// Adds a function, and compares it with the others.
    #[cold]
    fn add<'a>(&'a self, place: &'a OnceLock<Box<Row>>, callsite: &'static Callsite) -> &'a Row {
        let mut is_new = false;
        let row = place.get_or_init(|| {
            is_new = true;
            Box::new(Row::new(callsite))
        });
        if is_new {
            // Two threads may add two functions at once, and one of them must find the other: that
            // neither does is excluded, because the thread that takes the lock second sees the row
            // of the first.
            let comparing = self.comparing.lock().unwrap_or_else(PoisonError::into_inner);
            let others: Vec<_> = self.rows().map(|row| row.callsite).collect();
            drop(comparing);
            let is_other = |other: &&'static Callsite| !std::ptr::eq(*other, callsite);
            let others: Vec<_> = others.into_iter().filter(is_other).collect();
            (self.on_new)(callsite, &others);
        }
        row
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        let blocks = self.blocks.iter().filter_map(OnceLock::get);
        blocks.flat_map(|block| block.iter()).filter_map(OnceLock::get).map(|row| &**row)
    }
}

impl Row {
    fn new(callsite: &'static Callsite) -> Self {
        let places = callsite.policy().max_concurrent_loads;
        Self {
            callsite,
            stripes: std::array::from_fn(|_| Stripe::new()),
            loads: Histogram::new(),
            misses: AtomicU32::new(0),
            places: places.map(|places| {
                Arc::new(Semaphore::new((places as usize).min(Semaphore::MAX_PERMITS)))
            }),
        }
    }

    /// The counters of the present thread.
    fn stripe(&self) -> &Stripe {
        &self.stripes[stripe()]
    }

    /// Written only where it changes: hits share the line.
    fn is_no_longer_dry(&self) {
        if self.misses.load(Ordering::Relaxed) != 0 {
            self.misses.store(0, Ordering::Relaxed);
        }
    }

    fn snapshot(&self) -> FunctionStats {
        let sum = |count: &dyn Fn(&Stripe) -> &AtomicU64| {
            self.stripes.iter().map(|stripe| count(stripe).load(Ordering::Relaxed)).sum()
        };
        let uncached = UncachedCalls::new(|it| sum(&|stripe| &stripe.uncached[it as usize]));
        let outcomes = Outcomes::new(|it| sum(&|stripe| &stripe.outcomes[it as usize]));
        FunctionStats {
            function: self.callsite.name(),
            template: self.callsite.template(),
            outcomes: Outcomes { uncached: uncached.total(), ..outcomes },
            uncached,
            misses: Misses::new(|it| sum(&|stripe| &stripe.misses[it as usize])),
            load_latency: self.loads.snapshot(),
            ..FunctionStats::of_events(|it| sum(&|stripe| &stripe.events[it as usize]))
        }
    }
}

impl Stripe {
    const fn new() -> Self {
        Self {
            outcomes: [const { AtomicU64::new(0) }; OutcomeKind::ALL.len()],
            uncached: [const { AtomicU64::new(0) }; UncachedReason::ALL.len()],
            misses: [const { AtomicU64::new(0) }; MissReason::ALL.len()],
            events: [const { AtomicU64::new(0) }; Event::COUNT],
        }
    }
}

fn add(counters: &[AtomicU64], at: usize, count: u64) {
    if let Some(counter) = counters.get(at) {
        counter.fetch_add(count, Ordering::Relaxed);
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
    use crate::policy::BY_HAND;

    #[test]
    fn a_function_is_dry_until_there_is_something_or_nobody_to_ask() {
        let recorder = Recorder::new(|_, _| {});
        let dry = || {
            (0..DRY).for_each(|_| recorder.missed(&BY_HAND, MissReason::Absent));
            assert!(recorder.is_dry(&BY_HAND));
        };
        for event in [Event::StoreRefused, Event::Down, Event::Saturated] {
            dry();
            recorder.count(&BY_HAND, event);
            assert!(!recorder.is_dry(&BY_HAND), "{event:?}");
        }
        dry();
        recorder.ended(&BY_HAND, OutcomeKind::Hit.into(), 1);
        assert!(!recorder.is_dry(&BY_HAND));
    }
}
