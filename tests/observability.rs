//! What happened, told: counters, latencies, the breaker, and the same through the `metrics` facade.

mod support;

use std::collections::BTreeMap;

use cache_runtime::{BreakerState, Cache, CallExt as _, cached, invalidates};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use support::patient;
use support::redis::RedisServer;

#[cached(key = "half:<n>", ttl = 60)]
async fn half(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
}

#[invalidates(half(n), pattern = "half:1*")]
async fn change(n: u64) {
    _ = n;
}

async fn some_calls(cache: &Cache) {
    cache
        .scope(async {
            assert_eq!(half(8).await, Ok(4));
            assert_eq!(half(8).await, Ok(4));
            assert_eq!(half(8).bypass().await, Ok(4));
            assert!(half(7).await.is_err());
            change(8).await;
            assert_eq!(half(8).await, Ok(4));
        })
        .await;
}

#[tokio::test]
async fn the_statistics_say_what_happened() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    assert_eq!(cache.stats().breaker, Some(BreakerState::Idle));
    some_calls(&cache).await;
    let stats = cache.stats();
    assert_eq!((stats.breaker, stats.connections), (Some(BreakerState::Closed), 1));
    let half = stats.function("half").unwrap();
    assert_eq!((half.template, half.hits, half.misses, half.bypasses), ("half:<n>", 1, 3, 1));
    assert_eq!((half.loads_ok, half.loads_failed, half.fills_stored), (3, 1, 2));
    assert_eq!(half.load_latency.count, 4);
    assert_eq!(half.hit_rate(), Some(0.25));
    let by_hand = stats.function("by hand").unwrap();
    assert_eq!((by_hand.invalidations, by_hand.pattern_invalidations), (1, 1));
    // It goes out of a health endpoint as it is.
    let json = serde_json::to_value(&stats).unwrap();
    assert_eq!(json["breaker"], "closed");
    assert_eq!(json["functions"].as_array().unwrap().len(), stats.functions.len());
}

#[tokio::test]
async fn the_facade_gets_the_same() {
    let cache = Cache::in_memory();
    some_calls(&cache).await;
    let recorder = DebuggingRecorder::new();
    let exported = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || cache.stats().export());
    let mut counters = BTreeMap::new();
    for (key, _, _, value) in exported.snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
        if let DebugValue::Counter(count) = value {
            counters.insert((key.key().name().to_owned(), labels), count);
        }
    }
    let count = |metric: &str, outcome: &str| {
        let labels = vec!["observability::half".to_owned(), outcome.to_owned()];
        counters.get(&(metric.to_owned(), labels)).copied()
    };
    assert_eq!(count("cache.requests", "hit"), Some(1));
    assert_eq!(count("cache.requests", "miss"), Some(3));
    assert_eq!(count("cache.loads", "error"), Some(1));
    assert_eq!(count("cache.fills", "stored"), Some(2));
    // Labels are functions and outcomes, never keys.
    assert!(counters.keys().all(|(_, labels)| labels.iter().all(|label| !label.contains("half:"))));
}
