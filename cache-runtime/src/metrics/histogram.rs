//! Durations in buckets, counted without locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Buckets for each doubling: quantiles are exact to a quarter.
const STEPS: usize = 4;
/// From one microsecond to a little more than an hour.
const BUCKETS: usize = 32 * STEPS;

/// Counts of durations.
#[derive(Debug)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
    max_us: AtomicU64,
}

/// The distribution of durations, since the program started. Each is serialized as whole
/// microseconds: `mean_us`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// The number of measurements.
    pub count: u64,
    /// The average.
    #[serde(rename = "mean_us", serialize_with = "as_us")]
    pub mean: Duration,
    /// The median, exact to a quarter of its value.
    #[serde(rename = "p50_us", serialize_with = "as_us")]
    pub p50: Duration,
    /// The 95th percentile, exact to a quarter of its value.
    #[serde(rename = "p95_us", serialize_with = "as_us")]
    pub p95: Duration,
    /// The 99th percentile, exact to a quarter of its value.
    #[serde(rename = "p99_us", serialize_with = "as_us")]
    pub p99: Duration,
    /// The maximum.
    #[serde(rename = "max_us", serialize_with = "as_us")]
    pub max: Duration,
}

impl Histogram {
    pub(super) const fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            sum_us: AtomicU64::new(0),
            max_us: AtomicU64::new(0),
        }
    }

    pub(super) fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(us)].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
        self.max_us.fetch_max(us, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Latency {
        let counts: [u64; BUCKETS] =
            std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed));
        let count: u64 = counts.iter().sum();
        let max_us = self.max_us.load(Ordering::Relaxed);
        let quantile = |per_cent: u64| {
            let rank = (count * per_cent).div_ceil(100);
            let mut below = 0;
            let at = counts.iter().position(|bucket| {
                below += bucket;
                below >= rank
            });
            Duration::from_micros(at.map_or(0, |at| upper_bound(at).min(max_us)))
        };
        Latency {
            count,
            mean: Duration::from_micros(
                self.sum_us.load(Ordering::Relaxed).checked_div(count).unwrap_or(0),
            ),
            p50: quantile(50),
            p95: quantile(95),
            p99: quantile(99),
            max: Duration::from_micros(max_us),
        }
    }
}

/// Serializes a duration as whole microseconds.
pub(super) fn as_us<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

/// The bucket of a duration: its highest bit, and the two bits below.
fn bucket(us: u64) -> usize {
    if us < STEPS as u64 {
        return usize::try_from(us).unwrap_or(0);
    }
    let high = us.ilog2() as usize;
    let step = usize::try_from(us >> (high - 2)).unwrap_or(0) % STEPS;
    ((high - 1) * STEPS + step).min(BUCKETS - 1)
}

/// The longest duration of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let (high, step) = (bucket / STEPS + 1, (bucket % STEPS) as u64);
    ((STEPS as u64 + step + 1) << (high - 2)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_lies_between_its_bounds() {
        for us in (0..4096).chain([65_535, 1 << 20, u64::from(u32::MAX)]) {
            let at = bucket(us);
            assert!(us <= upper_bound(at), "{us} in {at}");
            assert!(at == 0 || us > upper_bound(at - 1), "{us} in {at}");
        }
    }

    #[test]
    fn quantiles_are_exact_to_a_quarter() {
        let histogram = Histogram::new();
        (1..=1000).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        let Latency { count, mean, p50, p99, max, .. } = histogram.snapshot();
        let ms = Duration::from_millis;
        assert_eq!((count, mean, max), (1000, Duration::from_micros(500_500), ms(1_000)));
        assert!((ms(500)..ms(625)).contains(&p50), "{p50:?}");
        assert!((ms(990)..=ms(1_000)).contains(&p99), "{p99:?}");
    }
}
