//! `error_ttl`, and `none_ttl` beside the windows.

use std::time::Duration;

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::eventually;
use serde::{Deserialize, Serialize};

use crate::freshness::fixture::{Fixture, OLD, Origin};

const LONG: Duration = Duration::from_secs(3600);

/// An error that all processes can remember.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Told {
    Missing(u64),
    Broken,
}

/// One that only this process can.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Copied {
    Missing(u64),
}

#[cached(
    key = "told:<id>",
    ttl = "1h",
    error_ttl = |error: &Told| (*error == Told::Missing(1)).then_some(LONG),
    skip(origin),
)]
async fn told(origin: &Origin, id: u64) -> Result<u64, Told> {
    origin.load().await.map_err(|_| if id < 10 { Told::Missing(id) } else { Told::Broken })
}

#[cached(key = "copied:<id>", ttl = "1h", error_ttl = |_| Some(LONG), skip(origin))]
async fn copied(origin: &Origin, id: u64) -> Result<u64, Copied> {
    origin.load().await.map_err(|_| Copied::Missing(id))
}

/// The same entry, of a function that remembers nothing.
#[cached(key = told_key(&id), ttl = "1h", skip(origin))]
async fn forgetful(origin: &Origin, id: u64) -> Result<u64, Told> {
    origin.load().await.map_err(|_| Told::Missing(id))
}

/// The same entries and the same errors, of functions that remember theirs.
#[cached(key = told_key(&id), ttl = "1h", error_ttl = |_| Some(LONG), skip(origin))]
async fn told_otherwise(origin: &Origin, id: u64) -> Result<u64, Told> {
    origin.load().await.map_err(|_| Told::Broken)
}

#[cached(key = copied_key(&id), ttl = "1h", error_ttl = |_| Some(LONG), skip(origin))]
async fn copied_otherwise(origin: &Origin, id: u64) -> Result<u64, Copied> {
    origin.load().await.map_err(|_| Copied::Missing(100 + id))
}

#[invalidates(told(id), copied(id))]
async fn write(origin: &Origin, id: u64) -> Result<(), ()> {
    origin.set(id);
    Ok(())
}

/// A chosen error is remembered by all processes; a write has it forgotten by all.
async fn a_chosen_error_is_remembered_everywhere(fixture: Fixture) {
    fixture.origin.fail();
    let call = |cache: &Cache| cache.scope(told(&fixture.origin, 1));
    for _ in 0..10 {
        assert_eq!(call(&fixture.here).await, Err(Told::Missing(1)));
        assert_eq!(call(&fixture.there).await, Err(Told::Missing(1)));
    }
    assert_eq!(fixture.origin.loads(), 1);
    assert_eq!(fixture.here.get(&told_key(&1)).await.unwrap(), None, "it is no value");

    fixture.there.scope(write(&fixture.origin, 1)).await.unwrap();
    assert_eq!(call(&fixture.here).await, Ok(1));
    assert_eq!(call(&fixture.there).await, Ok(1));
    assert_eq!(fixture.origin.loads(), 2);
}

/// The others are not.
async fn another_error_is_not_remembered(fixture: Fixture) {
    fixture.origin.fail();
    for count in 1..5 {
        assert_eq!(fixture.here.scope(told(&fixture.origin, 10)).await, Err(Told::Broken));
        assert_eq!(fixture.origin.loads(), count);
    }
}

/// What can only be copied is remembered by the process that met it; a write of any process has it
/// forgotten.
async fn an_error_that_cannot_be_written_stays_here(fixture: Fixture) {
    fixture.origin.fail();
    for _ in 0..10 {
        assert_eq!(fixture.here.scope(copied(&fixture.origin, 1)).await, Err(Copied::Missing(1)));
    }
    assert_eq!(fixture.origin.loads(), 1);
    fixture.there.scope(write(&fixture.origin, 1)).await.unwrap();
    assert_eq!(fixture.here.scope(copied(&fixture.origin, 1)).await, Ok(1));
    assert_eq!(fixture.there.scope(copied(&fixture.origin, 1)).await, Ok(1));
}

/// To a function that remembers no errors it is a miss.
async fn an_error_is_a_miss_to_others(fixture: Fixture) {
    fixture.origin.fail();
    assert_eq!(fixture.here.scope(told(&fixture.origin, 1)).await, Err(Told::Missing(1)));
    fixture.origin.set(2);
    assert_eq!(fixture.here.scope(forgetful(&fixture.origin, 1)).await, Ok(2));
    assert_eq!(fixture.here.scope(told(&fixture.origin, 1)).await, Ok(2));
}

/// So it is to one that remembers its own.
async fn an_error_is_remembered_for_its_function(fixture: Fixture) {
    fixture.origin.fail();
    for there in [&fixture.here, &fixture.there] {
        assert_eq!(fixture.here.scope(told(&fixture.origin, 1)).await, Err(Told::Missing(1)));
        assert_eq!(there.scope(told_otherwise(&fixture.origin, 1)).await, Err(Told::Broken));
        assert_eq!(there.scope(told_otherwise(&fixture.origin, 1)).await, Err(Told::Broken));

        assert_eq!(fixture.here.scope(copied(&fixture.origin, 1)).await, Err(Copied::Missing(1)));
        let otherwise = || there.scope(copied_otherwise(&fixture.origin, 1));
        assert_eq!(otherwise().await, Err(Copied::Missing(101)));
        assert_eq!(otherwise().await, Err(Copied::Missing(101)));
    }
    assert_eq!(fixture.origin.loads(), 8, "the second call of each is told what it told the first");
}

/// A load that was overtaken by a write leaves no error behind.
async fn an_invalidation_wins_against_an_error(fixture: Fixture) {
    fixture.origin.fail();
    let gate = fixture.origin.hold();
    let origin = fixture.origin.clone();
    let caller = Fixture::start(&fixture.here, async move { told(&origin, 1).await });
    gate.entered(1).await;
    fixture.there.scope(write(&fixture.origin, 1)).await.unwrap();
    fixture.origin.let_run();
    gate.open();
    assert_eq!(caller.await.unwrap(), Err(Told::Missing(1)));
    assert_eq!(fixture.here.scope(told(&fixture.origin, 1)).await, Ok(1));
}

/// Where a stale value can be served it is, and it stays.
async fn a_stale_value_comes_before_an_error(fixture: Fixture) {
    #[cached(
        key = "both:<id>",
        ttl = "10ms",
        stale_if_error = "1h",
        error_ttl = |_: &Told| Some(LONG),
        skip(origin),
    )]
    async fn both(origin: &Origin, id: u64) -> Result<u64, Told> {
        origin.load().await.map_err(|_| Told::Missing(id))
    }
    assert_eq!(fixture.here.scope(both(&fixture.origin, 1)).await, Ok(OLD));
    fixture.is_stale(&both_key(&1)).await;
    fixture.origin.fail();
    for _ in 0..5 {
        assert_eq!(fixture.here.scope(both(&fixture.origin, 1)).await, Ok(OLD));
    }
    // And without one the error is remembered.
    for _ in 0..5 {
        assert_eq!(fixture.here.scope(both(&fixture.origin, 2)).await, Err(Told::Missing(2)));
    }
    fixture.origin.set(1);
    assert_eq!(fixture.here.scope(both(&fixture.origin, 2)).await, Err(Told::Missing(2)));
}

/// A remembered `None` has no window: it says nothing for longer than it was asked to.
async fn nothing_is_not_served_stale(fixture: Fixture) {
    #[cached(
        key = "none",
        ttl = "1h",
        none_ttl = "10ms",
        stale_while_revalidate = "1h",
        skip(origin)
    )]
    async fn find(origin: &Origin) -> Option<u64> {
        origin.load().await.ok()
    }
    fixture.origin.fail();
    let call = || fixture.here.scope(find(&fixture.origin));
    assert_eq!(call().await, None);
    eventually!(fixture.here.get(&find_key()).await.unwrap().is_none());
    fixture.origin.set(1);
    assert_eq!(call().await, Some(1));
    assert_eq!(fixture.sum("find", |stats| stats.outcomes.stale), 0);
}

on_all_stores! {
    a_chosen_error_is_remembered_everywhere
    another_error_is_not_remembered
    an_error_that_cannot_be_written_stays_here
    an_error_is_a_miss_to_others
    an_error_is_remembered_for_its_function
    an_invalidation_wins_against_an_error
    a_stale_value_comes_before_an_error
    nothing_is_not_served_stale
}
