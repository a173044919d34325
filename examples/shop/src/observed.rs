//! What the service itself measures: its requests, and what they ask of the database.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cache_runtime::Cache;
use cache_runtime::stats::PrometheusCollector;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::data::pool::DbPool;

/// In seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// A request that has been answered.
#[derive(Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    /// How many it has asked by itself.
    pub(crate) queries: u64,
    /// Whether it wanted nothing cached.
    pub(crate) past_the_cache: bool,
}

/// How long requests took, by route, status and whether they used the cache.
type Durations = Family<[(&'static str, String); 3], Histogram, fn() -> Histogram>;

/// What was measured since the start.
#[derive(Debug)]
pub(crate) struct Observed {
    registry: Registry,
    durations: Durations,
    queries: Counter,
    pub(crate) cached: Samples,
    pub(crate) past_the_cache: Samples,
    requests: AtomicU64,
    failed: AtomicU64,
    /// Of those that wanted nothing cached, and how many queries they have asked.
    uncached: (AtomicU64, AtomicU64),
}

impl Observed {
    pub(crate) fn new(cache: &Cache) -> Self {
        let (mut registry, queries) = (Registry::default(), Counter::default());
        let durations = Durations::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register_with_unit(
            "http_server_request_duration",
            "How long requests took",
            Unit::Seconds,
            durations.clone(),
        );
        let help = "Queries that the database was asked";
        registry.register("shop_database_queries", help, queries.clone());
        registry.register_collector(Box::new(PrometheusCollector::new(cache)));
        Self {
            registry,
            durations,
            queries,
            cached: Samples::default(),
            past_the_cache: Samples::default(),
            requests: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            uncached: (AtomicU64::new(0), AtomicU64::new(0)),
        }
    }

    pub(crate) fn count(&self, answered: &Answered<'_>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if answered.status >= 500 {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        let (times, cache) = if answered.past_the_cache {
            let (requests, queries) = &self.uncached;
            requests.fetch_add(1, Ordering::Relaxed);
            queries.fetch_add(answered.queries, Ordering::Relaxed);
            (&self.past_the_cache, "past")
        } else {
            (&self.cached, "used")
        };
        times.add(answered.took);
        let labels = [
            ("route", answered.route.to_owned()),
            ("status", answered.status.to_string()),
            ("cache", cache.to_owned()),
        ];
        self.durations.get_or_create(&labels).observe(answered.took.as_secs_f64());
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Those that the service could not answer.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// How many queries so many requests would ask without a cache, as far as those tell that went
    /// past it; none if none has.
    pub(crate) fn queries_without(&self, requests: usize) -> Option<u64> {
        let (of, queries) = &self.uncached;
        let all = queries.load(Ordering::Relaxed) * requests as u64;
        all.checked_div(of.load(Ordering::Relaxed))
    }

    /// What Prometheus is told. The cache is asked for its counters now, and tells nobody on each
    /// call.
    pub(crate) fn render(&self, db: &DbPool) -> Result<String, fmt::Error> {
        self.queries.inc_by(db.asked() - self.queries.get());
        let mut told = String::new();
        text::encode(&mut told, &self.registry)?;
        Ok(told)
    }
}

/// How long requests took since somebody has last looked.
#[derive(Debug, Default)]
pub(crate) struct Samples(Mutex<Vec<Duration>>);

impl Samples {
    fn add(&self, took: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(took);
    }

    /// From the shortest to the longest.
    pub(crate) fn take(&self) -> Vec<Duration> {
        let mut taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        taken.sort_unstable();
        taken
    }
}
