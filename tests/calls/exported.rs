//! What an operator's tools are told is what `stats()` says: a scrape as Prometheus reads it, and
//! what a collector of OpenTelemetry is sent.

#![expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
#![expect(clippy::float_cmp, reason = "counts are whole numbers")]

use std::collections::BTreeMap;

use cache_fixtures::patient;
use cache_runtime::stats::{Histogram, OutcomeKind, PrometheusCollector, Stats};
use cache_runtime::{Cache, CallExt as _, cached, invalidates};
use cache_testing::redis::RedisServer;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use prometheus_parse::{Sample, Scrape, Value};

const FUNCTION: &str = "calls::exported::third";

#[cached(key = "third:<n>", ttl = 60)]
async fn third(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(3) { Ok(n / 3) } else { Err(format!("{n} has none")) }
}

#[invalidates(third(n))]
async fn change(n: u64) {
    _ = n;
}

/// A cache on Redis, with some calls behind it.
async fn some_calls(server: &RedisServer) -> Cache {
    let cache = patient().connect(&server.url()).unwrap();
    cache
        .scope(async {
            for n in [3, 3, 6, 3] {
                third(n).await.unwrap();
            }
            third(4).await.unwrap_err();
            third(3).bypass().await.unwrap();
            change(3).await;
        })
        .await;
    cache
}

fn scraped(cache: &Cache) -> Scrape {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(PrometheusCollector::new(cache)));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(!text.contains("third:"), "no label has a key: {text}");
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
}

/// The samples of a metric with these labels.
fn samples<'a>(
    scrape: &'a Scrape,
    metric: &'a str,
    labels: &'a [(&str, &str)],
) -> impl Iterator<Item = &'a Sample> {
    let has = move |sample: &&Sample| {
        let mut wanted = labels.iter();
        sample.metric == metric
            && wanted.all(|(name, value)| sample.labels.get(name) == Some(*value))
    };
    scrape.samples.iter().filter(has)
}

fn number(scrape: &Scrape, metric: &str, labels: &[(&str, &str)]) -> f64 {
    let found: Vec<_> = samples(scrape, metric, labels).collect();
    let [sample] = found[..] else { panic!("{metric} {labels:?} is {found:#?}") };
    match sample.value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
        ref other => panic!("{metric} is {other:?}"),
    }
}

/// Whether a histogram of the scrape is this one.
fn is(scrape: &Scrape, metric: &str, labels: &[(&str, &str)], expected: &Histogram) -> bool {
    let found: Vec<_> = samples(scrape, metric, labels).collect();
    let [Sample { value: Value::Histogram(buckets), .. }] = found[..] else {
        panic!("{metric} {labels:?} is {found:#?}")
    };
    let mut below = 0;
    let cumulative = expected.buckets().map(|(bound, count)| {
        below += count;
        (bound, below as f64)
    });
    let cumulative: Vec<_> = cumulative.collect();
    let told: Vec<_> = buckets.iter().map(|bucket| (bucket.less_than, bucket.count)).collect();
    let count = number(scrape, &format!("{metric}_count"), labels);
    let sum = number(scrape, &format!("{metric}_sum"), labels);
    told == cumulative && count == expected.count() as f64 && (sum - expected.sum()).abs() < 1e-9
}

#[tokio::test]
async fn a_scrape_says_what_the_statistics_say() {
    let server = RedisServer::start().await;
    let cache = some_calls(&server).await;
    let (scrape, stats) = (scraped(&cache), cache.stats());
    let third = stats.function(FUNCTION).unwrap();
    let mut calls = 0.0;
    for kind in OutcomeKind::ALL {
        let labels = [("function", FUNCTION), ("outcome", kind.as_str())];
        let told = number(&scrape, "cache_runtime_calls_total", &labels);
        assert_eq!(told, third.outcomes.of(kind) as f64, "{kind}");
        calls += told;
    }
    assert_eq!(calls, 6.0);
    for (outcome, histogram) in third.call_duration.iter() {
        let labels = [("function", FUNCTION), ("outcome", outcome.as_str())];
        let metric = "cache_runtime_call_duration_seconds";
        assert!(is(&scrape, metric, &labels, histogram), "{outcome}");
    }
    let labels = [("function", FUNCTION)];
    assert!(is(&scrape, "cache_runtime_value_size_bytes", &labels, &third.value_size));
    assert!(is(
        &scrape,
        "cache_runtime_invalidation_delay_seconds",
        &[],
        &stats.invalidation_delay
    ));
    assert_eq!(number(&scrape, "cache_runtime_journal_entries", &[]), 0.0);
    let address = &*stats.servers[0].address;
    for (state, is_in) in [("closed", 1.0), ("open", 0.0), ("half_open", 0.0)] {
        let labels = [("server_address", address), ("state", state)];
        assert_eq!(number(&scrape, "cache_runtime_breaker_state", &labels), is_in, "{state}");
    }
    for operation in &stats.servers[0].operations {
        let labels =
            [("db_system_name", "redis"), ("db_operation_name", operation.operation.as_str())];
        let metric = "db_client_operation_duration_seconds";
        assert!(is(&scrape, metric, &labels, &operation.duration), "{operation:?}");
    }
}

/// The facade's own exporter makes the same of it, and describes each metric.
#[tokio::test]
async fn the_facade_says_what_the_statistics_say() {
    let server = RedisServer::start().await;
    let cache = some_calls(&server).await;
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || cache.stats().export());
    let text = recorder.handle().render();
    assert!(text.contains("# HELP cache_runtime_calls Calls of cached functions"), "{text}");
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
    let third = cache.stats().function(FUNCTION).cloned().unwrap();
    for kind in OutcomeKind::ALL {
        let labels = [("function", FUNCTION), ("outcome", kind.as_str())];
        let told = number(&scrape, "cache_runtime_calls", &labels);
        assert_eq!(told, third.outcomes.of(kind) as f64, "{kind}");
    }
    let hits = third.call_duration.of(OutcomeKind::Hit);
    let labels = [("function", FUNCTION), ("outcome", "hit"), ("le", "+Inf")];
    let told = number(&scrape, "cache_runtime_call_duration_bucket", &labels);
    assert_eq!(told, hits.count() as f64);
}

/// Every number of a metric, by its labels.
fn points(metric: &Metric) -> BTreeMap<String, f64> {
    fn of<'a>(labels: impl Iterator<Item = &'a opentelemetry::KeyValue>) -> String {
        let mut labels: Vec<_> = labels.map(|it| format!("{}={}", it.key, it.value)).collect();
        labels.sort();
        labels.join(",")
    }
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            assert!(sum.is_monotonic());
            sum.data_points().map(|it| (of(it.attributes()), it.value() as f64)).collect()
        }
        AggregatedMetrics::F64(MetricData::Sum(sum)) => {
            sum.data_points().map(|it| (of(it.attributes()), it.value())).collect()
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            gauge.data_points().map(|it| (of(it.attributes()), it.value())).collect()
        }
        other => panic!("{} is {other:?}", metric.name()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meter_reads_what_the_statistics_say() {
    let server = RedisServer::start().await;
    let cache = some_calls(&server).await;
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    cache.observe(&provider.meter("shop"));
    provider.force_flush().unwrap();
    let Stats { servers, .. } = cache.stats();
    let third = cache.stats().function(FUNCTION).cloned().unwrap();

    let sent = exporter.get_finished_metrics().unwrap();
    let metrics = sent.last().unwrap().scope_metrics().flat_map(ScopeMetrics::metrics);
    let metrics: BTreeMap<_, _> =
        metrics.map(|metric| (metric.name(), (metric.unit(), points(metric)))).collect();
    let (unit, calls) = &metrics["cache_runtime.calls"];
    assert_eq!(*unit, "{call}");
    for kind in OutcomeKind::ALL {
        let told = calls[&format!("function={FUNCTION},outcome={kind}")];
        assert_eq!(told, third.outcomes.of(kind) as f64, "{kind}");
    }
    let hits = third.call_duration.of(OutcomeKind::Hit);
    let (_, buckets) = &metrics["cache_runtime.call.duration.bucket"];
    let last = format!("function={FUNCTION},le=+Inf,outcome=hit");
    assert_eq!(buckets[&last], hits.count() as f64, "{buckets:#?}");
    let (unit, sums) = &metrics["cache_runtime.call.duration.sum"];
    assert_eq!((*unit, sums[&format!("function={FUNCTION},outcome=hit")]), ("s", hits.sum()));
    let (_, breaker) = &metrics["cache_runtime.breaker.state"];
    assert_eq!(breaker[&format!("server.address={},state=closed", servers[0].address)], 1.0);
    provider.shutdown().unwrap();
}
