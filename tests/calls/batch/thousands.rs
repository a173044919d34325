//! More entries than are sent at once. They share the server with a namespace that is none of
//! theirs.

use std::collections::HashMap;
use std::time::Duration;

use cache_fixtures::{AGES, patient, stats};
use cache_runtime::stats::FunctionStats;
use cache_runtime::{Cache, CacheBuilder, Key, cached, invalidates};
use cache_testing::LIMIT;
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Client, RedisCluster, RedisServer};

#[cached(key = "number:<id>", ttl = 3600)]
async fn number(id: u64) -> u64 {
    id
}

#[cached(batch(id in ids), key = number_key(id), ttl = 3600)]
async fn numbers(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[invalidates(each(id in ids) number(id))]
async fn write(ids: &[u64]) {
    _ = ids;
}

#[invalidates(each(id in ids) number(id), fence = "strict")]
async fn write_strictly(ids: &[u64]) -> Result<(), cache_runtime::Error> {
    _ = ids;
    Ok(())
}

fn keys(ids: &[u64]) -> Vec<Key<u64>> {
    ids.iter().map(number_key).collect()
}

fn by_hand(cache: &Cache) -> FunctionStats {
    stats(cache, "by hand")
}

async fn warm_up(cache: &Cache, ids: &[u64]) {
    assert_eq!(cache.scope(numbers(ids)).await.len(), ids.len());
    assert!(cache.get(&number_key(&0)).await.unwrap().is_some());
}

/// A hundred entries of somebody else.
async fn billing(url: &str) -> Cache {
    let cache = patient().namespace("billing").connect(url).unwrap();
    let ids: Vec<_> = (0..100).collect();
    warm_up(&cache, &ids).await;
    cache
}

async fn size(clients: &[Client]) -> u64 {
    let mut size = 0;
    for client in clients {
        size += client.run::<u64>(&["DBSIZE"]).await;
    }
    size
}

/// All are invalidated, none of them later, and nothing else is.
async fn invalidate_all(cache: &Cache, count: u64, left: impl AsyncFn() -> u64) {
    let ids: Vec<_> = (0..count).collect();
    let others = left().await;
    for (invalidations, way) in (1..).zip(["write", "strict write", "by hand"]) {
        warm_up(cache, &ids).await;
        assert_eq!(left().await, others + count);
        match way {
            "write" => cache.scope(write(&ids)).await,
            "strict write" => cache.scope(write_strictly(&ids)).await.unwrap(),
            _ => cache.invalidate(&keys(&ids)).await.unwrap(),
        }
        assert_eq!(left().await, others, "{way}");
        let counted = by_hand(cache);
        assert_eq!(counted.invalidations, invalidations * count, "{way}");
        assert_eq!(counted.invalidations_journalled, 0, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_thousand_in_memory() {
    let cache = patient().in_memory().unwrap();
    let ids: Vec<_> = (0..30_000).collect();
    warm_up(&cache, &ids).await;
    cache.scope(write(&ids)).await;
    assert_eq!(cache.scope(numbers(&ids)).await.len(), ids.len());
    assert_eq!(stats(&cache, "numbers").hits(), 0);
    assert_eq!(by_hand(&cache).invalidations_journalled, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_thousand_on_a_server() {
    let server = RedisServer::start().await;
    let billing = billing(&server.url()).await;
    let clients = [server.client().await];
    let cache = patient().connect(&server.url()).unwrap();
    invalidate_all(&cache, 30_000, async || size(&clients).await).await;
    assert_eq!(billing.get(&number_key(&99)).await.unwrap(), Some(99));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_in_a_cluster() {
    let cluster = RedisCluster::start().await;
    let billing = billing(&cluster.url()).await;
    let mut clients = Vec::new();
    for node in cluster.primaries() {
        clients.push(node.client().await);
    }
    let cache = patient().connect(&cluster.url()).unwrap();
    invalidate_all(&cache, 5_000, async || size(&clients).await).await;
    assert_eq!(billing.get(&number_key(&99)).await.unwrap(), Some(99));
}

/// Twelve pieces.
const MANY: u64 = 12 * 256;

/// A server behind a link, and a cache with [`MANY`] entries.
async fn behind_a_link(settings: CacheBuilder) -> (Cache, Proxy, RedisServer) {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let ids: Vec<_> = (0..MANY).collect();
    warm_up(&patient().connect(&server.url()).unwrap(), &ids).await;
    let cache = settings.fence(AGES).connect(&server.url_at(proxy.port())).unwrap();
    eventually!(cache.get(&number_key(&0)).await.is_ok_and(|found| found.is_some()));
    (cache, proxy, server)
}

/// The budget is the time for one piece: all of them together take longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_piece_has_its_own_time() {
    let ids: Vec<_> = (0..MANY).collect();
    let budget = Duration::from_secs(2);
    let (cache, proxy, server) = behind_a_link(Cache::builder().budget(budget)).await;
    proxy.set(Link::Delay(Duration::from_millis(250))).await;
    cache.scope(write(&ids)).await;
    cache.invalidate(&keys(&ids)).await.unwrap();
    let counted = by_hand(&cache);
    assert_eq!((counted.invalidations, counted.invalidations_journalled), (2 * MANY, 0));
    assert_eq!(server.client().await.keys().await, [""; 0]);
}

/// What was acknowledged stays acknowledged, when the server is lost in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_rest_is_delivered_later() {
    let ids: Vec<_> = (0..MANY).collect();
    let (cache, proxy, server) = behind_a_link(patient()).await;
    // The script is there from now on, and a reply is four bytes.
    cache.invalidate(&number_key(&MANY)).await.unwrap();
    proxy.set(Link::ResetAfter(4 * 700)).await;
    cache.invalidate(&keys(&ids)).await.unwrap_err();
    let counted = by_hand(&cache);
    assert_eq!(counted.invalidations + counted.invalidations_journalled, MANY + 1);
    assert!(counted.invalidations >= 256, "{} were acknowledged", counted.invalidations);
    assert!(counted.invalidations_journalled >= 256);
    proxy.set(Link::Pass).await;
    cache.flush(LIMIT).await.unwrap();
    assert_eq!(server.client().await.keys().await, [""; 0]);
}

/// Without permission to run scripts, they are removed in pieces as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_each_piece_has_its_own_time_too() {
    let rules = "on >secret ~* +@all -eval -evalsha";
    let server = RedisServer::builder().user("app", rules).start().await;
    let proxy = Proxy::to(&server).await;
    let ids: Vec<_> = (0..6 * 256).collect();
    warm_up(&patient().connect(&server.url()).unwrap(), &ids).await;
    let url = server.url_as("app", "secret");
    let url = url.replace(&server.port().to_string(), &proxy.port().to_string());
    let cache = Cache::builder().budget(Duration::from_secs(2)).connect(&url).unwrap();
    eventually!(cache.get(&number_key(&0)).await.is_ok_and(|found| found.is_some()));
    // The server's refusals are long, and come in several parts.
    proxy.set(Link::Delay(Duration::from_millis(100))).await;
    cache.invalidate(&keys(&ids)).await.unwrap();
    assert_eq!(by_hand(&cache).invalidations_journalled, 0);
    assert_eq!(server.client().await.keys().await, [""; 0]);
}

/// The budget is the time for one piece of a batch as well, in every step: all of them together
/// take longer. Others have their turn meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_has_the_budget_for_each_piece() {
    let ids: Vec<_> = (0..MANY).collect();
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let settings = Cache::builder().budget(Duration::from_secs(2)).lease(AGES).fence(AGES);
    let cache = settings.connect(&server.url_at(proxy.port())).unwrap();
    eventually!({
        cache.scope(number(MANY)).await;
        stats(&cache, "number").hits() > 0
    });
    let before = stats(&cache, "number");
    proxy.set(Link::Delay(Duration::from_millis(250))).await;
    let mut batch = tokio::spawn({
        let ids = ids.clone();
        cache.scope(async move { numbers(&ids).await })
    });
    let mut calls = 0;
    loop {
        tokio::select! {
            all = &mut batch => break assert_eq!(all.unwrap().len(), ids.len()),
            one = cache.scope(number(MANY)) => assert_eq!(one, MANY),
        }
        calls += 1;
    }
    let counted = stats(&cache, "numbers");
    assert_eq!((counted.fills_stored, counted.store_timeouts), (MANY, 0));
    proxy.set(Link::Pass).await;
    let after = stats(&cache, "number");
    assert!(after.hits() - before.hits() >= calls, "{after:?}");
    assert_eq!(
        (after.store_timeouts, after.store_down),
        (before.store_timeouts, before.store_down)
    );
    assert_eq!(cache.scope(numbers(&ids)).await.len(), ids.len());
    assert_eq!(stats(&cache, "numbers").hits(), MANY);
}

/// Ten thousand at the default budget, which is not enough for all of them at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_are_found_again_at_the_default_budget() {
    let server = RedisServer::start().await;
    let cache = Cache::connect(&server.url()).unwrap();
    let ids: Vec<_> = (0..10_000).collect();
    // What a machine that stands still for longer than the budget has not stored, it stores at the
    // next call.
    eventually!({
        let before = stats(&cache, "numbers").hits();
        assert_eq!(cache.scope(numbers(&ids)).await.len(), ids.len());
        stats(&cache, "numbers").hits() == before + 10_000
    });
}
