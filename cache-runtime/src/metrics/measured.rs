//! What is measured of one function.

use std::time::Duration;

use crate::metrics::FunctionStats;
use crate::metrics::histogram::{Buckets, Histograms};
use crate::metrics::outcome::{LoadResult, OutcomeKind};
use crate::metrics::stripes::STRIPES;

/// The histograms of one function. Every call is in one of the first kind, so these are striped.
#[derive(Debug)]
pub(super) struct Measured {
    calls: [Calls; STRIPES],
    pub(super) loads: [Buckets; LoadResult::ALL.len()],
    pub(super) lease_waits: Buckets,
    pub(super) sizes: Buckets,
}

/// How long the calls of one stripe took, by outcome.
#[derive(Debug)]
#[repr(align(128))]
struct Calls([Buckets; OutcomeKind::ALL.len()]);

impl Default for Measured {
    fn default() -> Self {
        Self {
            calls: [const { Calls([const { Buckets::of_durations() }; OutcomeKind::ALL.len()]) };
                STRIPES],
            loads: [const { Buckets::of_durations() }; LoadResult::ALL.len()],
            lease_waits: Buckets::of_durations(),
            sizes: Buckets::of_sizes(),
        }
    }
}

impl Measured {
    /// So many calls took so long; counted in this stripe.
    pub(super) fn ended(&self, stripe: usize, outcome: OutcomeKind, took: Duration, calls: u64) {
        if let Some(buckets) = self.calls.get(stripe).and_then(|it| it.0.get(outcome as usize)) {
            buckets.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), calls);
        }
    }

    pub(super) fn put_into(&self, stats: &mut FunctionStats) {
        let calls = OutcomeKind::ALL.map(|outcome| {
            let stripes = self.calls.iter().filter_map(|Calls(each)| each.get(outcome as usize));
            let total = stripes.map(Buckets::snapshot).reduce(|mut total, stripe| {
                total.merge(&stripe);
                total
            });
            (outcome, total.unwrap_or_default())
        });
        let loads = LoadResult::ALL.into_iter().zip(self.loads.iter().map(Buckets::snapshot));
        stats.call_duration = Histograms::new(calls);
        stats.load_duration = Histograms::new(loads);
        stats.lease_wait = self.lease_waits.snapshot();
        stats.value_size = self.sizes.snapshot();
    }
}
