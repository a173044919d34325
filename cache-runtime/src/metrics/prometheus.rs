//! Export to a registry of `prometheus-client`.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::metrics::Stats;
use crate::metrics::families::{FAMILIES, Kind};
use crate::metrics::samples::{Sample, Value};

impl Stats {
    /// Writes all metrics that have a value.
    pub(crate) fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let samples = self.samples();
        for family in FAMILIES {
            let mine = samples.iter().filter(|it| std::ptr::eq(it.family, family));
            let mut mine = mine.peekable();
            if mine.peek().is_none() {
                continue;
            }
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let unit = match family.unit {
                "s" => Some(Unit::Seconds),
                "By" => Some(Unit::Bytes),
                _ => None,
            };
            let name = underscored(family.name);
            let mut metric = encoder.encode_descriptor(&name, family.help, unit.as_ref(), kind)?;
            for Sample { labels, value, .. } in mine {
                let labels = labels.iter().map(|(name, value)| (underscored(name), *value));
                let labels: Vec<_> = labels.collect();
                write(metric.encode_family(&labels)?, *value)?;
            }
        }
        Ok(())
    }
}

fn write(mut metric: MetricEncoder<'_>, value: Value<'_>) -> fmt::Result {
    match value {
        Value::Count(count) => metric.encode_counter::<NoLabelSet, _, u64>(&count, None),
        Value::Sum(sum) => metric.encode_counter::<NoLabelSet, _, f64>(&sum, None),
        Value::Gauge(value) => metric.encode_gauge(&value),
        Value::Histogram(histogram) => {
            let buckets: Vec<_> = histogram.buckets().collect();
            let (sum, count) = (histogram.sum(), histogram.count());
            metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        }
    }
}

/// A name as Prometheus takes it.
fn underscored(name: &str) -> String {
    name.replace('.', "_")
}
