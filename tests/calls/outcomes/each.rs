//! Each outcome, and what leads to it.

use cache_fixtures::origin::{Origin, call};
use cache_fixtures::stores::on_both_stores;
use cache_fixtures::{patient, stats};
use cache_runtime::stats::OutcomeKind::{Bypassed, Cancelled, Hit, Loaded, Shed, Uncached};
use cache_runtime::stats::UncachedReason::{Fenced, Impatient, NotGranted, Outdated};
use cache_runtime::{Cache, CallExt as _, Error, Key, cached, invalidates};
use cache_testing::barrier::{Gate, eventually};
use cache_testing::redis::RedisServer;

use crate::outcomes::{outcomes, uncached};
use crate::stampede::fixture::{Fixture, results, start};

on_both_stores! {
    a_value_is_loaded_once_and_then_hit
    who_waits_for_another_load_is_coalesced
    a_value_past_its_time_is_stale
    a_call_that_asks_for_it_bypasses
    a_call_during_a_write_is_fenced
    who_has_waited_long_enough_is_impatient
    who_waited_for_a_failure_loads_or_is_unshared
    a_call_that_is_refused_is_shed
    a_call_that_is_dropped_is_cancelled
    a_body_that_panics_is_cancelled
    each_id_of_a_batch_is_a_call
    a_batch_that_fails_cancels_what_has_not_ended
    a_load_by_hand_is_a_call
}

#[cached(key = "plain", ttl = 3600, skip(origin))]
async fn plain(origin: &Origin) -> usize {
    origin.load().await
}

#[invalidates(plain())]
async fn write(gate: &Gate) {
    gate.pass().await;
}

async fn a_value_is_loaded_once_and_then_hit(fixture: Fixture) {
    let origin = Origin::default();
    origin.gate.open();
    for _ in 0..3 {
        fixture.cache.scope(plain(&origin)).await;
    }
    fixture.cache.scope(plain(&origin).refresh()).await;
    assert_eq!(outcomes(&fixture.cache, "plain"), [(Hit, 2), (Loaded, 2)]);
}

async fn who_waits_for_another_load_is_coalesced(fixture: Fixture) {
    let origin = Origin::default();
    let callers = fixture.start(1, call!(plain, origin));
    origin.gate.entered(1).await;
    // These find the load under way, without a lookup of their own.
    let waiting = fixture.start(9, call!(plain, origin));
    origin.gate.open();
    results(callers).await;
    results(waiting).await;
    let function = stats(&fixture.cache, "plain");
    let served = function.outcomes.coalesced + function.outcomes.hit;
    assert_eq!((function.outcomes.loaded, served, function.calls()), (1, 9, 10));
}

async fn a_value_past_its_time_is_stale(fixture: Fixture) {
    #[cached(key = "aging", ttl = "1ms", stale_while_revalidate = "1h")]
    async fn aging() -> u64 {
        7
    }
    fixture.cache.scope(aging()).await;
    eventually!({
        fixture.cache.scope(aging()).await;
        stats(&fixture.cache, "aging").outcomes.stale > 0
    });
    // Refreshes in the background are no calls.
    eventually!(stats(&fixture.cache, "aging").refreshes_started > 0);
    let ended = stats(&fixture.cache, "aging");
    assert_eq!(ended.outcomes.total(), ended.outcomes.hit + ended.outcomes.stale + 1);
    assert_eq!(outcomes(&fixture.cache, "aging").last(), Some(&(Loaded, 1)));
}

async fn a_call_that_asks_for_it_bypasses(fixture: Fixture) {
    #[cached(key = "sometimes", ttl = 3600, when = wanted, skip(wanted))]
    async fn sometimes(wanted: bool) -> u64 {
        7
    }
    let origin = Origin::default();
    origin.gate.open();
    fixture.cache.scope(plain(&origin).bypass()).await;
    assert_eq!(outcomes(&fixture.cache, "plain"), [(Bypassed, 1)]);
    fixture.cache.scope(sometimes(false)).await;
    fixture.cache.scope(sometimes(true)).await;
    assert_eq!(outcomes(&fixture.cache, "sometimes"), [(Loaded, 1), (Bypassed, 1)]);
}

async fn a_call_during_a_write_is_fenced(fixture: Fixture) {
    let (origin, gate) = (Origin::default(), Gate::new());
    origin.gate.open();
    let held = gate.clone();
    let writer = fixture.start(1, move || {
        let held = held.clone();
        async move { write(&held).await }
    });
    gate.entered(1).await;
    fixture.cache.scope(plain(&origin)).await;
    assert_eq!(outcomes(&fixture.cache, "plain"), [(Uncached, 1)]);
    assert_eq!(uncached(&fixture.cache, "plain"), [(Fenced, 1)]);
    gate.open();
    results(writer).await;
    fixture.cache.scope(plain(&origin)).await;
    assert_eq!(outcomes(&fixture.cache, "plain"), [(Loaded, 1), (Uncached, 1)]);
}

async fn who_has_waited_long_enough_is_impatient(fixture: Fixture) {
    #[cached(key = "hurried", ttl = 3600, lock(wait = "1ms"), skip(origin))]
    async fn hurried(origin: &Origin) -> usize {
        origin.load().await
    }
    let origin = Origin::default();
    let loader = fixture.start(1, call!(hurried, origin));
    origin.gate.entered(1).await;
    let other = fixture.start(1, call!(hurried, origin));
    origin.gate.entered(2).await;
    origin.gate.open();
    results(loader).await;
    results(other).await;
    assert_eq!(outcomes(&fixture.cache, "hurried"), [(Loaded, 1), (Uncached, 1)]);
    assert_eq!(uncached(&fixture.cache, "hurried"), [(Impatient, 1)]);
}

/// An error that nobody else can have. After the first load has failed, two load at once, and of
/// these only one asks for the lease.
async fn who_waited_for_a_failure_loads_or_is_unshared(fixture: Fixture) {
    #[derive(Debug)]
    struct Broken;

    #[cached(key = "broken", ttl = 3600, lock(wait = "1h"), skip(origin))]
    async fn broken(origin: &Origin) -> Result<u64, Broken> {
        origin.load().await;
        Err(Broken)
    }
    let origin = Origin::default();
    let first = fixture.start(1, call!(broken, origin));
    origin.gate.entered(1).await;
    let others = fixture.start(2, call!(broken, origin));
    eventually!(stats(&fixture.cache, "broken").misses() > 0);
    origin.gate.open();
    assert!(results(first).await[0].is_err());
    assert!(results(others).await.iter().all(Result::is_err));
    let ended = stats(&fixture.cache, "broken");
    assert_eq!(ended.calls(), 3);
    assert_eq!(ended.outcomes.loaded + ended.uncached.unshared, 3, "{ended:?}");
}

#[derive(Debug)]
struct Overloaded;

impl From<Error> for Overloaded {
    fn from(_: Error) -> Self {
        Self
    }
}

async fn a_call_that_is_refused_is_shed(fixture: Fixture) {
    #[cached(
        key = "crowded:<id>",
        ttl = 3600,
        max_concurrent_loads = 1,
        shed_after = "1ms",
        skip(origin)
    )]
    async fn crowded(origin: &Origin, id: u64) -> Result<usize, Overloaded> {
        Ok(origin.load().await)
    }
    let origin = Origin::default();
    let held = origin.clone();
    let loader = fixture.start(1, move || {
        let held = held.clone();
        async move { crowded(&held, 1).await }
    });
    origin.gate.entered(1).await;
    assert!(fixture.cache.scope(crowded(&origin, 2)).await.is_err());
    origin.gate.open();
    results(loader).await;
    assert_eq!(outcomes(&fixture.cache, "crowded"), [(Loaded, 1), (Shed, 1)]);
}

async fn a_call_that_is_dropped_is_cancelled(fixture: Fixture) {
    let origin = Origin::default();
    drop(fixture.cache.scope(plain(&origin)));
    assert_eq!(outcomes(&fixture.cache, "plain"), [], "it has not begun");
    let loader = fixture.start(1, call!(plain, origin));
    origin.gate.entered(1).await;
    loader[0].abort();
    eventually!(outcomes(&fixture.cache, "plain") == [(Cancelled, 1)]);
}

async fn a_body_that_panics_is_cancelled(fixture: Fixture) {
    #[cached(key = "panics", ttl = 3600)]
    async fn panics() -> u64 {
        panic!("as the test wants it")
    }
    assert!(tokio::spawn(fixture.cache.scope(panics())).await.unwrap_err().is_panic());
    assert_eq!(outcomes(&fixture.cache, "panics"), [(Cancelled, 1)]);
    assert_eq!(stats(&fixture.cache, "panics").loads_cancelled, 1);
}

#[cached(key = "row:<id>", ttl = 3600, batch(id in ids, chunk = 2))]
async fn rows(ids: &[u64]) -> Result<Vec<(u64, u64)>, String> {
    match ids.iter().find(|id| **id > 100) {
        Some(id) => Err(format!("{id}")),
        None => Ok(ids.iter().map(|id| (*id, id * 10)).collect()),
    }
}

async fn each_id_of_a_batch_is_a_call(fixture: Fixture) {
    fixture.cache.scope(rows(&[1, 2, 1])).await.unwrap();
    assert_eq!(outcomes(&fixture.cache, "rows"), [(Loaded, 2)], "one that comes twice is one");
    fixture.cache.scope(rows(&[1, 2, 3])).await.unwrap();
    assert_eq!(outcomes(&fixture.cache, "rows"), [(Hit, 2), (Loaded, 3)]);
    fixture.cache.scope(rows(&[]).refresh()).await.unwrap();
    fixture.cache.scope(rows(&[1, 9]).bypass()).await.unwrap();
    assert_eq!(outcomes(&fixture.cache, "rows"), [(Hit, 2), (Loaded, 3), (Bypassed, 2)]);
}

async fn a_batch_that_fails_cancels_what_has_not_ended(fixture: Fixture) {
    let failed = fixture.cache.scope(rows(&[1, 2, 103, 4, 5])).await;
    assert_eq!(failed, Err("103".to_owned()));
    assert_eq!(outcomes(&fixture.cache, "rows"), [(Loaded, 4), (Cancelled, 1)]);
}

async fn a_load_by_hand_is_a_call(fixture: Fixture) {
    let key: Key<u64> = Key::<u64>::builder().text("hand").done();
    let key = key.ttl(std::time::Duration::from_secs(60));
    for _ in 0..3 {
        assert_eq!(fixture.cache.get_or_load(&key, || async { 7 }).await, 7);
    }
    // A look without a load is none.
    assert_eq!(fixture.cache.get(&key).await.unwrap(), Some(7));
    assert_eq!(outcomes(&fixture.cache, "by hand"), [(Hit, 2), (Loaded, 1)]);
}

#[tokio::test]
async fn a_disabled_cache_is_bypassed() {
    let (cache, origin) = (Cache::disabled(), Origin::default());
    origin.gate.open();
    cache.scope(plain(&origin)).await;
    assert_eq!(outcomes(&cache, "plain"), [(Bypassed, 1)]);
}

#[tokio::test]
async fn what_is_known_to_be_outdated_is_not_asked_for() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let (cache, origin) = (patient().connect(&server.url()).unwrap(), Origin::default());
    origin.gate.open();
    cache.scope(plain(&origin)).await;
    admin.config_set("min-replicas-to-write", "1").await;
    assert!(cache.invalidate(&plain_key()).await.is_err());
    cache.scope(plain(&origin)).await;
    assert_eq!(outcomes(&cache, "plain"), [(Loaded, 1), (Uncached, 1)]);
    assert_eq!(uncached(&cache, "plain"), [(Outdated, 1)]);
    assert_eq!(stats(&cache, "plain").misses(), 1, "it was not looked up");
}

#[tokio::test]
async fn without_a_server_calls_are_uncached() {
    let server = RedisServer::start().await;
    let (cache, origin) = (patient().connect(&server.url()).unwrap(), Origin::default());
    origin.gate.open();
    cache.scope(plain(&origin)).await;
    server.kill();
    eventually!({
        cache.scope(plain(&origin)).await;
        stats(&cache, "plain").uncached.unavailable > 0
    });
    assert_eq!(uncached(&cache, "plain").len(), 1);
    assert_eq!(stats(&cache, "plain").misses(), 1, "no lookup was answered");
}

/// Without `lock`, of the callers in two processes one is granted the lease.
#[tokio::test]
async fn who_is_not_granted_the_lease_loads_uncached() {
    let server = RedisServer::start().await;
    let caches = [(); 2].map(|()| patient().connect(&server.url()).unwrap());
    let origin = Origin::default();
    let one = start(&caches[0], 1, call!(plain, origin));
    origin.gate.entered(1).await;
    let other = start(&caches[1], 1, call!(plain, origin));
    origin.gate.entered(2).await;
    origin.gate.open();
    results(one).await;
    results(other).await;
    assert_eq!(outcomes(&caches[0], "plain"), [(Loaded, 1)]);
    assert_eq!(outcomes(&caches[1], "plain"), [(Uncached, 1)]);
    assert_eq!(uncached(&caches[1], "plain"), [(NotGranted, 1)]);
}
