//! The metrics of a cache in a registry of `prometheus-client`.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use crate::cache::Cache;

/// A collector of `prometheus-client`: on each scrape it writes all metrics of a cache, with their
/// histograms, as they are at that time. Needs the feature `prometheus-client`.
///
/// A [guide](mod@crate::guide::observing) has a table of all metrics. Prometheus takes no
/// dots and wants units in names: `cache_runtime.call.duration` is
/// `cache_runtime_call_duration_seconds`, and `cache_runtime.calls` is
/// `cache_runtime_calls_total`.
///
/// ```
/// # use cache_runtime::Cache;
/// use cache_runtime::stats::PrometheusCollector;
/// use prometheus_client::encoding::text::encode;
/// use prometheus_client::registry::Registry;
///
/// # fn main() -> Result<(), std::fmt::Error> {
/// let cache = Cache::in_memory();
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(PrometheusCollector::new(&cache)));
/// let mut text = String::new();
/// encode(&mut text, &registry)?;
/// assert!(text.contains("cache_runtime_embedded_entries 0"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PrometheusCollector {
    cache: Cache,
}

impl PrometheusCollector {
    /// Collects the metrics of this cache.
    #[must_use]
    pub fn new(cache: &Cache) -> Self {
        Self { cache: cache.clone() }
    }
}

impl Collector for PrometheusCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.cache.stats().encode(encoder)
    }
}
