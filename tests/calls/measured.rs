//! What is measured: how long calls, loads and round trips take, how large values are, and what
//! the store has saved.

use std::time::Duration;

use cache_fixtures::origin::{Origin, call};
use cache_fixtures::{patient, stats};
use cache_runtime::stats::{LoadResult, OutcomeKind, ServerStats, StoreFailure, StoreOperation};
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;

use crate::stampede::fixture::{results, start};

const LOAD: Duration = Duration::from_millis(20);

#[cached(key = "report:<id>", ttl = 3600)]
async fn report(id: u64) -> Result<u64, String> {
    tokio::time::sleep(LOAD).await;
    if id == 0 { Err("none".to_owned()) } else { Ok(id) }
}

#[invalidates(report(id))]
async fn change(id: u64) {
    _ = id;
}

/// On a clock that only sleeping moves, so all times are exact.
#[tokio::test(start_paused = true)]
async fn calls_and_loads_take_their_time_and_hits_save_it() {
    let cache = Cache::in_memory();
    cache
        .scope(async {
            for _ in 0..4 {
                report(7).await.unwrap();
            }
            report(0).await.unwrap_err();
            _ = tokio::time::timeout(LOAD / 2, report(8)).await;
        })
        .await;
    let report = stats(&cache, "report");
    assert_eq!(report.time_saved, 3 * LOAD);
    assert_eq!(report.loads_in_flight, 0);
    let near = |seconds: f64, millis: u32| (seconds * 1e3 - f64::from(millis)).abs() < 3.0;
    for (outcome, count, millis) in [
        (OutcomeKind::Hit, 3, 0),
        (OutcomeKind::Loaded, 2, 40),
        (OutcomeKind::Cancelled, 1, 10),
        (OutcomeKind::Stale, 0, 0),
    ] {
        let calls = report.call_duration.of(outcome);
        assert!(calls.count() == count && near(calls.sum(), millis), "{outcome}: {calls:?}");
    }
    for (result, millis) in
        [(LoadResult::Ok, 20), (LoadResult::Failed, 20), (LoadResult::Cancelled, 10)]
    {
        let loads = report.load_duration.of(result);
        assert!(loads.count() == 1 && near(loads.sum(), millis), "{result}: {loads:?}");
    }
    assert_eq!((report.value_size.count(), report.value_size.quantile(1.0)), (1, Some(64.0)));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["call_duration"]["hit"]["buckets"]["0.00005"], 3, "{json:#}");
}

#[tokio::test]
async fn a_wait_for_another_process_is_measured() {
    #[cached(key = "slow", ttl = 3600, lock(wait = "1h"), skip(origin))]
    async fn slow(origin: &Origin) -> usize {
        origin.load().await
    }
    let server = RedisServer::start().await;
    let caches = [(); 2].map(|()| patient().connect(&server.url()).unwrap());
    let origin = Origin::default();
    let one = start(&caches[0], 1, call!(slow, origin));
    origin.gate.entered(1).await;
    let other = start(&caches[1], 1, call!(slow, origin));
    eventually!(stats(&caches[1], "slow").lease_waits == 1);
    assert_eq!(stats(&caches[0], "slow").loads_in_flight, 1);
    origin.gate.open();
    results(one).await;
    results(other).await;
    assert_eq!(stats(&caches[0], "slow").lease_wait.count(), 0);
    let waited = stats(&caches[1], "slow").lease_wait;
    assert!(waited.count() == 1 && waited.sum() > 0.0, "{waited:?}");
}

fn counted(server: &ServerStats, operation: StoreOperation, error: Option<StoreFailure>) -> u64 {
    let found = server.operations.iter().find(|it| (it.operation, it.error) == (operation, error));
    found.map_or(0, |operation| operation.duration.count())
}

#[tokio::test]
async fn round_trips_and_invalidations_are_measured_by_server() {
    let server = RedisServer::start().await;
    let cache = patient().budget(Duration::from_millis(200)).connect(&server.url()).unwrap();
    cache
        .scope(async {
            report(1).await.unwrap();
            report(1).await.unwrap();
            change(1).await;
        })
        .await;
    let now = cache.stats();
    let [redis] = &now.servers[..] else { panic!("{:?}", now.servers) };
    assert!(redis.address.ends_with(&server.port().to_string()), "{redis:?}");
    for (operation, count) in [
        (StoreOperation::Get, 2),
        (StoreOperation::Acquire, 1),
        (StoreOperation::Fill, 1),
        (StoreOperation::Begin, 1),
        (StoreOperation::End, 1),
        (StoreOperation::Renew, 0),
    ] {
        assert_eq!(counted(redis, operation, None), count, "{operation}: {redis:#?}");
    }
    assert_eq!((now.invalidation_delay.count(), now.journal_age), (1, Duration::ZERO));

    server.stop();
    cache.scope(report(1)).await.unwrap();
    let frozen = &cache.stats().servers[0];
    assert!(counted(frozen, StoreOperation::Get, Some(StoreFailure::Timeout)) > 0, "{frozen:#?}");
    cache.invalidate(&report_key(&1)).await.unwrap_err();
    assert!(cache.stats().journal_age > Duration::ZERO);
    server.cont();
    // The one that was late is measured when it has been delivered.
    eventually!(cache.stats().journal_depth == 0);
    assert_eq!(cache.stats().invalidation_delay.count(), 2);
}

#[tokio::test]
async fn the_embedded_store_says_what_it_holds() {
    let cache = Cache::in_memory();
    assert_eq!(cache.stats().embedded.unwrap().entries, 0);
    for id in 1..=3 {
        cache.scope(report(id)).await.unwrap();
    }
    let embedded = cache.stats().embedded.unwrap();
    assert!(embedded.entries == 3 && embedded.bytes > 3 * 64, "{embedded:?}");
    assert!(cache.stats().servers.is_empty());
}

#[tokio::test]
async fn without_histograms_everything_is_counted_and_nothing_measured() {
    let server = RedisServer::start().await;
    for cache in [
        patient().histograms(false).in_memory().unwrap(),
        patient().histograms(false).connect(&server.url()).unwrap(),
    ] {
        cache.scope(report(1)).await.unwrap();
        cache.scope(report(1)).await.unwrap();
        cache.scope(change(1)).await;
        let report = stats(&cache, "report");
        assert_eq!((report.hits(), report.calls(), report.loads_ok), (1, 2, 1));
        let measured = report.call_duration.total().count() + report.value_size.count();
        assert_eq!(measured + report.load_duration.total().count(), 0);
        let stats = cache.stats();
        assert_eq!(stats.invalidation_delay.count(), 0);
        assert!(stats.servers.iter().all(|server| server.operations.is_empty()));
    }
}
