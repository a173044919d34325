//! The counters of one function.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::metrics::measured::Measured;
use crate::metrics::outcome::{
    MissReason, Misses, OutcomeKind, Outcomes, UncachedCalls, UncachedReason,
};
use crate::metrics::stripes::{self, STRIPES};
use crate::metrics::{Event, FunctionStats};
use crate::policy::Callsite;

/// One function's counters.
pub(super) struct Row {
    pub(super) callsite: &'static Callsite,
    pub(super) stripes: [Stripe; STRIPES],
    /// None if nothing is measured.
    pub(super) measured: Option<Box<Measured>>,
    pub(super) in_flight: AtomicU64,
    /// Misses since the last hit.
    pub(super) misses: AtomicU32,
    /// Limits the function's concurrent loads.
    pub(super) places: Option<Arc<Semaphore>>,
}

/// Two cache lines apart from the next, as processors fetch them in pairs.
#[repr(align(128))]
pub(super) struct Stripe {
    pub(super) outcomes: [AtomicU64; OutcomeKind::ALL.len()],
    pub(super) uncached: [AtomicU64; UncachedReason::ALL.len()],
    pub(super) misses: [AtomicU64; MissReason::ALL.len()],
    pub(super) events: [AtomicU64; Event::COUNT],
    pub(super) saved_ms: AtomicU64,
}

impl Row {
    pub(super) fn new(callsite: &'static Callsite, measures: bool) -> Self {
        let places = callsite.policy().max_concurrent_loads;
        Self {
            callsite,
            stripes: std::array::from_fn(|_| Stripe::new()),
            measured: measures.then(Box::default),
            in_flight: AtomicU64::new(0),
            misses: AtomicU32::new(0),
            places: places.map(|places| {
                Arc::new(Semaphore::new((places as usize).min(Semaphore::MAX_PERMITS)))
            }),
        }
    }

    /// The counters of the present thread.
    pub(super) fn stripe(&self) -> &Stripe {
        &self.stripes[stripes::mine()]
    }

    /// There is something to be found. Written only where it changes: hits share the line.
    pub(super) fn is_no_longer_dry(&self) {
        if self.misses.load(Ordering::Relaxed) != 0 {
            self.misses.store(0, Ordering::Relaxed);
        }
    }

    /// What has been counted so far.
    pub(super) fn snapshot(&self) -> FunctionStats {
        let sum = |count: &dyn Fn(&Stripe) -> &AtomicU64| {
            self.stripes.iter().map(|stripe| count(stripe).load(Ordering::Relaxed)).sum()
        };
        let uncached = UncachedCalls::new(|it| sum(&|stripe| &stripe.uncached[it as usize]));
        let outcomes = Outcomes::new(|it| sum(&|stripe| &stripe.outcomes[it as usize]));
        let mut stats = FunctionStats {
            function: self.callsite.name(),
            template: self.callsite.template(),
            outcomes: Outcomes { uncached: uncached.total(), ..outcomes },
            uncached,
            misses: Misses::new(|it| sum(&|stripe| &stripe.misses[it as usize])),
            loads_in_flight: self.in_flight.load(Ordering::Relaxed),
            time_saved: Duration::from_millis(sum(&|stripe| &stripe.saved_ms)),
            ..FunctionStats::of_events(|it| sum(&|stripe| &stripe.events[it as usize]))
        };
        if let Some(measured) = &self.measured {
            measured.put_into(&mut stats);
        }
        stats
    }
}

impl Stripe {
    const fn new() -> Self {
        Self {
            outcomes: [const { AtomicU64::new(0) }; OutcomeKind::ALL.len()],
            uncached: [const { AtomicU64::new(0) }; UncachedReason::ALL.len()],
            misses: [const { AtomicU64::new(0) }; MissReason::ALL.len()],
            events: [const { AtomicU64::new(0) }; Event::COUNT],
            saved_ms: AtomicU64::new(0),
        }
    }
}

pub(super) fn add(counters: &[AtomicU64], at: usize, count: u64) {
    if let Some(counter) = counters.get(at) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}
