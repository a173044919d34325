//! Loads by hand, which follow the protocol of cached functions.

use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{Store, on_all_stores};
use cache_runtime::{Cache, CallExt as _, ErrorKind, Key, Tag, cached, write_through};

use crate::protocol::fixture::{Fixture, Refused, Table, row, row_key};

const HOUR: Duration = Duration::from_secs(3600);

fn text(text: &'static str) -> Key<u64> {
    Key::<u64>::builder().text(text).done()
}

/// A key that no function has; the node of a cluster that the fixture talks to has it.
fn hand_key() -> Key<u64> {
    text("hand:{row:1}").ttl(HOUR)
}

/// Loads row 1 under a key.
async fn load(cache: &Cache, db: &Table, key: &Key<u64>) -> Result<u64, Refused> {
    cache.get_or_load(key, || async { db.select(1).await.ok_or(Refused) }).await
}

impl Fixture {
    /// The same in a task of its own.
    fn load(&self, key: Key<u64>) -> tokio::task::JoinHandle<Result<u64, Refused>> {
        let (cache, db) = (self.cache.clone(), self.db.clone());
        tokio::spawn(async move { load(&cache, &db, &key).await })
    }
}

async fn a_value_is_loaded_once(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(1, 7);
    let key = hand_key();
    for _ in 0..3 {
        assert_eq!(load(cache, db, &key).await, Ok(7));
    }
    assert_eq!((db.loads(), cache.get(&key).await.unwrap()), (1, Some(7)));
    let stats = cache.stats();
    assert_eq!((stats.hits("by hand"), stats.misses("by hand"), stats.loads("by hand")), (2, 1, 1));

    // Whatever a load returns: a value is no `Result`.
    let plain = text("plain:{row:1}").ttl(HOUR);
    assert_eq!(cache.get_or_load(&plain, || async { 8 }).await, 8);
    assert_eq!(cache.get_or_load(&plain, || db.add(1, 1)).await, Ok(8), "the same entry");
    assert_eq!(db.get(1), Some(7));
}

async fn concurrent_callers_share_a_load(fixture: Fixture) {
    fixture.db.set(1, 7);
    let gate = fixture.db.hold_loads();
    let leader = fixture.load(hand_key());
    gate.entered(1).await;
    let others: Vec<_> = (0..100).map(|_| fixture.load(hand_key())).collect();
    gate.open();
    assert_eq!(leader.await.unwrap(), Ok(7));
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(7));
    }
    assert_eq!(fixture.db.loads(), 1);
}

/// A value that was loaded before an invalidation is not stored after it, and who calls after it
/// gets the new one.
async fn an_invalidated_load_stores_nothing(fixture: Fixture) {
    let tag = || Tag::builder().text("hands").done();
    for (round, tagged) in [false, true].into_iter().enumerate() {
        let (old, new) = (10 * round as u64, 10 * round as u64 + 1);
        let key = || if tagged { hand_key().tag(tag()) } else { hand_key() };
        fixture.cache.invalidate(&key()).await.unwrap();
        fixture.db.set(1, old);
        let gate = fixture.db.hold_loads();
        let early = fixture.load(key());
        gate.entered(1).await;
        fixture.db.set(1, new);
        if tagged {
            fixture.cache.invalidate_tag(tag()).await.unwrap();
        } else {
            fixture.cache.invalidate(&key()).await.unwrap();
        }
        fixture.db.let_loads_run();
        assert_eq!(load(&fixture.cache, &fixture.db, &key()).await, Ok(new));
        gate.open();
        assert_eq!(early.await.unwrap(), Ok(old));
        // An invalidation of the tag leaves the lease to the early load, whose stamp makes its
        // value a miss.
        let stored = fixture.cache.get(&key()).await.unwrap();
        assert_eq!(stored, if tagged { None } else { Some(new) });
        assert_eq!(load(&fixture.cache, &fixture.db, &key()).await, Ok(new));
        assert_eq!(fixture.cache.get(&key()).await.unwrap(), Some(new));
    }
    assert_eq!(fixture.cache.stats().function("by hand").unwrap().fills_refused, 1, "of the key");
}

/// `DEL`, by a client that knows nothing of the cache, takes the lease that the load began with.
async fn a_load_without_its_lease_stores_nothing(fixture: Fixture) {
    let Some((_, client)) = fixture.store.remote() else { return };
    fixture.db.set(1, 0);
    let gate = fixture.db.hold_loads();
    let early = fixture.load(hand_key());
    gate.entered(1).await;
    fixture.db.set(1, 1);
    assert!(client.del("hand:{row:1}").await);
    fixture.db.let_loads_run();
    gate.open();
    assert_eq!(early.await.unwrap(), Ok(0));
    assert_eq!(fixture.cache.get(&hand_key()).await.unwrap(), None);
}

/// One entry, one flight, one policy.
async fn the_key_of_a_function_is_its_entry(fixture: Fixture) {
    fixture.db.set(1, 7);
    let gate = fixture.db.hold_loads();
    let by_function = fixture.read(1);
    gate.entered(1).await;
    let by_hand = fixture.load(row_key(&1));
    gate.open();
    assert_eq!(by_function.await.unwrap(), Ok(7));
    assert_eq!(by_hand.await.unwrap(), Ok(7));
    assert_eq!(fixture.db.loads(), 1);

    fixture.cache.invalidate(&row_key(&1)).await.unwrap();
    fixture.db.set(1, 8);
    assert_eq!(load(&fixture.cache, &fixture.db, &row_key(&1)).await, Ok(8));
    assert_eq!((fixture.get(1).await, fixture.db.loads()), (8, 2), "a hit of the function");
    assert_eq!(fixture.cache.stats().loads("row"), 2);
}

async fn errors_are_not_stored(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    assert_eq!(load(cache, db, &hand_key()).await, Err(Refused));
    let gate = db.hold_loads();
    let waiting: Vec<_> = (0..3).map(|_| fixture.load(hand_key())).collect();
    gate.entered(1).await;
    gate.open();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Err(Refused));
    }
    db.set(1, 7);
    assert_eq!(load(cache, db, &hand_key()).await, Ok(7));
    assert_eq!(cache.get(&hand_key()).await.unwrap(), Some(7));
}

async fn a_dropped_load_hands_over(fixture: Fixture) {
    fixture.db.set(1, 7);
    let gate = fixture.db.hold_loads();
    let leader = fixture.load(hand_key());
    gate.entered(1).await;
    let waiter = fixture.load(hand_key());
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(waiter.await.unwrap(), Ok(7));
    assert_eq!(fixture.cache.get(&hand_key()).await.unwrap(), Some(7));
}

#[cached(key = "maybe:<id>", ttl = 3600)]
async fn maybe(id: u64) -> Option<u64> {
    Some(id)
}

#[cached(key = "negative:<id>", ttl = 3600, none_ttl = 60)]
async fn negative(id: u64) -> Result<Option<u64>, Refused> {
    Ok(Some(id))
}

#[cached(key = "few:<id>", ttl = 3600, unless = |value| *value > most, skip(most))]
async fn few(id: u64, most: u64) -> u64 {
    id + most
}

/// What a load by hand stores of a function's entry is what the function would store.
async fn the_policy_is_that_of_the_function(fixture: Fixture) {
    let cache = &fixture.cache;
    assert_eq!(cache.get_or_load(&maybe_key(&1), || async { None }).await, None);
    assert_eq!(cache.get(&maybe_key(&1)).await.unwrap(), None, "without `none_ttl`");
    let nothing = || async { Ok::<_, Refused>(None) };
    assert_eq!(cache.get_or_load(&negative_key(&1), nothing).await, Ok(None));
    assert_eq!(cache.get(&negative_key(&1)).await.unwrap(), Some(None), "with it");
    assert_eq!(cache.get_or_load(&few_key(&1), || async { 1 }).await, 1);
    assert_eq!(cache.get(&few_key(&1)).await.unwrap(), None, "only a call could tell");
    cache.scope(async { (maybe(1).await, negative(1).await.unwrap(), few(1, 9).await) }).await;
    let loads = ["maybe", "negative", "few"].map(|name| cache.stats().loads(name));
    assert_eq!(loads, [2, 1, 2], "a stored `None` is a hit");

    // By hand it is a value like any other.
    let key: Key<Option<u64>> = Key::<Option<u64>>::builder().text("optional").done();
    let key = key.ttl(HOUR);
    assert_eq!(
        cache.get_or_load(&key.clone().unless(Option::is_none), || async { None }).await,
        None
    );
    assert_eq!(cache.get(&key).await.unwrap(), None, "excluded");
    assert_eq!(cache.get_or_load(&key, || async { None }).await, None);
    assert_eq!(cache.get(&key).await.unwrap(), Some(None));
}

async fn a_single_call_is_controlled(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(1, 7);
    assert_eq!(load(cache, db, &hand_key()).await, Ok(7));
    db.set(1, 8);
    assert_eq!(load(cache, db, &hand_key()).bypass().await, Ok(8));
    assert_eq!(load(cache, db, &hand_key()).await, Ok(7));
    assert_eq!(load(cache, db, &hand_key()).refresh().await, Ok(8));
    assert_eq!(load(cache, db, &hand_key()).await, Ok(8));
    assert_eq!(db.loads(), 3);
}

#[write_through(key = text("timeless"))]
async fn store_without_ttl(value: u64) -> u64 {
    value
}

#[write_through(key = text("timely").ttl(HOUR))]
async fn store_with_ttl(value: u64) -> u64 {
    value
}

/// Nobody has said how long the value may be served, so it is not stored, and that is not silent.
async fn a_key_made_by_hand_needs_a_ttl(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(1, 7);
    let timeless = text("timeless");
    let misuses = || cache.stats().function("by hand").map_or(0, |by_hand| by_hand.misuses);

    let error = cache.put(&timeless, &7).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`.ttl(Duration::from_secs(3600))`"), "{error}");
    assert_eq!(misuses(), 0, "the caller has the error");

    assert_eq!(load(cache, db, &timeless).await, Ok(7));
    assert_eq!(misuses(), 1);
    assert_eq!(cache.scope(store_without_ttl(7)).await, 7);
    assert_eq!(misuses(), 2);
    assert_eq!(cache.get(&timeless).await.unwrap(), None);
    cache.invalidate(&timeless).await.unwrap();

    assert_eq!(cache.scope(store_with_ttl(8)).await, 8);
    assert_eq!(cache.get(&text("timely")).await.unwrap(), Some(8), "a read needs none");
    let by_value = text("by value").ttl_of(|value| Duration::from_secs(*value));
    assert_eq!(load(cache, db, &by_value).await, Ok(7));
    assert_eq!((cache.get(&by_value).await.unwrap(), misuses()), (Some(7), 2));
}

on_all_stores! {
    a_value_is_loaded_once
    concurrent_callers_share_a_load
    an_invalidated_load_stores_nothing
    a_load_without_its_lease_stores_nothing
    the_key_of_a_function_is_its_entry
    errors_are_not_stored
    a_dropped_load_hands_over
    the_policy_is_that_of_the_function
    a_single_call_is_controlled
    a_key_made_by_hand_needs_a_ttl
}

#[tokio::test]
#[should_panic = "give it a time to live"]
async fn a_strict_cache_panics_without_a_ttl() {
    let cache = Cache::builder().panic_on_misuse(true).in_memory().unwrap();
    cache.get_or_load(&text("timeless"), || async { 7 }).await;
}

/// Without a store, or with one that nobody reaches, it returns what the load returns.
#[tokio::test]
async fn without_a_store_it_loads() {
    let unreachable = patient().connect("redis+unix:///nowhere/at/all.sock").unwrap();
    for cache in [Cache::disabled(), unreachable] {
        let fixture = Fixture { cache, db: Table::default(), store: Store::embedded() };
        assert_eq!(load(&fixture.cache, &fixture.db, &hand_key()).await, Err(Refused));
        fixture.db.set(1, 7);
        assert_eq!(load(&fixture.cache, &fixture.db, &hand_key()).await, Ok(7));
        assert_eq!(fixture.cache.scope(row(&fixture.db, 1)).await, Ok(7));
    }
}
