//! Redis is well, and the origin is not.

use std::time::Duration;

use cache_runtime::{Cache, cached};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::redis::RedisServer;

/// An error that cannot be shared.
#[derive(Debug)]
struct Overloaded;

#[cached(key = "slow:<id>", ttl = 60)]
async fn slow(id: u64) -> Result<u64, Overloaded> {
    // Longer than the budget, which does not count it.
    sleep(Duration::from_millis(150)).await;
    if id == 0 { Err(Overloaded) } else { Ok(id) }
}

/// Callers that have waited for others' loads do not hold that against Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_origin_is_not_taken_for_a_slow_redis() {
    let server = RedisServer::start().await;
    let cache = Cache::connect(&server.url()).expect("a URL");
    assert_eq!(cache.scope(slow(1)).await.ok(), Some(1));
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        calls.spawn(cache.scope(slow(0)));
    }
    while let Some(result) = calls.join_next().await {
        assert!(result.expect("no panic").is_err());
    }
    let stats = cache.stats().function("slow").cloned().expect("it was called");
    assert_eq!((stats.store_timeouts, stats.store_down, stats.store_lost), (0, 0, 0), "{stats:?}");
}
