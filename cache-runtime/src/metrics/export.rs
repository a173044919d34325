//! Export to the `metrics` facade.

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::metrics::Stats;
use crate::metrics::families::{FAMILIES, Family, Kind};
use crate::metrics::histogram::{Histogram, UpperBound};
use crate::metrics::samples::{Sample, Value};

impl Stats {
    /// Passes all metrics to the recorder that the program has installed for the `metrics` facade,
    /// with their descriptions and units. Call it when metrics are collected, such as before a
    /// scrape. Nothing is recorded on each call of a function, so calls cost the same with and
    /// without it. Needs the feature `metrics`.
    ///
    /// A [guide](mod@crate::guide::observing) has a table of all metrics. No label has a key
    /// in it. The facade takes no histograms that were counted elsewhere, so of each there are
    /// counters, as a Prometheus server has them: `….bucket`, cumulative, with the label `le`, and
    /// `….count`; and `….sum`, a gauge as it is no whole number. So is `cache_runtime.time_saved`.
    pub fn export(&self) {
        FAMILIES.iter().for_each(describe);
        for Sample { family, labels, value } in self.samples() {
            let labels: Vec<Label> = labels
                .into_iter()
                .map(|(name, value)| Label::new(name, value.to_owned()))
                .collect();
            match value {
                Value::Count(count) => counter!(family.name, labels).absolute(count),
                Value::Sum(value) | Value::Gauge(value) => gauge!(family.name, labels).set(value),
                Value::Histogram(histogram) => pass_on(family.name, &labels, histogram),
            }
        }
    }
}

fn describe(family: &Family) {
    let Family { name, kind, help, .. } = *family;
    let unit = match family.unit {
        "s" => Unit::Seconds,
        "By" => Unit::Bytes,
        _ => Unit::Count,
    };
    match (kind, family.unit) {
        (Kind::Counter, "s") | (Kind::Gauge, _) => describe_gauge!(name, unit, help),
        (Kind::Counter, _) => describe_counter!(name, unit, help),
        (Kind::Histogram, _) => {
            describe_counter!(format!("{name}.bucket"), Unit::Count, help);
            describe_counter!(format!("{name}.count"), Unit::Count, help);
            describe_gauge!(format!("{name}.sum"), unit, help);
        }
    }
}

fn pass_on(name: &str, labels: &[Label], histogram: &Histogram) {
    let mut below = 0;
    for (bound, count) in histogram.buckets() {
        below += count;
        let mut labels = labels.to_vec();
        labels.push(Label::new("le", UpperBound(bound).to_string()));
        counter!(format!("{name}.bucket"), labels).absolute(below);
    }
    counter!(format!("{name}.count"), labels.to_vec()).absolute(histogram.count());
    gauge!(format!("{name}.sum"), labels.to_vec()).set(histogram.sum());
}
