//! Connections that nobody uses, and that lead nowhere meanwhile.

use std::sync::atomic::Ordering::SeqCst;

use crate::store::Store;
use crate::store::redis::tests::*;
use crate::testing::simulation;
use crate::{self as cache_runtime, Cache, cached};

/// Longer than any test.
const AGES: Duration = Duration::from_secs(3_600);

#[cached(key = "half:<n>", ttl = 3600, crate = cache_runtime)]
async fn half(n: u64) -> u64 {
    n / 2
}

/// A cache over a link, with a value in it.
async fn cache(server: &RedisServer, settings: ConnectionSettings) -> (Cache, fake::Link) {
    let link = fake::Link::to(server.port()).await;
    let target = ServerUrl::parse(&format!("redis://127.0.0.1:{}", link.port)).unwrap();
    let store = Store::from(RedisStore::new(target, settings));
    let cache = simulation::over(store, Cache::builder().budget(Duration::from_secs(20)));
    assert_eq!(cache.scope(half(8)).await, 4);
    assert_eq!(cache.scope(half(8)).await, 4);
    assert_eq!(bodies(&cache), 1);
    (cache, link)
}

fn bodies(cache: &Cache) -> u64 {
    cache.stats().function("half").unwrap().loads_ok
}

/// A router has forgotten the connection: the first call after a pause finds out, and gets another
/// one.
#[tokio::test]
async fn the_first_call_after_a_pause_asks_for_a_sign_of_life() {
    let server = RedisServer::start().await;
    let (heartbeat, prompt) = (AGES, Duration::from_secs(1));
    let unasked = ConnectionSettings {
        heartbeat,
        prompt,
        trusted_for: Duration::ZERO,
        ..ConnectionSettings::default()
    };
    let (cache, link) = cache(&server, unasked).await;
    for round in 2..5 {
        // Whatever was sent before counts as long ago.
        tokio::time::sleep(Duration::from_millis(2)).await;
        link.swallow();
        let calls: Vec<_> = (0..20).map(|_| tokio::spawn(cache.scope(half(8)))).collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 4);
        }
        assert_eq!(bodies(&cache), 1);
        assert!(link.accepted.load(SeqCst) >= round);
    }
}

/// It is found out before there is a call.
#[tokio::test]
async fn an_idle_connection_is_replaced_before_it_is_used() {
    let server = RedisServer::start().await;
    let heartbeat = Duration::from_millis(20);
    let asked =
        ConnectionSettings { heartbeat, trusted_for: AGES, ..ConnectionSettings::default() };
    let (cache, link) = cache(&server, asked).await;
    link.swallow();
    until("there is another connection", async || {
        link.accepted.load(SeqCst) == 2
            && cache.stats().breaker == Some(crate::stats::BreakerState::Closed)
    })
    .await;
    assert_eq!(cache.scope(half(8)).await, 4);
    assert_eq!(bodies(&cache), 1);
}

/// Calls go on while connections come and go.
#[tokio::test]
async fn a_connection_is_replaced_when_it_is_old_enough() {
    let server = RedisServer::start().await;
    let short = ConnectionSettings {
        max_age: Some(Duration::from_millis(30)),
        ..ConnectionSettings::default()
    };
    let (cache, link) = cache(&server, short).await;
    while link.accepted.load(SeqCst) < 5 {
        assert_eq!(cache.scope(half(8)).await, 4);
    }
    let half = cache.stats().function("half").cloned().unwrap();
    assert_eq!((half.loads_ok, half.store_lost, half.store_down), (1, 0, 0));
    assert_eq!(cache.stats().last_failure, None);
}
