//! The background: bounded, and drained at the end.

use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{Store, on_all_stores};
use cache_runtime::{Cache, ErrorKind};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;

use crate::freshness::fixture::{Fixture, OLD, Origin, value, value_key};

/// A shutdown waits for the refresh that runs, and no other begins.
async fn a_shutdown_waits_for_refreshes(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let gate = fixture.origin.hold();
    assert_eq!(fixture.get(&fixture.here).await, Ok(OLD));
    gate.entered(1).await;
    let ending = tokio::spawn({
        let cache = fixture.here.clone();
        async move { cache.shutdown().await }
    });
    // One more, dropped half-way.
    assert!(tokio::time::timeout(Duration::from_millis(1), fixture.here.shutdown()).await.is_err());
    assert!(!ending.is_finished());
    gate.open();
    ending.await.unwrap().unwrap();
    assert_eq!(fixture.fresh().await, Some(1));
}

/// What a shutdown cannot wait for it counts.
async fn a_shutdown_says_what_it_leaves(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let gate = fixture.origin.hold();
    assert_eq!(fixture.get(&fixture.here).await, Ok(OLD));
    gate.entered(1).await;
    let error = fixture.here.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unfinished);
    assert!(error.to_string().contains("1 refreshes"), "{error}");
    gate.open();
    eventually!(fixture.here.shutdown().await.is_ok());
    assert_eq!(fixture.fresh().await, Some(1), "it went on");
}

/// After it stale values are served as before, without a refresh.
async fn after_a_shutdown_nothing_is_refreshed(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    fixture.here.shutdown().await.unwrap();
    for _ in 0..10 {
        assert_eq!(fixture.get(&fixture.here).await, Ok(OLD));
    }
    assert_eq!(fixture.origin.loads(), 1);
    assert_eq!(fixture.sum("value", |stats| stats.refreshes_shed), 10);
}

/// Where as many refreshes run as may, further stale values are served without; the next caller
/// tries again.
async fn too_many_refreshes_are_not_begun(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    fixture.origin.set(OLD);
    let call = |id| fixture.here.scope(value(&fixture.origin, id));
    assert_eq!(call(2).await, Ok(OLD));
    fixture.is_stale(&value_key(&2)).await;
    fixture.origin.set(1);

    let gate = fixture.origin.hold();
    assert_eq!(call(1).await, Ok(OLD));
    gate.entered(1).await;
    assert_eq!(call(2).await, Ok(OLD));
    assert_eq!(fixture.sum("value", |stats| stats.refreshes_shed), 1);
    gate.open();
    eventually!(fixture.fresh().await == Some(1));
    eventually!(call(2).await == Ok(1));
}

/// A body that panics in the background takes nobody with it.
async fn a_panic_in_the_background_is_a_failure(fixture: Fixture) {
    #[cache_runtime::cached(
        key = "fragile",
        ttl = "10ms",
        stale_while_revalidate = "1h",
        skip(origin)
    )]
    async fn fragile(origin: &Origin) -> u64 {
        origin.load().await.expect("a panic that the test asks for")
    }
    let call = || fixture.here.scope(fragile(&fixture.origin));
    assert_eq!(call().await, OLD);
    fixture.is_stale(&fragile_key()).await;
    fixture.origin.fail();
    assert_eq!(call().await, OLD);
    eventually!(fixture.sum("fragile", |stats| stats.loads_cancelled) == 1);
    assert_eq!(call().await, OLD);
    fixture.here.shutdown().await.unwrap();
}

/// It waits for invalidations that were not delivered, and counts those that could not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_waits_for_the_journal() {
    let server = RedisServer::start().await;
    let settings = Cache::builder().shutdown_limit(Duration::from_millis(50));
    let cache = settings.connect(&server.url()).unwrap();
    assert_eq!(cache.scope(value(&Origin::at(1), 1)).await, Ok(1));
    server.stop();
    assert!(cache.invalidate(&value_key(&1)).await.is_err());
    let error = cache.shutdown().await.unwrap_err();
    assert!(error.to_string().contains("1 invalidations"), "{error}");
    server.cont();
    eventually!(cache.shutdown().await.is_ok());
    assert_eq!(cache.stats().journal_depth, 0);
}

on_all_stores! {
    a_shutdown_waits_for_refreshes
    after_a_shutdown_nothing_is_refreshed
    a_panic_in_the_background_is_a_failure
}

/// The same with settings of their own.
macro_rules! with_settings {
    ($settings:expr => $($name:ident)*) => {
        mod embedded_with_settings {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(Fixture::with(Store::embedded(), $settings)).await;
            })*
        }
        mod redis_with_settings {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(Fixture::with(Store::redis().await, $settings)).await;
            })*
        }
    };
}

with_settings! {
    patient().max_background_refreshes(1).shutdown_limit(Duration::from_millis(50)) =>
    a_shutdown_says_what_it_leaves
    too_many_refreshes_are_not_begun
}
