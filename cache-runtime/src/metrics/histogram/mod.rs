//! Durations and sizes in fixed buckets.
//!
//! The buckets are the same in every process and in every release, so histograms can be added up.

mod buckets;
mod serialized;
#[cfg(test)]
mod tests;

use std::fmt;

use self::buckets::BUCKETS;
pub(crate) use self::buckets::{Buckets, Measure};
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(crate) use self::serialized::UpperBound;
pub(super) use self::serialized::as_us;

/// How durations or sizes are distributed, in fixed buckets, since the program started.
///
/// Durations have these upper bounds: 50, 100, 250 and 500 µs, 1, 2.5, 5, 10, 25, 50, 100, 250 and
/// 500 ms, and 1, 2.5, 5, 10, 30 and 60 s. Sizes have the powers of four from 64 B to 64 MiB. What
/// is larger is in a last bucket without a bound, the [`overflow`](Self::overflow).
///
/// Histograms of several functions or processes can be [merged](Self::merge). Serialized, one is
/// its count, its sum in seconds or bytes, and the count of each bucket that is not empty by its
/// upper bound.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Histogram {
    measure: Measure,
    counts: [u64; BUCKETS],
    /// In nanoseconds or bytes.
    sum: u64,
}

impl Histogram {
    /// The number of measurements.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all measurements, in seconds or bytes.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.measure.in_unit(self.sum)
    }

    /// Each bucket: its upper bound in seconds or bytes, which is inclusive, and how many
    /// measurements are in it, not counting those of the buckets before. The bound of the last one
    /// is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = self.measure.bounds().iter().map(|bound| self.measure.in_unit(*bound));
        bounds.chain([f64::INFINITY]).zip(self.counts)
    }

    /// How many measurements are larger than the last bound.
    #[must_use]
    pub fn overflow(&self) -> u64 {
        self.buckets().last().map_or(0, |(_, count)| count)
    }

    /// An upper bound of a quantile, in seconds or bytes: `0.5` asks for the median, `1.0` for the
    /// maximum. Infinite if that is in the overflow, `None` if nothing was measured.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rank needs no more than 52 bits")]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let rank = (self.count() as f64 * quantile.clamp(0.0, 1.0)).max(1.0);
        let mut below = 0;
        let mut buckets = self.buckets();
        let found = buckets.find(|(_, count)| {
            below += count;
            below as f64 >= rank
        });
        found.map(|(bound, _)| bound)
    }

    /// Adds what another one has counted. One of another unit adds nothing.
    pub fn merge(&mut self, other: &Self) {
        if self.count() == 0 {
            *self = *other;
        } else if self.measure == other.measure {
            self.sum = self.sum.saturating_add(other.sum);
            for (to, from) in self.counts.iter_mut().zip(other.counts) {
                *to += from;
            }
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buckets = self.buckets().filter(|(_, count)| *count > 0);
        write!(f, "{} {} in ", self.sum(), self.measure.unit())?;
        f.debug_map().entries(buckets).finish()
    }
}

/// A histogram for each kind of something; serialized by their names, as far as something was
/// measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Histograms<K> {
    each: Vec<(K, Histogram)>,
}

impl<K> Default for Histograms<K> {
    fn default() -> Self {
        Self { each: Vec::new() }
    }
}

impl<K: Copy + PartialEq> Histograms<K> {
    pub(super) fn new(each: impl IntoIterator<Item = (K, Histogram)>) -> Self {
        let each = each.into_iter().filter(|(_, histogram)| histogram.count() > 0);
        Self { each: each.collect() }
    }

    /// Those of which something was measured.
    pub fn iter(&self) -> impl Iterator<Item = (K, &Histogram)> {
        self.each.iter().map(|(kind, histogram)| (*kind, histogram))
    }

    /// That of one kind; empty if nothing was measured.
    #[must_use]
    pub fn of(&self, kind: K) -> Histogram {
        let found = self.iter().find(|(it, _)| *it == kind);
        found.map_or_else(Histogram::default, |(_, histogram)| *histogram)
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Histogram {
        let mut total = Histogram::default();
        self.each.iter().for_each(|(_, histogram)| total.merge(histogram));
        total
    }
}
