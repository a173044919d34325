//! `early`: with a factor so large that every hit draws the lot.

use std::time::{Duration, Instant};

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{cached, invalidates};
use cache_testing::barrier::eventually;

use crate::freshness::fixture::{Down, Fixture, Origin};

/// A load that takes a measurable while.
async fn load(origin: &Origin) -> Result<u64, Down> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    origin.load().await
}

#[cached(key = "early:<id>", ttl = "1h", early = 1_000_000_000_000.0, skip(origin))]
async fn early(origin: &Origin, id: u64) -> Result<u64, Down> {
    load(origin).await
}

/// The same entry, refreshed where nobody waits for it.
#[cached(
    key = early_key(&id),
    ttl = "1h",
    stale_while_revalidate = "1h",
    early = 1_000_000_000_000.0,
    skip(origin),
)]
async fn behind(origin: &Origin, id: u64) -> Result<u64, Down> {
    load(origin).await
}

#[invalidates(early(id))]
async fn write(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    origin.set(new);
    Ok(())
}

async fn stored(fixture: &Fixture) -> Option<u64> {
    fixture.here.get(&early_key(&1)).await.unwrap()
}

/// One caller of all processes loads; the others keep hitting.
async fn one_loads_and_the_others_keep_hitting(fixture: Fixture) {
    assert_eq!(fixture.here.scope(early(&fixture.origin, 1)).await, Ok(0));
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let drawn = Fixture::start(&fixture.here, async move { early(&origin, 1).await });
    gate.entered(1).await;
    for _ in 0..20 {
        for cache in [&fixture.here, &fixture.there] {
            assert_eq!(cache.scope(early(&fixture.origin, 1)).await, Ok(0));
        }
    }
    assert_eq!(gate.inside(), 1);
    gate.open();
    assert_eq!(drawn.await.unwrap(), Ok(1));
    assert_eq!(stored(&fixture).await, Some(1));
    assert_eq!(fixture.origin.loads(), 2);
}

/// It is a fill like any other.
async fn an_invalidation_wins(fixture: Fixture) {
    assert_eq!(fixture.here.scope(early(&fixture.origin, 1)).await, Ok(0));
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let drawn = Fixture::start(&fixture.here, async move { early(&origin, 1).await });
    gate.entered(1).await;
    fixture.there.scope(write(&fixture.origin, 1, 2)).await.unwrap();
    fixture.origin.let_run();
    gate.open();
    assert_eq!(drawn.await.unwrap(), Ok(1), "what it has loaded, to whoever called before");
    assert_eq!(stored(&fixture).await, None);
}

/// Where it fails, the value that is still fresh is returned, and the entry rests.
async fn a_failure_costs_nobody_the_value(fixture: Fixture) {
    assert_eq!(fixture.here.scope(early(&fixture.origin, 1)).await, Ok(0));
    fixture.origin.fail();
    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(fixture.here.scope(early(&fixture.origin, 1)).await, Ok(0));
    }
    // One in a second.
    let (failed, seconds) =
        (fixture.sum("early", |stats| stats.refreshes_failed), begun.elapsed().as_secs() + 1);
    assert!((1..=seconds).contains(&failed), "{failed} in {seconds} s");
    assert_eq!(stored(&fixture).await, Some(0));
}

/// A caller that is dropped while it loads leaves everything as it was.
async fn a_dropped_caller_leaves_the_value(fixture: Fixture) {
    assert_eq!(fixture.here.scope(early(&fixture.origin, 1)).await, Ok(0));
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let drawn = Fixture::start(&fixture.here, async move { early(&origin, 1).await });
    gate.entered(1).await;
    drawn.abort();
    fixture.origin.let_run();
    gate.empty().await;
    assert_eq!(stored(&fixture).await, Some(0));
    eventually!(fixture.there.scope(early(&fixture.origin, 1)).await == Ok(1));
}

/// With a window the load runs in the background, and the one who drew it does not wait either.
async fn behind_a_window_nobody_waits(fixture: Fixture) {
    assert_eq!(fixture.here.scope(behind(&fixture.origin, 1)).await, Ok(0));
    fixture.origin.set(1);
    let gate = fixture.origin.hold();
    assert_eq!(fixture.here.scope(behind(&fixture.origin, 1)).await, Ok(0));
    gate.entered(1).await;
    gate.open();
    eventually!(stored(&fixture).await == Some(1));
    assert_eq!(fixture.sum("behind", |stats| stats.outcomes.stale), 0);
}

on_all_stores! {
    one_loads_and_the_others_keep_hitting
    an_invalidation_wins
    a_failure_costs_nobody_the_value
    a_dropped_caller_leaves_the_value
    behind_a_window_nobody_waits
}
