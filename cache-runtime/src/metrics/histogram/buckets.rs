//! The buckets, and how they are counted without locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::metrics::histogram::Histogram;

/// The upper bounds of durations, in nanoseconds: 50 µs to 60 s.
const DURATIONS: [u64; 19] = {
    let us = [
        50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ];
    let mut bounds = us;
    let mut at = 0;
    while at < us.len() {
        bounds[at] = us[at] * 1_000;
        at += 1;
    }
    bounds
};

/// The upper bounds of sizes, in bytes: 64 B to 64 MiB.
pub(super) const SIZES: [u64; 11] = [
    1 << 6,
    1 << 8,
    1 << 10,
    1 << 12,
    1 << 14,
    1 << 16,
    1 << 18,
    1 << 20,
    1 << 22,
    1 << 24,
    1 << 26,
];

/// Room for the buckets of either, and for what lies above.
pub(super) const BUCKETS: usize = DURATIONS.len() + 1;

/// What a histogram is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Measure {
    #[default]
    Duration,
    Size,
}

impl Measure {
    pub(super) const fn bounds(self) -> &'static [u64] {
        match self {
            Self::Duration => &DURATIONS,
            Self::Size => &SIZES,
        }
    }

    /// A count of nanoseconds or bytes in the unit of the metric.
    #[expect(clippy::cast_precision_loss, reason = "figures for people and for metrics")]
    pub(super) fn in_unit(self, value: u64) -> f64 {
        match self {
            Self::Duration => value as f64 / 1e9,
            Self::Size => value as f64,
        }
    }

    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Duration => "s",
            Self::Size => "By",
        }
    }
}

/// A histogram while it is counted. In this order what a fast call changes is in one cache line.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Buckets {
    sum: AtomicU64,
    counts: [AtomicU64; BUCKETS],
    measure: Measure,
}

impl Buckets {
    pub(crate) const fn of_durations() -> Self {
        Self::new(Measure::Duration)
    }

    pub(crate) const fn of_sizes() -> Self {
        Self::new(Measure::Size)
    }

    const fn new(measure: Measure) -> Self {
        let counts = [const { AtomicU64::new(0) }; BUCKETS];
        Self { measure, counts, sum: AtomicU64::new(0) }
    }

    pub(crate) fn took(&self, duration: Duration) {
        self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), 1);
    }

    /// So many nanoseconds or bytes, so many times.
    pub(crate) fn record(&self, value: u64, times: u64) {
        let bounds = self.measure.bounds();
        let is_first = bounds.first().is_some_and(|bound| value <= *bound);
        let at = if is_first { 0 } else { bounds.partition_point(|bound| *bound < value) };
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(times, Ordering::Relaxed);
            self.sum.fetch_add(value.saturating_mul(times), Ordering::Relaxed);
        }
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        let mut counts = [0; BUCKETS];
        for (to, from) in counts.iter_mut().zip(&self.counts) {
            *to = from.load(Ordering::Relaxed);
        }
        Histogram { measure: self.measure, counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}
