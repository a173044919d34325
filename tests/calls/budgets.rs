//! The time that the store may hold up a call, where a function says so.

use std::time::Duration;

use cache_runtime::{Cache, cached};
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;

#[cached(key = "brisk:<id>", ttl = 60, budget = "20ms")]
async fn brisk(id: u64) -> u64 {
    id
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[cached(key = "steady:<id>", ttl = 60, budget = HOUR)]
async fn steady(id: u64) -> u64 {
    id
}

#[cached(key = "plain:<id>", ttl = 60)]
async fn plain(id: u64) -> u64 {
    id
}

/// Hits of a function so far, and operations that took longer than its budget.
fn hits_and_timeouts(cache: &Cache, function: &str) -> (u64, u64) {
    cache.stats().function(function).map_or((0, 0), |it| (it.hits(), it.store_timeouts))
}

/// A server behind a link that takes its time once the entries are there.
async fn behind_a_slow_link(budget: Duration) -> (Cache, Proxy, RedisServer) {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let cache = Cache::builder().budget(budget).connect(&server.url_at(proxy.port())).unwrap();
    // It takes a few attempts where the budget is small and this machine busy.
    eventually!({
        let hits = || ["steady", "brisk", "plain"].map(|name| hits_and_timeouts(&cache, name).0);
        let before = hits();
        let calls = async { (steady(1).await, brisk(1).await, plain(1).await) };
        assert_eq!(cache.scope(calls).await, (1, 1, 1));
        hits() == before.map(|hits| hits + 1)
    });
    proxy.set(Link::Delay(Duration::from_secs(1))).await;
    (cache, proxy, server)
}

#[tokio::test]
async fn the_budget_of_a_function_may_be_smaller_than_that_of_the_cache() {
    let (cache, _proxy, _server) = behind_a_slow_link(HOUR).await;
    let (plain_before, brisk_before) =
        (hits_and_timeouts(&cache, "plain"), hits_and_timeouts(&cache, "brisk"));
    assert_eq!(cache.scope(plain(1)).await, 1);
    assert_eq!(hits_and_timeouts(&cache, "plain"), (plain_before.0 + 1, plain_before.1));
    assert_eq!(cache.scope(brisk(1)).await, 1);
    assert_eq!(hits_and_timeouts(&cache, "brisk"), (brisk_before.0, brisk_before.1 + 1));
}

#[tokio::test]
async fn the_budget_of_a_function_may_be_larger_than_that_of_the_cache() {
    let (cache, _proxy, _server) = behind_a_slow_link(Duration::from_millis(20)).await;
    let (plain_before, steady_before) =
        (hits_and_timeouts(&cache, "plain"), hits_and_timeouts(&cache, "steady"));
    assert_eq!(cache.scope(steady(1)).await, 1);
    assert_eq!(hits_and_timeouts(&cache, "steady"), (steady_before.0 + 1, steady_before.1));
    assert_eq!(cache.scope(plain(1)).await, 1);
    assert_eq!(hits_and_timeouts(&cache, "plain"), (plain_before.0, plain_before.1 + 1));
}

/// Calls that were given up raise the question whether the server answers at all: for callers with
/// time enough, it does.
#[tokio::test]
async fn a_slow_server_is_of_use_to_callers_with_a_large_budget() {
    let (cache, _proxy, _server) = behind_a_slow_link(HOUR).await;
    let before = hits_and_timeouts(&cache, "plain");
    for _ in 0..3 {
        assert_eq!(cache.scope(brisk(1)).await, 1);
        assert_eq!(cache.scope(plain(1)).await, 1);
    }
    assert_eq!(hits_and_timeouts(&cache, "plain"), (before.0 + 3, before.1));
}
