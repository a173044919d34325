//! Where events are counted.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::metrics::histogram::{Buckets, Histogram};
use crate::metrics::outcome::{Ending, LoadResult, MissReason, OutcomeKind};
use crate::metrics::row::{Row, add};
use crate::metrics::stripes;
use crate::metrics::{Event, FunctionStats, ObserverHandle};
use crate::policy::Callsite;
use crate::support::log;

/// Functions in one block of the table.
const BLOCK: usize = 64;
/// Blocks in the table. Functions beyond share the last row.
const BLOCKS: usize = 64;
/// Misses in a row from which on a function is taken to find nothing.
const DRY: u32 = 64;

/// The counters of one cache, a row for every function.
pub(crate) struct Recorder {
    /// Called with every function that is used for the first time, and those that were used before.
    on_new: Box<OnNew>,
    observer: Option<ObserverHandle>,
    /// Held while a function is compared with those that were used before.
    comparing: Mutex<()>,
    blocks: [OnceLock<Box<Block>>; BLOCKS],
    /// Whether anything is measured, besides being counted.
    measures: bool,
    /// From the end of a write's body to the acknowledgement.
    invalidations: Buckets,
}

type OnNew = dyn Fn(&'static Callsite, &[&'static Callsite]) + Send + Sync;

type Block = [OnceLock<Box<Row>>; BLOCK];

impl Recorder {
    pub(crate) fn new(
        on_new: impl Fn(&'static Callsite, &[&'static Callsite]) + Send + Sync + 'static,
        measures: bool,
        observer: Option<ObserverHandle>,
    ) -> Self {
        Self {
            on_new: Box::new(on_new),
            observer,
            comparing: Mutex::new(()),
            blocks: [const { OnceLock::new() }; BLOCKS],
            measures,
            invalidations: Buckets::of_durations(),
        }
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

    /// Counts calls that have ended, and began at the same time.
    pub(crate) fn ended(
        &self,
        callsite: &'static Callsite,
        ending: Ending,
        calls: u64,
        since: Option<Instant>,
    ) {
        let row = self.row(callsite);
        let at = stripes::mine();
        let stripe = &row.stripes[at];
        match ending {
            // Their sum is the count of the outcome.
            Ending { why: Some(why), .. } => add(&stripe.uncached, why as usize, calls),
            Ending { kind, .. } => add(&stripe.outcomes, kind as usize, calls),
        }
        if ending.saved_ms > 0 {
            stripe.saved_ms.fetch_add(u64::from(ending.saved_ms) * calls, Ordering::Relaxed);
        }
        if let Some((measured, since)) = row.measured.as_ref().zip(since) {
            measured.ended(at, ending.kind, since.elapsed(), calls);
        }
        log::trace(format_args!("{}: {}", callsite.name(), ending.kind));
        if let Some(observer) = &self.observer {
            observer.called(callsite, ending, calls);
        }
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

    /// A load begins.
    pub(crate) fn load_begins(&self, callsite: &'static Callsite) {
        self.row(callsite).in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a load that has ended, and how long it took.
    pub(crate) fn loaded(&self, callsite: &'static Callsite, result: LoadResult, took: Duration) {
        self.count(
            callsite,
            match result {
                LoadResult::Ok => Event::LoadOk,
                LoadResult::Failed => Event::LoadFailed,
                LoadResult::Cancelled => Event::LoadCancelled,
            },
        );
        let row = self.row(callsite);
        row.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(buckets) = row.measured.as_ref().and_then(|it| it.loads.get(result as usize)) {
            buckets.took(took);
        }
    }

    /// Measures how long a call has waited for the load of another process.
    pub(crate) fn waited(&self, callsite: &'static Callsite, waited: Duration) {
        if let Some(measured) = &self.row(callsite).measured {
            measured.lease_waits.took(waited);
        }
    }

    /// Measures a value that is stored.
    pub(crate) fn sized(&self, callsite: &'static Callsite, bytes: usize) {
        if let Some(measured) = &self.row(callsite).measured {
            measured.sizes.record(bytes as u64, 1);
        }
    }

    /// Measures how long it has taken until an invalidation was acknowledged.
    pub(crate) fn invalidated(&self, took: Duration) {
        if self.measures {
            self.invalidations.took(took);
        }
    }

    /// How long that took so far.
    pub(crate) fn invalidation_delay(&self) -> Histogram {
        self.invalidations.snapshot()
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
            Box::new(Row::new(callsite, self.measures))
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
        let recorder = Recorder::new(|_, _| {}, true, None);
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
        recorder.ended(&BY_HAND, OutcomeKind::Hit.into(), 1, None);
        assert!(!recorder.is_dry(&BY_HAND));
    }
}
