//! `stale_if_error`, and `load_timeout`.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::eventually;
use tokio::task::JoinHandle;

use crate::freshness::fixture::{Down, Fixture, OLD, Origin, ttl};

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
    ($fixture:expr, $function:ident, $count:expr) => {{
        let calls = (0..$count).map(|number| {
            let cache = if number % 2 == 0 { &$fixture.here } else { &$fixture.there };
            let origin = $fixture.origin.clone();
            Fixture::start(cache, async move { $function(&origin, 1).await })
        });
        calls.collect::<Vec<_>>()
    }};
}

async fn with_stale_value(fixture: &Fixture) {
    assert_eq!(fixture.here.scope(if_error(&fixture.origin, 1)).await, Ok(OLD));
    fixture.is_stale(&if_error_key(&1)).await;
}

async fn fresh(fixture: &Fixture) -> Option<u64> {
    fixture.here.get(&if_error_key(&1)).await.unwrap()
}

/// Past its time to live a value is loaded anew, and served if that fails; nobody hammers the
/// origin.
async fn a_failed_load_serves_the_stale_value(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    let begun = Instant::now();
    for _ in 0..20 {
        for cache in [&fixture.here, &fixture.there] {
            assert_eq!(cache.scope(if_error(&fixture.origin, 1)).await, Ok(OLD));
        }
    }
    // One in a second, of each process at most.
    let (failed, seconds) = (fixture.origin.loads() - 1, begun.elapsed().as_secs() + 1);
    assert!(failed as u64 <= 2 * seconds, "{failed} loads in {seconds} s");
    fixture.origin.set(1);
    eventually!(fixture.here.scope(if_error(&fixture.origin, 1)).await == Ok(1));
    assert_eq!(fresh(&fixture).await, Some(1));
    assert!(fixture.sum("if_error", |stats| stats.refreshes_rested) > 0);
}

/// Those who wait get what the leader gets: the new value, or the old one.
async fn one_load_decides_for_all_who_wait(fixture: Fixture) {
    for (answer, expected) in [(None, OLD), (Some(1), 1)] {
        fixture.origin.set(OLD);
        fixture.here.invalidate(&if_error_key(&1)).await.unwrap();
        with_stale_value(&fixture).await;
        match answer {
            Some(value) => fixture.origin.set(value),
            None => fixture.origin.fail(),
        }
        let (gate, before) = (fixture.origin.hold(), fixture.origin.loads());
        let callers = crowd!(fixture, locked, 40);
        gate.entered(1).await;
        fixture.origin.let_run();
        gate.open();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), Ok(expected));
        }
        assert_eq!(fixture.origin.loads(), before + 1, "one load, in both processes");
        if answer.is_none() {
            // Each process rests by itself after what failed.
            fixture.origin.set(OLD);
            for cache in [&fixture.here, &fixture.there] {
                eventually!(loads_again(&fixture, cache).await);
            }
        }
    }
}

/// Whether a call of this process finds the old value stale and loads it.
async fn loads_again(fixture: &Fixture, cache: &Cache) -> bool {
    let before = fixture.origin.loads();
    assert_eq!(cache.scope(locked(&fixture.origin, 1)).await, Ok(OLD));
    fixture.origin.loads() > before
}

/// An expired value is served in place of an error, an invalidated one never.
async fn an_invalidated_value_is_never_served(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let caller = Fixture::start(&fixture.here, async move { if_error(&origin, 1).await });
    gate.entered(1).await;
    fixture.there.scope(write(&fixture.origin, 1, None)).await.unwrap();
    gate.open();
    assert_eq!(caller.await.unwrap(), Err(Down), "it was invalidated while the load ran");
    fixture.origin.let_run();
    assert_eq!(fixture.there.scope(if_error(&fixture.origin, 1)).await, Err(Down));
}

/// Nor by those who wait for that load, but have come after the invalidation.
async fn who_comes_after_an_invalidation_is_served_nothing_stale(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    let gate = fixture.origin.hold();
    let leader = crowd!(fixture, if_error, 1).remove(0);
    gate.entered(1).await;
    fixture.there.invalidate(&if_error_key(&1)).await.unwrap();
    let mut waiter = pin!(fixture.here.scope(if_error(&fixture.origin, 1)));
    // It joins the load at once.
    assert!(poll_fn(|cx| Poll::Ready(waiter.as_mut().poll(cx))).await.is_pending());
    fixture.origin.let_run();
    gate.open();
    assert_eq!(leader.await.unwrap(), Err(Down));
    assert_eq!(waiter.await, Err(Down));
}

/// A load that was overtaken by a write is not stored.
async fn an_invalidation_wins_against_a_load(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let caller = Fixture::start(&fixture.here, async move { if_error(&origin, 1).await });
    gate.entered(1).await;
    fixture.there.scope(write(&fixture.origin, 1, Some(2))).await.unwrap();
    fixture.origin.let_run();
    gate.open();
    assert_eq!(caller.await.unwrap(), Ok(1), "what it has loaded, to whoever called before");
    assert_eq!(fresh(&fixture).await, None);
    assert_eq!(fixture.here.scope(if_error(&fixture.origin, 1)).await, Ok(2));
}

/// A dropped leader hands over, and the stale value is still there for the next one.
async fn a_dropped_leader_hands_over(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    let gate = fixture.origin.hold();
    let leader = crowd!(fixture, if_error, 1).remove(0);
    gate.entered(1).await;
    let waiter = crowd!(fixture, if_error, 1).remove(0);
    // It joins at some time or other; the outcome is the same.
    leader.abort();
    fixture.origin.let_run();
    gate.open();
    assert_eq!(waiter.await.unwrap(), Ok(OLD));
}

/// A load that takes too long is left to the background, where it goes on.
async fn a_slow_load_is_not_waited_for(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    for _ in 0..3 {
        for cache in [&fixture.here, &fixture.there] {
            assert_eq!(cache.scope(hurried(&fixture.origin, 1)).await, Ok(OLD));
        }
    }
    gate.open();
    eventually!(fresh(&fixture).await == Some(1));
    assert!(fixture.sum("hurried", |stats| stats.outcomes.stale) >= 6);
}

/// A quick one is: its value, and where it fails the stale one.
async fn a_quick_load_is_waited_for(fixture: Fixture) {
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
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    assert_eq!(fixture.here.scope(patient(&fixture.origin, 1)).await, Ok(OLD));
    fixture.origin.set(1);
    eventually!(fixture.here.scope(patient(&fixture.origin, 1)).await == Ok(1));
    assert_eq!(fresh(&fixture).await, Some(1));
}

/// Where there is nothing to serve, the body is awaited however long it takes.
async fn without_a_stale_value_a_slow_load_is_awaited(fixture: Fixture) {
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    let callers = crowd!(fixture, hurried, 2);
    gate.entered(1).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(callers.iter().all(|caller| !caller.is_finished()));
    gate.open();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(1));
    }
}

/// The one who set off the load is gone; it goes on, for those who wait as well.
async fn a_load_in_the_background_outlives_its_caller(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    let caller = crowd!(fixture, hurried, 1).remove(0);
    gate.entered(1).await;
    caller.abort();
    gate.open();
    eventually!(fresh(&fixture).await == Some(1));
    assert_eq!(fixture.origin.loads(), 2);
}

/// Behind the one window comes the other.
async fn a_value_is_refreshed_first_and_kept_for_failures_then(fixture: Fixture) {
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
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    // Well past the first window: the store counts in whole milliseconds.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(fixture.here.scope(both(&fixture.origin, 1)).await, Ok(OLD));
    assert_eq!(fixture.origin.loads(), 2, "its caller has waited for it");
    fixture.origin.set(1);
    eventually!(fixture.here.scope(both(&fixture.origin, 1)).await == Ok(1));
    assert_eq!(fresh(&fixture).await, Some(1));
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

/// It takes its caller with it, also where the body runs in the background, and leaves the value to
/// the next one.
async fn a_panic_is_no_error(fixture: Fixture) {
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
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    // One at a time: who waits for a body that panics, or comes while the entry rests, is a next
    // one already.
    eventually!(panics(crowd!(fixture, fragile, 1).remove(0)).await);
    eventually!(panics(crowd!(fixture, behind, 1).remove(0)).await);
    for cache in [&fixture.here, &fixture.there] {
        assert_eq!(cache.scope(if_error(&fixture.origin, 1)).await, Ok(OLD));
    }
}

/// A body that says that a value is not to be stored has it removed, too.
async fn a_value_that_is_not_to_be_stored_takes_the_old_one_away(fixture: Fixture) {
    #[cached(key = "maybe", ttl = "10ms", stale_while_revalidate = "1h", skip(origin))]
    async fn maybe(origin: &Origin) -> Option<u64> {
        origin.load().await.ok()
    }
    let call = || fixture.here.scope(maybe(&fixture.origin));
    assert_eq!(call().await, Some(OLD));
    eventually!(fixture.here.get(&maybe_key()).await.unwrap().is_none());
    fixture.origin.fail();
    assert_eq!(call().await, Some(OLD));
    eventually!(fixture.sum("maybe", |stats| stats.refreshes_failed) == 1);
    assert_eq!(call().await, None, "it is gone, and known to be");
}

/// Who waits for the load of a function that serves a stale value in place of its error is not
/// served that, unless its own function does so.
async fn a_stale_value_is_not_shared_with_other_functions(fixture: Fixture) {
    with_stale_value(&fixture).await;
    fixture.origin.fail();
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let first = Fixture::start(&fixture.here, async move { if_error(&origin, 1).await });
    gate.entered(1).await;
    fixture.origin.let_run();
    let mut same = pin!(fixture.here.scope(if_error(&fixture.origin, 1)));
    let mut other = pin!(fixture.here.scope(strict(&fixture.origin, 1)));
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
