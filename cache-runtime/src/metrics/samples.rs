//! The values of all metrics, as every export passes them on.

use std::time::Duration;

use crate::metrics::families::Family;
use crate::metrics::histogram::Histogram;
use crate::metrics::snapshot::Counter;
use crate::metrics::{BreakerState, FunctionStats, MeasuredLength, QueueStats, ServerStats, Stats};

/// The value of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Count(u64),
    /// What only grows and is no whole number.
    Sum(f64),
    Gauge(f64),
    Histogram(&'a Histogram),
}

/// One value, and what it is of.
#[derive(Clone, Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) family: &'static Family,
    pub(crate) labels: Vec<(&'static str, &'a str)>,
    pub(crate) value: Value<'a>,
}

/// Samples on their way into a list.
struct Samples<'a>(Vec<Sample<'a>>);

impl<'a> Samples<'a> {
    fn add(&mut self, name: &str, labels: &[(&'static str, &'a str)], value: Value<'a>) {
        // That there is none is excluded by a test.
        let Some(family) = Family::named(name) else { return };
        self.0.push(Sample { family, labels: labels.to_vec(), value });
    }

    fn gauge(&mut self, name: &str, labels: &[(&'static str, &'a str)], value: f64) {
        self.add(name, labels, Value::Gauge(value));
    }
}

impl Stats {
    /// Every value that is exported.
    pub(crate) fn samples(&self) -> Vec<Sample<'_>> {
        let mut samples = Samples(Vec::new());
        self.functions.iter().for_each(|function| function.sample(&mut samples));
        self.sample(&mut samples);
        self.servers.iter().for_each(|server| server.sample(&mut samples));
        self.queues.iter().for_each(|queue| queue.sample(&mut samples));
        samples.0
    }

    fn sample<'a>(&'a self, samples: &mut Samples<'a>) {
        let delay = Value::Histogram(&self.invalidation_delay);
        samples.add("cache_runtime.invalidation.delay", &[], delay);
        let refreshes = number(self.background_refreshes as u64);
        samples.gauge("cache_runtime.refreshes.active", &[], refreshes);
        samples.gauge("cache_runtime.journal.entries", &[], number(self.journal_depth as u64));
        samples.gauge("cache_runtime.journal.age", &[], self.journal_age.as_secs_f64());
        for (state, keys) in
            [("looked_at", self.journal_keys_looked_at), ("removed", self.journal_keys_removed)]
        {
            samples.gauge("cache_runtime.journal.keys", &[("state", state)], number(keys));
        }
        if let Some(embedded) = self.embedded {
            let (entries, bytes) = (embedded.entries as u64, embedded.bytes as u64);
            samples.gauge("cache_runtime.embedded.entries", &[], number(entries));
            samples.gauge("cache_runtime.embedded.size", &[], number(bytes));
        }
    }
}

impl FunctionStats {
    fn sample<'a>(&'a self, samples: &mut Samples<'a>) {
        let function = ("function", self.function);
        for Counter { metric, label, count, .. } in self.counters() {
            samples.add(metric, &[function, label], Value::Count(count));
        }
        for (outcome, calls) in self.call_duration.iter() {
            let labels = [function, ("outcome", outcome.as_str())];
            samples.add("cache_runtime.call.duration", &labels, Value::Histogram(calls));
        }
        for (result, loads) in self.load_duration.iter() {
            let labels = [function, ("outcome", result.as_str())];
            samples.add("cache_runtime.load.duration", &labels, Value::Histogram(loads));
        }
        for (name, histogram) in [
            ("cache_runtime.lease.wait", &self.lease_wait),
            ("cache_runtime.value.size", &self.value_size),
        ] {
            if histogram.count() > 0 {
                samples.add(name, &[function], Value::Histogram(histogram));
            }
        }
        samples.gauge("cache_runtime.loads.active", &[function], number(self.loads_in_flight));
        let saved = Value::Sum(self.time_saved.as_secs_f64());
        samples.add("cache_runtime.time_saved", &[function], saved);
    }
}

impl ServerStats {
    fn sample<'a>(&'a self, samples: &mut Samples<'a>) {
        let address = ("server.address", &*self.address);
        for state in BreakerState::ALL {
            let is_in = f64::from(u8::from(state == self.breaker));
            let labels = [address, ("state", state.as_str())];
            samples.gauge("cache_runtime.breaker.state", &labels, is_in);
        }
        let connections = Value::Count(self.connections);
        samples.add("cache_runtime.connections", &[address], connections);
        for it in &self.operations {
            let operation = ("db.operation.name", it.operation.as_str());
            let mut labels = vec![("db.system.name", "redis"), operation, address];
            labels.extend(it.error.map(|error| ("error.type", error.as_str())));
            let duration = Value::Histogram(&it.duration);
            samples.add("db.client.operation.duration", &labels, duration);
        }
    }
}

impl QueueStats {
    fn sample<'a>(&'a self, samples: &mut Samples<'a>) {
        let queue = ("queue", self.queue);
        for Counter { metric, label, count, .. } in self.counters() {
            samples.add(metric, &[queue, label], Value::Count(count));
        }
        samples.gauge("cache_runtime.queue.partitions", &[queue], number(self.partitions_owned));
        let Some(MeasuredLength { length, age, .. }) = self.length else { return };
        for (state, items) in [
            ("waiting", length.waiting),
            ("pending", length.pending),
            ("dead_letter", length.dead_letters),
        ] {
            samples.gauge("cache_runtime.queue.length", &[queue, ("state", state)], number(items));
        }
        let paused = f64::from(u8::from(length.paused));
        samples.gauge("cache_runtime.queue.paused", &[queue], paused);
        let seconds = |span: Duration| span.as_secs_f64();
        samples.gauge("cache_runtime.queue.lag", &[queue], seconds(length.lag));
        samples.gauge("cache_runtime.queue.length.age", &[queue], seconds(age));
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing here comes to 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::metrics::families::{FAMILIES, Kind};
    use crate::metrics::histogram::Buckets;
    use crate::metrics::{
        EmbeddedStats, Histograms, LoadResult, OperationStats, OutcomeKind, StoreFailure,
        StoreOperation,
    };

    /// Of everything something.
    fn everything() -> Stats {
        let measured = Buckets::of_durations();
        measured.took(Duration::from_millis(1));
        let one = measured.snapshot();
        let function = FunctionStats {
            function: "get_user",
            call_duration: Histograms::new([(OutcomeKind::Hit, one)]),
            load_duration: Histograms::new([(LoadResult::Ok, one)]),
            lease_wait: one,
            value_size: one,
            ..FunctionStats::default()
        };
        let (operation, error) = (StoreOperation::Get, Some(StoreFailure::Timeout));
        let operations = vec![OperationStats { operation, error, duration: one }];
        let (address, breaker) = ("localhost:6379".to_owned(), BreakerState::Open);
        let length = Some(MeasuredLength::default());
        Stats {
            functions: vec![function],
            queues: vec![QueueStats { queue: "views", length, ..QueueStats::default() }],
            servers: vec![ServerStats { address, breaker, connections: 1, operations }],
            embedded: Some(EmbeddedStats::default()),
            invalidation_delay: one,
            ..Stats::default()
        }
    }

    #[test]
    fn every_metric_has_values_of_its_kind_with_its_labels() {
        let stats = everything();
        let samples = stats.samples();
        for family in FAMILIES {
            let mine: Vec<_> = samples.iter().filter(|it| it.family.name == family.name).collect();
            assert!(!mine.is_empty(), "{} has no value", family.name);
            for sample in mine {
                let kind = match sample.value {
                    Value::Count(_) | Value::Sum(_) => Kind::Counter,
                    Value::Gauge(_) => Kind::Gauge,
                    Value::Histogram(_) => Kind::Histogram,
                };
                let labels: Vec<_> = sample.labels.iter().map(|(name, _)| *name).collect();
                assert_eq!((kind, &labels[..]), (family.kind, family.labels), "{}", family.name);
            }
        }
        let counters = stats.functions.iter().flat_map(FunctionStats::counters);
        for counter in counters.chain(stats.queues.iter().flat_map(QueueStats::counters)) {
            assert!(Family::named(counter.metric).is_some(), "{} is in no list", counter.metric);
        }
        let each: BTreeSet<_> =
            samples.iter().map(|it| (it.family.name, it.labels.clone())).collect();
        assert_eq!(each.len(), samples.len(), "no value is there twice");
    }

    /// The table of the guide.
    #[test]
    fn the_guide_has_every_metric() {
        let guide = include_str!("../doc/observing.md");
        let rows = guide.lines().filter(|line| line.starts_with("| `"));
        let rows: BTreeMap<_, _> = rows
            .filter_map(|row| {
                let cells: Vec<_> = row.split('|').map(str::trim).collect();
                Some((cells.get(1)?.trim_matches('`'), (*cells.get(2)?, *cells.get(3)?, row)))
            })
            .collect();
        for family in FAMILIES {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let name = family.name.strip_prefix("cache_runtime.").unwrap_or(family.name);
            let Some((told, unit, row)) = rows.get(name) else {
                panic!("{} is not in the guide", family.name)
            };
            assert_eq!((*told, *unit), (kind, &*format!("`{}`", family.unit)), "{row}");
            for label in family.labels {
                assert!(row.contains(&format!("`{label}`")), "{label} is not in {row}");
            }
        }
        let is_kind = |told: &str| ["counter", "gauge", "histogram"].contains(&told);
        let metrics = rows.values().filter(|(told, ..)| is_kind(told)).count();
        assert_eq!(metrics, FAMILIES.len(), "the guide has one that there is none of");
    }
}
