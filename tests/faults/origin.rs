//! Redis is well, and the origin is not.

use std::time::Duration;

use cache_runtime::{Cache, cached};
use cache_testing::redis::RedisServer;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Large, so that a busy machine is not taken for a slow Redis either.
const BUDGET: Duration = Duration::from_secs(1);

/// An error that cannot be shared.
#[derive(Debug)]
struct Overloaded;

#[cached(key = "slow:<id>", ttl = 60)]
async fn slow(id: u64) -> Result<u64, Overloaded> {
    // Longer than the budget, which does not count it.
    sleep(BUDGET * 5 / 4).await;
    if id == 0 { Err(Overloaded) } else { Ok(id) }
}

/// Callers that have waited for others' loads do not hold that against Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_origin_is_not_taken_for_a_slow_redis() {
    let server = RedisServer::start().await;
    let cache = Cache::builder().budget(BUDGET).connect(&server.url()).expect("a URL");
    assert_eq!(cache.scope(slow(1)).await.ok(), Some(1));
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        calls.spawn(cache.scope(slow(0)));
    }
    while let Some(result) = calls.join_next().await {
        assert!(result.expect("no panic").is_err());
    }
    let stats = cache.stats().function("slow").cloned().expect("it was called");
    // Most of them have waited for longer than the budget.
    let troubles = stats.store_timeouts + stats.store_down + stats.store_lost;
    assert!(troubles < 10, "{stats:?}");
}
