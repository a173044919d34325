//! `stale_if_error`, and `load_timeout`.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::eventually;
use tokio::task::JoinHandle;

use crate::stage::{Down, OLD, Origin, Stage, ttl};

#[cached(key = "if-error:<id>", ttl = |value| ttl(*value), stale_if_error = "1h", skip(origin))]
async fn if_error(origin: &Origin, id: u64) -> Result<u64, Down> {
    let _ = id;
    origin.load().await
}

/// The same entry, for which callers wait for other processes.
#[cached(
    key = if_error_key(&id),
    ttl = |value| ttl(*value),
    stale_if_error = "1h",
    lock,
    skip(origin),
)]
async fn locked(origin: &Origin, id: u64) -> Result<u64, Down> {
    origin.load().await
}

/// The same entry; a load is not waited for as long as there is something to serve.
#[cached(
    key = if_error_key(&id),
    ttl = |value| ttl(*value),
    stale_if_error = "1h",
    load_timeout = "20ms",
    skip(origin),
)]
async fn hurried(origin: &Origin, id: u64) -> Result<u64, Down> {
    origin.load().await
}

#[invalidates(if_error(id))]
async fn write(origin: &Origin, id: u64, new: Option<u64>) -> Result<(), Down> {
    match new {
        Some(new) => origin.set(new),
        None => origin.fail(),
    }
    Ok(())
}

/// The same entry, of a function that serves nothing stale.
#[cached(key = if_error_key(&id), ttl = 3600, skip(origin))]
async fn strict(origin: &Origin, id: u64) -> Result<u64, Down> {
    origin.load().await
}

/// Many callers at once, in both processes.
macro_rules! crowd {
    ($stage:expr, $function:ident, $count:expr) => {{
        let calls = (0..$count).map(|number| {
            let cache = if number % 2 == 0 { &$stage.here } else { &$stage.there };
            let origin = $stage.origin.clone();
            Stage::start(cache, async move { $function(&origin, 1).await })
        });
        calls.collect::<Vec<_>>()
    }};
}

async fn with_stale_value(stage: &Stage) {
    assert_eq!(stage.here.scope(if_error(&stage.origin, 1)).await, Ok(OLD));
    stage.is_stale(&if_error_key(&1)).await;
}

async fn fresh(stage: &Stage) -> Option<u64> {
    stage.here.get(&if_error_key(&1)).await.unwrap()
}

/// Past its time to live a value is loaded anew, and served if that fails; nobody hammers the origin.
async fn a_failed_load_serves_the_stale_value(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.fail();
    let begun = Instant::now();
    for _ in 0..20 {
        for cache in [&stage.here, &stage.there] {
            assert_eq!(cache.scope(if_error(&stage.origin, 1)).await, Ok(OLD));
        }
    }
    // One in a second, of each process at most.
    let (failed, seconds) = (stage.origin.loads() - 1, begun.elapsed().as_secs() + 1);
    assert!(failed as u64 <= 2 * seconds, "{failed} loads in {seconds} s");
    stage.origin.set(1);
    eventually!(stage.here.scope(if_error(&stage.origin, 1)).await == Ok(1));
    assert_eq!(fresh(&stage).await, Some(1));
    assert!(stage.sum("if_error", |stats| stats.refreshes_rested) > 0);
}

/// Those who wait get what the leader gets: the new value, or the old one.
async fn one_load_decides_for_all_who_wait(stage: Stage) {
    for (answer, expected) in [(None, OLD), (Some(1), 1)] {
        stage.origin.set(OLD);
        stage.here.invalidate(&if_error_key(&1)).await.unwrap();
        with_stale_value(&stage).await;
        match answer {
            Some(value) => stage.origin.set(value),
            None => stage.origin.fail(),
        }
        let (gate, before) = (stage.origin.hold(), stage.origin.loads());
        let callers = crowd!(stage, locked, 40);
        gate.entered(1).await;
        stage.origin.let_run();
        gate.open();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), Ok(expected));
        }
        assert_eq!(stage.origin.loads(), before + 1, "one load, in both processes");
        if answer.is_none() {
            // Each process rests by itself after what failed.
            stage.origin.set(OLD);
            for cache in [&stage.here, &stage.there] {
                eventually!(loads_again(&stage, cache).await);
            }
        }
    }
}

/// Whether a call of this process finds the old value stale and loads it.
async fn loads_again(stage: &Stage, cache: &Cache) -> bool {
    let before = stage.origin.loads();
    assert_eq!(cache.scope(locked(&stage.origin, 1)).await, Ok(OLD));
    stage.origin.loads() > before
}

/// An expired value is served in place of an error, an invalidated one never.
async fn an_invalidated_value_is_never_served(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.fail();
    let gate = stage.origin.hold();
    let origin = stage.origin.clone();
    let caller = Stage::start(&stage.here, async move { if_error(&origin, 1).await });
    gate.entered(1).await;
    stage.there.scope(write(&stage.origin, 1, None)).await.unwrap();
    gate.open();
    assert_eq!(caller.await.unwrap(), Err(Down), "it was invalidated while the load ran");
    stage.origin.let_run();
    assert_eq!(stage.there.scope(if_error(&stage.origin, 1)).await, Err(Down));
}

/// Nor by those who wait for that load, but have come after the invalidation.
async fn who_comes_after_an_invalidation_is_served_nothing_stale(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.fail();
    let gate = stage.origin.hold();
    let leader = crowd!(stage, if_error, 1).remove(0);
    gate.entered(1).await;
    stage.there.invalidate(&if_error_key(&1)).await.unwrap();
    let mut waiter = pin!(stage.here.scope(if_error(&stage.origin, 1)));
    // It joins the load at once.
    assert!(poll_fn(|cx| Poll::Ready(waiter.as_mut().poll(cx))).await.is_pending());
    stage.origin.let_run();
    gate.open();
    assert_eq!(leader.await.unwrap(), Err(Down));
    assert_eq!(waiter.await, Err(Down));
}

/// A load that was overtaken by a write is not stored.
async fn an_invalidation_wins_against_a_load(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.set(1);
    let gate = stage.origin.hold();
    let origin = stage.origin.clone();
    let caller = Stage::start(&stage.here, async move { if_error(&origin, 1).await });
    gate.entered(1).await;
    stage.there.scope(write(&stage.origin, 1, Some(2))).await.unwrap();
    stage.origin.let_run();
    gate.open();
    assert_eq!(caller.await.unwrap(), Ok(1), "what it has loaded, to whoever called before");
    assert_eq!(fresh(&stage).await, None);
    assert_eq!(stage.here.scope(if_error(&stage.origin, 1)).await, Ok(2));
}

/// A dropped leader hands over, and the stale value is still there for the next one.
async fn a_dropped_leader_hands_over(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.fail();
    let gate = stage.origin.hold();
    let leader = crowd!(stage, if_error, 1).remove(0);
    gate.entered(1).await;
    let waiter = crowd!(stage, if_error, 1).remove(0);
    // It joins at some time or other; the outcome is the same.
    leader.abort();
    stage.origin.let_run();
    gate.open();
    assert_eq!(waiter.await.unwrap(), Ok(OLD));
}

/// A load that takes too long is left to the background, where it goes on.
async fn a_slow_load_is_not_waited_for(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.set(1);
    let gate = stage.origin.hold();
    for _ in 0..3 {
        for cache in [&stage.here, &stage.there] {
            assert_eq!(cache.scope(hurried(&stage.origin, 1)).await, Ok(OLD));
        }
    }
    gate.open();
    eventually!(fresh(&stage).await == Some(1));
    assert!(stage.sum("hurried", |stats| stats.stale_served) >= 6);
}

/// A quick one is: its value, and where it fails the stale one.
async fn a_quick_load_is_waited_for(stage: Stage) {
    #[cached(
        key = if_error_key(&id),
        ttl = |value| ttl(*value),
        stale_while_revalidate = "1h",
        load_timeout = "1h",
        skip(origin),
    )]
    async fn patient(origin: &Origin, id: u64) -> Result<u64, Down> {
        origin.load().await
    }
    with_stale_value(&stage).await;
    stage.origin.fail();
    assert_eq!(stage.here.scope(patient(&stage.origin, 1)).await, Ok(OLD));
    stage.origin.set(1);
    eventually!(stage.here.scope(patient(&stage.origin, 1)).await == Ok(1));
    assert_eq!(fresh(&stage).await, Some(1));
}

/// Where there is nothing to serve, the body is awaited however long it takes.
async fn without_a_stale_value_a_slow_load_is_awaited(stage: Stage) {
    stage.origin.set(1);
    let gate = stage.origin.hold();
    let callers = crowd!(stage, hurried, 2);
    gate.entered(1).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(callers.iter().all(|caller| !caller.is_finished()));
    gate.open();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(1));
    }
}

/// The one who set off the load is gone; it goes on, for those who wait as well.
async fn a_load_in_the_background_outlives_its_caller(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.set(1);
    let gate = stage.origin.hold();
    let caller = crowd!(stage, hurried, 1).remove(0);
    gate.entered(1).await;
    caller.abort();
    gate.open();
    eventually!(fresh(&stage).await == Some(1));
    assert_eq!(stage.origin.loads(), 2);
}

/// Behind the one window comes the other.
async fn a_value_is_refreshed_first_and_kept_for_failures_then(stage: Stage) {
    #[cached(
        key = if_error_key(&id),
        ttl = |value| ttl(*value),
        stale_while_revalidate = "10ms",
        stale_if_error = "1h",
        skip(origin),
    )]
    async fn both(origin: &Origin, id: u64) -> Result<u64, Down> {
        origin.load().await
    }
    with_stale_value(&stage).await;
    stage.origin.fail();
    // Well past the first window: the store counts in whole milliseconds.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(stage.here.scope(both(&stage.origin, 1)).await, Ok(OLD));
    assert_eq!(stage.origin.loads(), 2, "its caller has waited for it");
    stage.origin.set(1);
    eventually!(stage.here.scope(both(&stage.origin, 1)).await == Ok(1));
    assert_eq!(fresh(&stage).await, Some(1));
}

/// Whether it does, and is not served the old value.
async fn panics(caller: JoinHandle<Result<u64, Down>>) -> bool {
    match caller.await {
        Ok(served) => {
            assert_eq!(served, Ok(OLD));
            false
        }
        Err(error) => error.is_panic(),
    }
}

/// It takes its caller with it, also where the body runs in the background, and leaves the value to the next one.
async fn a_panic_is_no_error(stage: Stage) {
    #[cached(
        key = if_error_key(&id),
        ttl = |value| ttl(*value),
        stale_if_error = "1h",
        skip(origin),
    )]
    async fn fragile(origin: &Origin, id: u64) -> Result<u64, Down> {
        Ok(origin.load().await.unwrap())
    }
    #[cached(
        key = if_error_key(&id),
        ttl = |value| ttl(*value),
        stale_if_error = "1h",
        load_timeout = "1h",
        skip(origin),
    )]
    async fn behind(origin: &Origin, id: u64) -> Result<u64, Down> {
        Ok(origin.load().await.unwrap())
    }
    with_stale_value(&stage).await;
    stage.origin.fail();
    // One at a time: who waits for a body that panics, or comes while the entry rests, is a next one already.
    eventually!(panics(crowd!(stage, fragile, 1).remove(0)).await);
    eventually!(panics(crowd!(stage, behind, 1).remove(0)).await);
    for cache in [&stage.here, &stage.there] {
        assert_eq!(cache.scope(if_error(&stage.origin, 1)).await, Ok(OLD));
    }
}

/// A body that says that a value is not to be stored has it removed, too.
async fn a_value_that_is_not_to_be_stored_takes_the_old_one_away(stage: Stage) {
    #[cached(key = "maybe", ttl = "10ms", stale_while_revalidate = "1h", skip(origin))]
    async fn maybe(origin: &Origin) -> Option<u64> {
        origin.load().await.ok()
    }
    let call = || stage.here.scope(maybe(&stage.origin));
    assert_eq!(call().await, Some(OLD));
    eventually!(stage.here.get(&maybe_key()).await.unwrap().is_none());
    stage.origin.fail();
    assert_eq!(call().await, Some(OLD));
    eventually!(stage.sum("maybe", |stats| stats.refreshes_failed) == 1);
    assert_eq!(call().await, None, "it is gone, and known to be");
}

/// Who waits for the load of a function that serves a stale value in place of its error is not served that, unless its
/// own function does so.
async fn a_stale_value_is_not_shared_with_other_functions(stage: Stage) {
    with_stale_value(&stage).await;
    stage.origin.fail();
    let gate = stage.origin.hold();
    let origin = stage.origin.clone();
    let first = Stage::start(&stage.here, async move { if_error(&origin, 1).await });
    gate.entered(1).await;
    stage.origin.let_run();
    let mut same = pin!(stage.here.scope(if_error(&stage.origin, 1)));
    let mut other = pin!(stage.here.scope(strict(&stage.origin, 1)));
    assert!(poll_fn(|cx| Poll::Ready(same.as_mut().poll(cx).is_pending())).await);
    assert!(poll_fn(|cx| Poll::Ready(other.as_mut().poll(cx).is_pending())).await);
    gate.open();
    assert_eq!(first.await.unwrap(), Ok(OLD));
    assert_eq!(tokio::join!(same, other), (Ok(OLD), Err(Down)));
}

on_all_stores! {
    a_stale_value_is_not_shared_with_other_functions
    a_failed_load_serves_the_stale_value
    one_load_decides_for_all_who_wait
    an_invalidated_value_is_never_served
    who_comes_after_an_invalidation_is_served_nothing_stale
    an_invalidation_wins_against_a_load
    a_dropped_leader_hands_over
    a_slow_load_is_not_waited_for
    a_quick_load_is_waited_for
    without_a_stale_value_a_slow_load_is_awaited
    a_load_in_the_background_outlives_its_caller
    a_value_is_refreshed_first_and_kept_for_failures_then
    a_panic_is_no_error
    a_value_that_is_not_to_be_stored_takes_the_old_one_away
}
