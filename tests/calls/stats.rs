//! What happened, told: counters, the breaker, and the same through the `metrics`
//! facade.

use std::collections::BTreeMap;
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::stats::BreakerState;
use cache_runtime::{Cache, CallExt as _, ErrorKind, cached, invalidates, write_behind};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::sync::oneshot;

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
    assert_eq!(
        (half.template, half.hits(), half.misses(), half.outcomes.bypassed),
        ("half:<n>", 1, 3, 1)
    );
    assert_eq!((half.loads_ok, half.loads_failed, half.fills_stored), (3, 1, 2));
    assert_eq!(half.load_duration.total().count(), 4);
    assert_eq!(half.hit_rate(), Some(0.25));
    let by_hand = stats.function("by hand").unwrap();
    assert_eq!((by_hand.invalidations, by_hand.pattern_invalidations), (1, 1));
    // It goes out of a health endpoint as it is.
    let json = serde_json::to_value(&stats).unwrap();
    assert_eq!(json["breaker"], "closed");
    assert_eq!(json["functions"].as_array().unwrap().len(), stats.functions.len());
}

#[tokio::test]
async fn what_was_never_called_has_done_nothing() {
    let cache = Cache::in_memory();
    let of = |name: &str| {
        let stats = cache.stats();
        (stats.hits(name), stats.misses(name), stats.loads(name))
    };
    assert_eq!(of("half"), (0, 0, 0));
    some_calls(&cache).await;
    assert_eq!(of("half"), (1, 3, 4));
    assert_eq!(of("calls::stats::half"), (1, 3, 4));
    for nobody in ["nobody", "", "alf", "other::half"] {
        assert_eq!(of(nobody), (0, 0, 0), "{nobody}");
    }
}

mod doubles {
    use cache_runtime::cached;

    #[cached(key = "other_half:<n>", ttl = 60)]
    pub async fn half(n: u64) -> u64 {
        n / 2
    }
}

/// A test that asks for loads by a name that two functions have must not be told of one of them.
#[tokio::test]
async fn functions_of_one_name_count_together() {
    let cache = Cache::in_memory();
    some_calls(&cache).await;
    cache.scope(doubles::half(8)).await;
    let stats = cache.stats();
    assert_eq!((stats.loads("half"), stats.misses("half"), stats.hits("half")), (5, 4, 1));
    assert_eq!(stats.loads("doubles::half"), 1);
}

/// Of two functions whose paths end so, neither passes for the other.
#[tokio::test]
async fn an_ambiguous_name_is_no_functions() {
    let cache = Cache::in_memory();
    some_calls(&cache).await;
    assert_eq!(cache.stats().function("half").unwrap().function, "calls::stats::half");
    cache.scope(doubles::half(8)).await;
    let stats = cache.stats();
    assert!(stats.function("half").is_none());
    assert_eq!(stats.function("doubles::half").unwrap().loads_ok, 1);
    // A whole path always works, although another one may end in it.
    assert_eq!(stats.function("calls::stats::half").unwrap().loads_ok, 3);
    assert_eq!(stats.function("calls::stats::doubles::half").unwrap().hits(), 0);
}

#[tokio::test]
async fn a_person_can_read_the_statistics() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    some_calls(&cache).await;
    let table = cache.stats().to_string();
    let lines: Vec<_> = table.lines().collect();
    // In the order in which the functions of the process were first called.
    let row = |name: &str| lines.iter().position(|line| line.starts_with(name)).unwrap();
    let words = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
    assert!(lines[0].starts_with("function"), "{table}");
    let half = row("calls::stats::half");
    assert_eq!(words(half)[1..7], ["1", "3", "25.0", "%", "4", "1"], "{table}");
    assert_eq!(
        lines[half + 1].trim(),
        "loaded 3, bypassed 1, missed absent 3, fills stored 2",
        "{table}"
    );
    let by_hand = row("by hand");
    assert_eq!(lines[by_hand + 1].trim(), "invalidations 1, pattern invalidations 1", "{table}");
    let last = "undelivered invalidations 0, breaker closed, connections 1";
    assert_eq!(lines[5..], [last], "{table}");
}

/// What operators see in `CLIENT LIST`.
#[tokio::test]
async fn connections_have_the_name_that_the_program_gives_them() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let names = async || {
        let list: String = client.run(&["CLIENT", "LIST"]).await;
        list.matches(" name=shop-api ").count()
    };
    let builder = patient().namespace("named").client_name("shop-api");
    let cache = builder.clone().connect(&server.url()).unwrap();
    cache.scope(half(8)).await.unwrap();
    assert_eq!(names().await, 1);

    // A name that the server would refuse is a mistake that is told at once, on both stores.
    for (name, what) in [
        ("", "is empty"),
        ("shop api", "has a ' ' in it"),
        ("shop\napi", "has a '\\n' in it"),
        ("caf\u{e9}", "has a 'é' in it"),
        ("\u{7f}", "has a '\\u{7f}' in it"),
    ] {
        let builder = builder.clone().client_name(name);
        for made in [builder.clone().connect(&server.url()), builder.in_memory()] {
            let error = made.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{name:?}");
            let expected = format!(
                "`client_name` {what}: Redis takes letters, digits and punctuation of ASCII, such \
                    as `shop-api`"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
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
        let labels = vec!["calls::stats::half".to_owned(), outcome.to_owned()];
        counters.get(&(metric.to_owned(), labels)).copied()
    };
    assert_eq!(count("cache_runtime.calls", "hit"), Some(1));
    assert_eq!(count("cache_runtime.calls", "loaded"), Some(3));
    assert_eq!(count("cache_runtime.misses", "absent"), Some(3));
    assert_eq!(count("cache_runtime.loads", "error"), Some(1));
    assert_eq!(count("cache_runtime.fills", "stored"), Some(2));
    // Labels are functions and outcomes, never keys.
    assert!(counters.keys().all(|(_, labels)| labels.iter().all(|label| !label.contains("half:"))));
}

#[write_behind(queue = "visits", partitions = 2, linger = "1ms", max_attempts = 1)]
async fn save_visits(visits: Vec<u64>) -> Result<(), String> {
    tokio::task::yield_now().await;
    if visits.contains(&7) { Err("no sevens".to_owned()) } else { Ok(()) }
}

/// Five visits that nobody delivers, then a worker that makes a dead letter of one and delivers the
/// others.
async fn some_visits(cache: &Cache) {
    let visits = || cache.stats().queue("visits").and_then(|queue| queue.length);
    let queue = cache.scope(async { save_visits_queue() }).await;
    cache
        .scope(async {
            for visit in 5..10 {
                queue.push(visit).await.unwrap();
            }
        })
        .await;
    // Nobody has asked the queue itself: the process looks now and then.
    eventually!(visits().is_some_and(|visits| visits.length.depth() == 5));
    let before = visits().unwrap();
    assert_eq!((before.length.waiting, before.length.dead_letters), (5, 0));
    assert!(!before.length.lag.is_zero());

    let (stop, stopped) = oneshot::channel::<()>();
    let worker = cache.scope(async { save_visits_worker() }).await;
    let running = tokio::spawn(worker.run(async { _ = stopped.await }));
    eventually!(visits().is_some_and(|visits| {
        (visits.length.depth(), visits.length.dead_letters) == (0, 1) && visits.length.lag.is_zero()
    }));
    stop.send(()).unwrap();
    running.await.unwrap();
}

/// The numbers of a snapshot that count something, by the names of their fields.
fn counters(snapshot: &serde_json::Value) -> BTreeMap<&str, u64> {
    let fields = snapshot.as_object().unwrap().iter();
    let counts = fields.filter_map(|(name, value)| Some((name.as_str(), value.as_u64()?)));
    counts.filter(|(name, _)| !["loads_in_flight", "time_saved_us"].contains(name)).collect()
}

/// An operator whose functions serve stale values for hours can see that, and all else that is
/// counted.
#[tokio::test]
async fn every_counter_is_exported_once() {
    let cache = Cache::in_memory();
    some_calls(&cache).await;
    some_visits(&cache).await;
    let stats = serde_json::to_value(cache.stats()).unwrap();
    let functions = stats["functions"].as_array().unwrap();
    let half = functions.iter().find(|it| it["function"] == "calls::stats::half").unwrap();
    let kinds = ["outcomes", "uncached", "misses"].map(|kind| counters(&half[kind]).len());
    let function = counters(half).len() + kinds.iter().sum::<usize>();
    let mut queue = counters(&stats["queues"][0]);
    assert!(function > 40 && queue.remove("partitions_owned").is_some(), "{stats}");

    let recorder = DebuggingRecorder::new();
    let exported = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || cache.stats().export());
    let mut seen = BTreeMap::new();
    let mut gauges = Vec::new();
    for (key, _, _, value) in exported.snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
        match value {
            // Those of histograms have other names.
            DebugValue::Counter(_)
                if !key.key().name().contains(".count")
                    && !key.key().name().contains(".bucket") =>
            {
                *seen.entry(labels[0].clone()).or_insert(0) += 1;
            }
            DebugValue::Counter(_) => {}
            _ => gauges.push(key.key().name().to_owned()),
        }
    }
    assert_eq!(seen["calls::stats::half"], function, "{seen:?}");
    assert_eq!(seen["visits"], queue.len(), "{seen:?}");
    assert!(gauges.contains(&"cache_runtime.embedded.entries".to_owned()), "{gauges:?}");
}

#[tokio::test]
async fn the_statistics_say_how_much_a_queue_holds() {
    let server = RedisServer::start().await;
    let often = patient().measure_queues(Duration::from_millis(20));
    for cache in [often.connect(&server.url()).unwrap(), Cache::in_memory()] {
        some_visits(&cache).await;
        let json = serde_json::to_value(cache.stats()).unwrap();
        let length = &json["queues"][0]["length"];
        assert_eq!((&length["waiting"], &length["dead_letters"]), (&0.into(), &1.into()), "{json}");
        assert!(length["lag_us"].is_u64() && length["age_us"].is_u64(), "{json}");

        let recorder = DebuggingRecorder::new();
        let exported = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || cache.stats().export());
        let mut gauges = BTreeMap::new();
        for (key, _, _, value) in exported.snapshot().into_vec() {
            let labels = key.key().labels().map(|label| format!(" {}", label.value()));
            let name = format!("{}{}", key.key().name(), labels.collect::<String>());
            if let DebugValue::Gauge(value) = value {
                gauges.insert(name, value.into_inner());
            }
        }
        for (name, value) in [
            ("cache_runtime.queue.length visits waiting", 0.0),
            ("cache_runtime.queue.length visits pending", 0.0),
            ("cache_runtime.queue.length visits dead_letter", 1.0),
            ("cache_runtime.queue.lag visits", 0.0),
        ] {
            assert_eq!(gauges.get(name), Some(&value), "{name} of {gauges:?}");
        }
        assert!(gauges.contains_key("cache_runtime.queue.length.age visits"), "{gauges:?}");
    }
}

#[tokio::test]
async fn figures_of_a_queue_that_cannot_be_reached_grow_old() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let visits = || cache.stats().queue("visits").and_then(|queue| queue.length);
    cache.scope(async { save_visits_queue().push(1).await.unwrap() }).await;
    eventually!(visits().is_some());
    server.kill();
    let before = visits().unwrap();
    eventually!(visits().is_some_and(|visits| visits.age > before.age));
    assert_eq!(visits().unwrap().length, before.length);
}
