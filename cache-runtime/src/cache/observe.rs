//! The metrics of a cache through a `Meter` of OpenTelemetry.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use crate::cache::Cache;
use crate::metrics::families::{FAMILIES, Family, Kind};
use crate::metrics::samples::{Sample, Value};
use crate::metrics::{Stats, UpperBound};

/// A snapshot serves all instruments that are read within this time, as one collection does.
const COLLECTION: Duration = Duration::from_millis(50);

impl Cache {
    /// Gives all metrics of this cache to a meter of OpenTelemetry, which reads them whenever it
    /// collects, for as long as its provider lives. Call it once for each cache and provider. Needs
    /// the feature `opentelemetry`.
    ///
    /// A [guide](mod@crate::guide::observing) has a table of all metrics. OpenTelemetry
    /// reads no histograms that were counted elsewhere, so of each there are counters:
    /// `….bucket`, cumulative, with the label `le`, `….count` and `….sum`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # let cache = Cache::in_memory();
    /// cache.observe(&opentelemetry::global::meter("shop"));
    /// ```
    pub fn observe(&self, meter: &Meter) {
        let snapshots = Arc::new(Snapshots { cache: self.clone(), latest: Mutex::default() });
        for family in FAMILIES {
            match (family.kind, family.unit) {
                (Kind::Counter, "s") => sum(meter, family, "", &snapshots),
                (Kind::Counter, _) => count(meter, family, "", &snapshots),
                (Kind::Gauge, _) => gauge(meter, family, &snapshots),
                (Kind::Histogram, _) => {
                    count(meter, family, ".bucket", &snapshots);
                    count(meter, family, ".count", &snapshots);
                    sum(meter, family, ".sum", &snapshots);
                }
            }
        }
    }
}

/// Snapshots of a cache, each for a whole collection.
struct Snapshots {
    cache: Cache,
    latest: Mutex<Option<(Instant, Arc<Stats>)>>,
}

impl Snapshots {
    fn present(&self) -> Arc<Stats> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((taken, stats)) if taken.elapsed() < COLLECTION => Arc::clone(stats),
            _ => {
                let stats = Arc::new(self.cache.stats());
                *latest = Some((Instant::now(), Arc::clone(&stats)));
                stats
            }
        }
    }

    /// Passes on the values of one metric, as `number` makes them of it.
    fn observe<T>(
        &self,
        family: &'static Family,
        instrument: &dyn AsyncInstrument<T>,
        numbers: impl Fn(Value<'_>) -> Vec<(T, Option<f64>)>,
    ) {
        let stats = self.present();
        let mine = stats.samples().into_iter().filter(|it| std::ptr::eq(it.family, family));
        for Sample { labels, value, .. } in mine {
            let labels = labels.iter().map(|(name, value)| KeyValue::new(*name, value.to_string()));
            let labels: Vec<_> = labels.collect();
            for (number, bound) in numbers(value) {
                let bound = bound.map(|bound| KeyValue::new("le", UpperBound(bound).to_string()));
                let labels: Vec<_> = labels.iter().cloned().chain(bound).collect();
                instrument.observe(number, &labels);
            }
        }
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").field("cache", &self.cache).finish_non_exhaustive()
    }
}

fn count(meter: &Meter, family: &'static Family, part: &'static str, from: &Arc<Snapshots>) {
    let from = Arc::clone(from);
    let unit = if part.is_empty() { family.unit } else { "1" };
    let counter = meter.u64_observable_counter([family.name, part].concat());
    let counter = counter.with_unit(unit).with_description(family.help);
    let counter = counter.with_callback(move |instrument| {
        from.observe(family, instrument, |value| match value {
            Value::Count(count) => vec![(count, None)],
            Value::Histogram(histogram) if part == ".bucket" => {
                let mut below = 0;
                let buckets = histogram.buckets().map(|(bound, count)| {
                    below += count;
                    (below, Some(bound))
                });
                buckets.collect()
            }
            Value::Histogram(histogram) => vec![(histogram.count(), None)],
            Value::Sum(_) | Value::Gauge(_) => Vec::new(),
        });
    });
    _ = counter.build();
}

fn sum(meter: &Meter, family: &'static Family, part: &'static str, from: &Arc<Snapshots>) {
    let from = Arc::clone(from);
    let counter = meter.f64_observable_counter([family.name, part].concat());
    let counter = counter.with_unit(family.unit).with_description(family.help);
    let counter = counter.with_callback(move |instrument| {
        from.observe(family, instrument, |value| match value {
            Value::Sum(sum) => vec![(sum, None)],
            Value::Histogram(histogram) => vec![(histogram.sum(), None)],
            Value::Count(_) | Value::Gauge(_) => Vec::new(),
        });
    });
    _ = counter.build();
}

fn gauge(meter: &Meter, family: &'static Family, from: &Arc<Snapshots>) {
    let from = Arc::clone(from);
    let gauge = meter.f64_observable_gauge(family.name);
    let gauge = gauge.with_unit(family.unit).with_description(family.help);
    let gauge = gauge.with_callback(move |instrument| {
        from.observe(family, instrument, |value| match value {
            Value::Gauge(value) => vec![(value, None)],
            _ => Vec::new(),
        });
    });
    _ = gauge.build();
}
