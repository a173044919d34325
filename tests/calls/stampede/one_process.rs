//! Many callers in one process.

use cache_fixtures::origin::{Origin, call};
use cache_fixtures::stats;
use cache_fixtures::stores::on_both_stores;
use cache_runtime::cached;

use crate::stampede::fixture::{Fixture, results};

#[cached(key = "locked", ttl = 3600, lock(wait = "1h", lease = "1h"), skip(origin))]
async fn locked(origin: &Origin) -> usize {
    origin.load().await
}

#[cached(key = "unlocked", ttl = 3600, skip(origin))]
async fn unlocked(origin: &Origin) -> usize {
    origin.load().await
}

async fn a_thousand_callers_load_once(fixture: Fixture) {
    let origin = Origin::default();
    let callers = fixture.start(1_000, call!(locked, origin));
    origin.gate.entered(1).await;
    // These find the load under way, whatever became of the first ones meanwhile.
    let late = fixture.start(1_000, call!(locked, origin));
    origin.gate.open();
    assert_eq!(results(callers).await, [1; 1_000]);
    assert_eq!(results(late).await, [1; 1_000]);
    assert_eq!(origin.runs.get(), 1);
    let stats = stats(&fixture.cache, "locked");
    assert_eq!((stats.loads_ok, stats.fills_stored, stats.uncached.impatient), (1, 1, 0));
}

/// Within a process `lock` makes no difference.
async fn a_thousand_callers_without_a_lock_load_once(fixture: Fixture) {
    let origin = Origin::default();
    let callers = fixture.start(1_000, call!(unlocked, origin));
    origin.gate.entered(1).await;
    origin.gate.open();
    assert_eq!(results(callers).await, [1; 1_000]);
    assert_eq!(origin.runs.get(), 1);
}

/// The next one leads at once: neither the lease nor anybody's patience has run out.
async fn a_dropped_leader_is_replaced_at_once(fixture: Fixture) {
    let origin = Origin::default();
    let mut leader = fixture.start(1, call!(locked, origin));
    origin.gate.entered(1).await;
    let callers = fixture.start(100, call!(locked, origin));
    leader.remove(0).abort();
    origin.gate.entered(2).await;
    assert_eq!(origin.gate.inside(), 1);
    origin.gate.open();
    assert_eq!(results(callers).await, [2; 100]);
    assert_eq!(origin.runs.get(), 2);
    let stats = stats(&fixture.cache, "locked");
    assert_eq!((stats.loads_cancelled, stats.uncached.impatient), (1, 0));
}

/// However many leaders are dropped one after the other, whoever is left is served.
async fn leaders_dropped_in_a_row_are_replaced(fixture: Fixture) {
    let origin = Origin::default();
    let mut calls = fixture.start(8, call!(locked, origin));
    origin.gate.entered(1).await;
    let last = calls.pop().unwrap();
    for call in calls {
        call.abort();
    }
    origin.gate.open();
    results(vec![last]).await;
    assert_eq!(stats(&fixture.cache, "locked").uncached.impatient, 0);
}

#[cached(key = "panicking", ttl = 3600, lock(wait = "1h", lease = "1h"), skip(origin))]
async fn panicking(origin: &Origin) -> usize {
    let run = origin.load().await;
    assert!(run > 1, "the first run panics");
    run
}

/// By two waiters, as after any failure.
async fn a_panicking_leader_is_replaced_at_once(fixture: Fixture) {
    let origin = Origin::default();
    let leader = fixture.start(1, call!(panicking, origin)).remove(0);
    origin.gate.entered(1).await;
    let callers = fixture.start(100, call!(panicking, origin));
    origin.gate.open();
    assert!(leader.await.unwrap_err().is_panic());
    assert!(results(callers).await.iter().all(|run| [2, 3].contains(run)));
    assert_eq!(stats(&fixture.cache, "panicking").loads_cancelled, 1);
}

#[cached(key = "impatient", ttl = 3600, lock(wait = "20ms", lease = "1h"), skip(origin))]
async fn impatient(origin: &Origin) -> usize {
    origin.load().await
}

/// Who has waited long enough runs the body, and does not disturb the load that it waited for.
async fn the_impatient_help_themselves(fixture: Fixture) {
    let origin = Origin::default();
    let leader = fixture.start(1, call!(impatient, origin));
    origin.gate.entered(1).await;
    let callers = fixture.start(10, call!(impatient, origin));
    // The leader is still held.
    origin.gate.entered(11).await;
    origin.gate.open();
    let mut runs = results(callers).await;
    runs.sort_unstable();
    assert_eq!(runs, (2..=11).collect::<Vec<_>>());
    assert_eq!(results(leader).await, [1]);
    // It is the leader's value that was stored.
    assert_eq!(fixture.cache.get(&impatient_key()).await.unwrap(), Some(1));
    let stats = stats(&fixture.cache, "impatient");
    assert_eq!((stats.uncached.impatient, stats.fills_stored), (10, 1));
}

/// Different keys do not wait for each other.
async fn different_keys_load_in_parallel(fixture: Fixture) {
    let origin = Origin::default();
    let calls: Vec<_> = (0..50)
        .map(|id| {
            let origin = origin.clone();
            tokio::spawn(fixture.cache.scope(async move { of_many(&origin, id).await }))
        })
        .collect();
    origin.gate.entered(50).await;
    origin.gate.open();
    assert_eq!(results(calls).await, (0..50).collect::<Vec<_>>());
}

#[cached(key = "of-many:<id>", ttl = 3600, lock, skip(origin))]
async fn of_many(origin: &Origin, id: u64) -> u64 {
    origin.load().await;
    id
}

on_both_stores! {
    a_thousand_callers_load_once
    a_thousand_callers_without_a_lock_load_once
    a_dropped_leader_is_replaced_at_once
    leaders_dropped_in_a_row_are_replaced
    a_panicking_leader_is_replaced_at_once
    the_impatient_help_themselves
    different_keys_load_in_parallel
}
