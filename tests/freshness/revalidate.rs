//! `stale_while_revalidate`.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, CallExt as _};
use cache_testing::barrier::{Patience, eventually};

use crate::stage::{Down, OLD, Stage, value_key, write};

/// However many callers there are, in however many processes, all are served at once, and one load runs.
async fn one_refresh_runs_and_nobody_waits(stage: Stage) {
    stage.with_stale_value(1).await;
    let gate = stage.origin.hold();
    for _ in 0..50 {
        for cache in [&stage.here, &stage.there] {
            assert_eq!(stage.get(cache).await, Ok(OLD));
        }
    }
    gate.entered(1).await;
    for _ in 0..50 {
        for cache in [&stage.here, &stage.there] {
            assert_eq!(stage.get(cache).await, Ok(OLD));
        }
    }
    assert_eq!((gate.inside(), stage.origin.loads()), (1, 2));
    gate.open();
    eventually!(stage.fresh().await == Some(1));
    for cache in [&stage.here, &stage.there] {
        assert_eq!(stage.get(cache).await, Ok(1));
    }
    assert_eq!(stage.origin.loads(), 2);
    assert_eq!(stage.sum("value", |stats| stats.stale_served), 200);
    eventually!(stage.sum("value", |stats| stats.refreshes_ok) == 1);
    assert_eq!(stage.sum("value", |stats| stats.refreshes_started), 1);
}

/// A refresh is a fill like any other: what was loaded before a write is not stored after it.
async fn an_invalidation_wins_against_a_refresh(stage: Stage) {
    stage.with_stale_value(1).await;
    let gate = stage.origin.hold();
    assert_eq!(stage.get(&stage.here).await, Ok(OLD));
    gate.entered(1).await;
    stage.there.scope(write(&stage.origin, 1, 2)).await.unwrap();
    stage.origin.let_run();
    gate.open();
    eventually!(stage.sum("value", |stats| stats.refreshes_failed) == 1);
    assert_eq!(stage.fresh().await, None);
    assert_eq!(stage.get(&stage.here).await, Ok(2), "and never the stale one");
    assert_eq!(stage.fresh().await, Some(2));
}

/// Nor does it replace what somebody else has stored meanwhile.
async fn a_refresh_overwrites_nothing_newer(stage: Stage) {
    stage.with_stale_value(1).await;
    let gate = stage.origin.hold();
    assert_eq!(stage.get(&stage.here).await, Ok(OLD));
    gate.entered(1).await;
    stage.origin.let_run();
    stage.origin.set(2);
    stage.there.scope(write(&stage.origin, 1, 2)).await.unwrap();
    assert_eq!(stage.get(&stage.there).await, Ok(2));
    gate.open();
    eventually!(stage.sum("value", |stats| stats.refreshes_failed) == 1);
    assert_eq!(stage.fresh().await, Some(2));
}

/// Behind a fence there is no value, stale or not, and no refresh.
async fn nothing_is_refreshed_behind_a_fence(stage: Stage) {
    stage.with_stale_value(1).await;
    let (origin, gate) = (stage.origin.clone(), cache_testing::barrier::Gate::new());
    let held = gate.clone();
    let writer = Stage::start(&stage.there, async move { slow_write(&origin, &held).await });
    gate.entered(1).await;
    assert_eq!(stage.get(&stage.here).await, Ok(1));
    assert_eq!(stage.sum("value", |stats| stats.stale_served), 0);
    gate.open();
    writer.await.unwrap().unwrap();
    assert_eq!(stage.fresh().await, None);
}

#[cache_runtime::invalidates(key = "value:1")]
async fn slow_write(
    origin: &crate::stage::Origin,
    gate: &cache_testing::barrier::Gate,
) -> Result<(), Down> {
    let _ = origin;
    gate.pass().await;
    Ok(())
}

/// After a failure the stale value is served for a while without another attempt, in all processes.
async fn a_failing_origin_is_left_alone_for_a_while(stage: Stage) {
    stage.with_stale_value(1).await;
    stage.origin.fail();
    assert_eq!(stage.get(&stage.here).await, Ok(OLD));
    eventually!(stage.sum("value", |stats| stats.refreshes_failed) == 1);
    let (patience, mut longest) = (Patience::new(), 0);
    while longest <= 2 {
        // A machine may stand still for as long as that while lasts, but not again and again.
        let (before, mut rested) = (stage.origin.loads(), 0);
        while stage.origin.loads() == before {
            for cache in [&stage.here, &stage.there] {
                assert_eq!(stage.get(cache).await, Ok(OLD));
                rested += 1;
            }
            patience.pause("it is tried again by and by, but not at once").await;
        }
        longest = longest.max(rested);
    }
    assert!(stage.sum("value", |stats| stats.refreshes_rested) > 0);
    stage.origin.set(1);
    eventually!(stage.get(&stage.there).await == Ok(1));
}

/// The caller is gone, the refresh is not.
async fn a_dropped_caller_leaves_its_refresh_running(stage: Stage) {
    stage.with_stale_value(1).await;
    let gate = stage.origin.hold();
    let caller = stage.read(&stage.here);
    gate.entered(1).await;
    caller.abort();
    gate.open();
    eventually!(stage.fresh().await == Some(1));
}

/// A value past its window is no value.
async fn nothing_is_served_past_its_window(stage: Stage) {
    use std::time::Duration;
    #[cache_runtime::cached(
        key = "brief:<id>",
        ttl = "10ms",
        stale_while_revalidate = "10ms",
        skip(origin)
    )]
    async fn brief(origin: &crate::stage::Origin, id: u64) -> Result<u64, Down> {
        let _ = id;
        origin.load().await
    }
    let call = || stage.here.scope(brief(&stage.origin, 1));
    assert_eq!(call().await, Ok(OLD));
    stage.origin.set(1);
    // Well past it: the store counts in whole milliseconds.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(call().await, Ok(1));
}

/// `refresh()` and `bypass()` know nothing of it.
async fn calls_that_ask_for_a_load_get_one(stage: Stage) {
    stage.with_stale_value(1).await;
    let call = |cache: &Cache| cache.scope(crate::stage::value(&stage.origin, 1).bypass());
    assert_eq!(call(&stage.here).await, Ok(1));
    assert_eq!(stage.fresh().await, None);
    let call = |cache: &Cache| cache.scope(crate::stage::value(&stage.origin, 1).refresh());
    assert_eq!(call(&stage.here).await, Ok(1));
    assert_eq!(stage.fresh().await, Some(1));
}

/// A function with the same key that serves nothing stale is not served what another one keeps.
async fn a_stale_value_is_not_served_to_others(stage: Stage) {
    #[cache_runtime::cached(key = value_key(&id), ttl = "1h", skip(origin))]
    async fn strict(origin: &crate::stage::Origin, id: u64) -> Result<u64, Down> {
        origin.load().await
    }
    stage.with_stale_value(1).await;
    assert_eq!(stage.here.scope(strict(&stage.origin, 1)).await, Ok(1));
    assert_eq!(stage.here.scope(strict(&stage.origin, 1)).await, Ok(1));
    assert_eq!(stage.origin.loads(), 2);
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
