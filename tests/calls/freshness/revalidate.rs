//! `stale_while_revalidate`.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, CallExt as _};
use cache_testing::barrier::{Patience, eventually};

use crate::freshness::fixture::{Down, Fixture, OLD, value_key, write};

/// However many callers there are, in however many processes, all are served at once, and one load
/// runs.
async fn one_refresh_runs_and_nobody_waits(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let gate = fixture.origin.hold();
    for _ in 0..50 {
        for cache in [&fixture.here, &fixture.there] {
            assert_eq!(fixture.get(cache).await, Ok(OLD));
        }
    }
    gate.entered(1).await;
    for _ in 0..50 {
        for cache in [&fixture.here, &fixture.there] {
            assert_eq!(fixture.get(cache).await, Ok(OLD));
        }
    }
    assert_eq!((gate.inside(), fixture.origin.loads()), (1, 2));
    gate.open();
    eventually!(fixture.fresh().await == Some(1));
    for cache in [&fixture.here, &fixture.there] {
        assert_eq!(fixture.get(cache).await, Ok(1));
    }
    assert_eq!(fixture.origin.loads(), 2);
    assert_eq!(fixture.sum("value", |stats| stats.outcomes.stale), 200);
    eventually!(fixture.sum("value", |stats| stats.refreshes_ok) == 1);
    assert_eq!(fixture.sum("value", |stats| stats.refreshes_started), 1);
}

/// A refresh is a fill like any other: what was loaded before a write is not stored after it.
async fn an_invalidation_wins_against_a_refresh(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let gate = fixture.origin.hold();
    assert_eq!(fixture.get(&fixture.here).await, Ok(OLD));
    gate.entered(1).await;
    fixture.there.scope(write(&fixture.origin, 1, 2)).await.unwrap();
    fixture.origin.let_run();
    gate.open();
    eventually!(fixture.sum("value", |stats| stats.refreshes_failed) == 1);
    assert_eq!(fixture.fresh().await, None);
    assert_eq!(fixture.get(&fixture.here).await, Ok(2), "and never the stale one");
    assert_eq!(fixture.fresh().await, Some(2));
}

/// Nor does it replace what somebody else has stored meanwhile.
async fn a_refresh_overwrites_nothing_newer(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let gate = fixture.origin.hold();
    assert_eq!(fixture.get(&fixture.here).await, Ok(OLD));
    gate.entered(1).await;
    fixture.origin.let_run();
    fixture.origin.set(2);
    fixture.there.scope(write(&fixture.origin, 1, 2)).await.unwrap();
    assert_eq!(fixture.get(&fixture.there).await, Ok(2));
    gate.open();
    eventually!(fixture.sum("value", |stats| stats.refreshes_failed) == 1);
    assert_eq!(fixture.fresh().await, Some(2));
}

/// Behind a fence there is no value, stale or not, and no refresh.
async fn nothing_is_refreshed_behind_a_fence(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let (origin, gate) = (fixture.origin.clone(), cache_testing::barrier::Gate::new());
    let held = gate.clone();
    let writer = Fixture::start(&fixture.there, async move { slow_write(&origin, &held).await });
    gate.entered(1).await;
    assert_eq!(fixture.get(&fixture.here).await, Ok(1));
    assert_eq!(fixture.sum("value", |stats| stats.outcomes.stale), 0);
    gate.open();
    writer.await.unwrap().unwrap();
    assert_eq!(fixture.fresh().await, None);
}

#[cache_runtime::invalidates(key = "value:1")]
async fn slow_write(
    origin: &crate::freshness::fixture::Origin,
    gate: &cache_testing::barrier::Gate,
) -> Result<(), Down> {
    let _ = origin;
    gate.pass().await;
    Ok(())
}

/// After a failure the stale value is served for a while without another attempt, in all processes.
async fn a_failing_origin_is_left_alone_for_a_while(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    fixture.origin.fail();
    assert_eq!(fixture.get(&fixture.here).await, Ok(OLD));
    eventually!(fixture.sum("value", |stats| stats.refreshes_failed) == 1);
    let (patience, mut longest) = (Patience::new(), 0);
    while longest <= 2 {
        // A machine may stand still for as long as that while lasts, but not again and again.
        let (before, mut rested) = (fixture.origin.loads(), 0);
        while fixture.origin.loads() == before {
            for cache in [&fixture.here, &fixture.there] {
                assert_eq!(fixture.get(cache).await, Ok(OLD));
                rested += 1;
            }
            patience.pause("it is tried again by and by, but not at once").await;
        }
        longest = longest.max(rested);
    }
    assert!(fixture.sum("value", |stats| stats.refreshes_rested) > 0);
    fixture.origin.set(1);
    eventually!(fixture.get(&fixture.there).await == Ok(1));
}

/// The caller is gone, the refresh is not.
async fn a_dropped_caller_leaves_its_refresh_running(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let gate = fixture.origin.hold();
    let caller = fixture.read(&fixture.here);
    gate.entered(1).await;
    caller.abort();
    gate.open();
    eventually!(fixture.fresh().await == Some(1));
}

/// A value past its window is no value.
async fn nothing_is_served_past_its_window(fixture: Fixture) {
    use std::time::Duration;
    #[cache_runtime::cached(
        key = "brief:<id>",
        ttl = "10ms",
        stale_while_revalidate = "10ms",
        skip(origin)
    )]
    async fn brief(origin: &crate::freshness::fixture::Origin, id: u64) -> Result<u64, Down> {
        let _ = id;
        origin.load().await
    }
    let call = || fixture.here.scope(brief(&fixture.origin, 1));
    assert_eq!(call().await, Ok(OLD));
    fixture.origin.set(1);
    // Well past it: the store counts in whole milliseconds.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(call().await, Ok(1));
}

/// `refresh()` and `bypass()` know nothing of it.
async fn calls_that_ask_for_a_load_get_one(fixture: Fixture) {
    fixture.with_stale_value(1).await;
    let call =
        |cache: &Cache| cache.scope(crate::freshness::fixture::value(&fixture.origin, 1).bypass());
    assert_eq!(call(&fixture.here).await, Ok(1));
    assert_eq!(fixture.fresh().await, None);
    let call =
        |cache: &Cache| cache.scope(crate::freshness::fixture::value(&fixture.origin, 1).refresh());
    assert_eq!(call(&fixture.here).await, Ok(1));
    assert_eq!(fixture.fresh().await, Some(1));
}

/// A function with the same key that serves nothing stale is not served what another one keeps.
async fn a_stale_value_is_not_served_to_others(fixture: Fixture) {
    #[cache_runtime::cached(key = value_key(&id), ttl = "1h", skip(origin))]
    async fn strict(origin: &crate::freshness::fixture::Origin, id: u64) -> Result<u64, Down> {
        origin.load().await
    }
    fixture.with_stale_value(1).await;
    assert_eq!(fixture.here.scope(strict(&fixture.origin, 1)).await, Ok(1));
    assert_eq!(fixture.here.scope(strict(&fixture.origin, 1)).await, Ok(1));
    assert_eq!(fixture.origin.loads(), 2);
}

on_all_stores! {
    one_refresh_runs_and_nobody_waits
    an_invalidation_wins_against_a_refresh
    a_refresh_overwrites_nothing_newer
    nothing_is_refreshed_behind_a_fence
    a_failing_origin_is_left_alone_for_a_while
    a_dropped_caller_leaves_its_refresh_running
    nothing_is_served_past_its_window
    calls_that_ask_for_a_load_get_one
    a_stale_value_is_not_served_to_others
}
