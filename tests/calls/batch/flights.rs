//! Several callers at a time, held where it matters: batches that overlap, batches and single
//! reads, and two processes.

use std::time::Duration;

use cache_fixtures::stores::{OnStore as _, Store, on_both_stores};
use cache_fixtures::{patient, stats};
use cache_testing::barrier::eventually;
use cache_testing::within_limit;

use crate::batch::fixture::{Fixture, Refused, Table, rows, rows_or_none, sorted, tens, write};

on_both_stores! {
    batches_that_overlap_load_each_id_once
    a_batch_waits_for_a_single_read
    a_single_read_waits_for_a_batch
    crossing_batches_do_not_wait_for_each_other
    a_batch_lands_its_own_ids_before_it_waits
    an_error_is_shared_with_those_who_wait
    a_dropped_batch_hands_over_what_it_led
    a_panicking_batch_hands_over_what_it_led
    an_id_without_a_value_is_shared_with_a_single_read
    equal_keys_of_different_ids_do_not_wait_for_each_other
    patience_has_an_end
}

async fn batches_that_overlap_load_each_id_once(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let first = fixture.start([1, 2, 3]);
    gate.entered(1).await;
    let second = fixture.start([2, 3, 4]);
    gate.entered(2).await;
    assert_eq!(fixture.db.take_loads(), [vec![1, 2, 3], vec![4]]);
    gate.open();
    assert_eq!(sorted(first.await.unwrap().unwrap()), tens([1, 2, 3]));
    assert_eq!(sorted(second.await.unwrap().unwrap()), tens([2, 3, 4]));
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0]);
    assert_eq!(stats(&fixture.cache, "rows").outcomes.coalesced, 2);
}

async fn a_batch_waits_for_a_single_read(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let one = fixture.start_one(2);
    gate.entered(1).await;
    let batch = fixture.start([1, 2]);
    gate.entered(2).await;
    gate.open();
    assert_eq!(one.await.unwrap(), Ok(Some(20)));
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1, 2]));
    assert_eq!(fixture.db.take_loads(), [[2], [1]]);
}

async fn a_single_read_waits_for_a_batch(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let batch = fixture.start([1, 2]);
    gate.entered(1).await;
    let one = fixture.start_one(2);
    gate.open();
    assert_eq!(one.await.unwrap(), Ok(Some(20)));
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1, 2]));
    assert_eq!(fixture.db.take_loads(), [[1, 2]]);
}

/// Each leads an id that the other one asks for.
async fn crossing_batches_do_not_wait_for_each_other(fixture: Fixture) {
    for _ in 0..20 {
        let (one, two) = (fixture.start([1, 2, 3, 4]), fixture.start([4, 3, 2, 1]));
        let (three, four) = (fixture.start([2, 4, 5]), fixture.start([5, 1, 3]));
        for (batch, ids) in [
            (one, vec![1, 2, 3, 4]),
            (two, vec![1, 2, 3, 4]),
            (three, vec![2, 4, 5]),
            (four, vec![1, 3, 5]),
        ] {
            let rows = within_limit("a batch ends", batch).await.unwrap().unwrap();
            assert_eq!(sorted(rows), ids.iter().map(|id| (*id, 10 * id)).collect::<Vec<_>>());
        }
        let keys = [1, 2, 3, 4, 5].map(|id| crate::batch::fixture::row_key(&id));
        fixture.cache.invalidate(&keys).await.unwrap();
    }
}

/// What it has loaded does not wait for what it has not.
async fn a_batch_lands_its_own_ids_before_it_waits(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let one = fixture.start_one(2);
    gate.entered(1).await;
    fixture.db.let_loads_run();
    let batch = fixture.start([1, 2, 3]);
    eventually!(fixture.stored([1, 3]).await == [Some(Some(10)), Some(Some(30))]);
    assert!(!batch.is_finished(), "it waits for the other one");
    gate.open();
    assert_eq!(one.await.unwrap(), Ok(Some(20)));
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1, 2, 3]));
}

async fn an_error_is_shared_with_those_who_wait(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    fixture.db.fail(true);
    let batch = fixture.start([1, 2]);
    gate.entered(1).await;
    let (one, other) = (fixture.start_one(2), fixture.start([1, 3]));
    gate.entered(2).await;
    gate.open();
    assert_eq!(batch.await.unwrap(), Err(Refused));
    assert_eq!(one.await.unwrap(), Err(Refused));
    assert_eq!(other.await.unwrap(), Err(Refused));
}

async fn a_dropped_batch_hands_over_what_it_led(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let dropped = fixture.start([1, 2, 3]);
    gate.entered(1).await;
    let (one, other) = (fixture.start_one(1), fixture.start([2, 4]));
    gate.entered(2).await;
    fixture.db.let_loads_run();
    dropped.abort();
    assert_eq!(within_limit("it takes over", one).await.unwrap(), Ok(Some(10)));
    gate.open();
    assert_eq!(sorted(within_limit("so does it", other).await.unwrap().unwrap()), tens([2, 4]));
    eventually!(fixture.is_free([3]).await);
    let mut loads = fixture.db.take_loads();
    loads.sort();
    assert_eq!(loads, [vec![1], vec![1, 2, 3], vec![2], vec![4]]);
}

#[cache_runtime::cached(batch(id in ids), key = crate::batch::fixture::row_key(id), ttl = 60, skip(gate))]
async fn panicking(
    gate: &cache_testing::barrier::Gate,
    ids: &[u64],
) -> std::collections::HashMap<u64, u64> {
    gate.pass().await;
    panic!("{ids:?}");
}

async fn a_panicking_batch_hands_over_what_it_led(fixture: Fixture) {
    let gate = cache_testing::barrier::Gate::new();
    let held = gate.clone();
    let batch = fixture.spawn(async move { panicking(&held, &[1, 2]).await });
    gate.entered(1).await;
    let other = fixture.start([1, 2, 3]);
    eventually!(stats(&fixture.cache, "rows").loads_ok == 1);
    gate.open();
    assert!(batch.await.is_err());
    assert_eq!(
        sorted(within_limit("it takes over", other).await.unwrap().unwrap()),
        tens([1, 2, 3])
    );
    assert_eq!(stats(&fixture.cache, "panicking").loads_cancelled, 1);
}

async fn an_id_without_a_value_is_shared_with_a_single_read(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let batch = fixture.start([1, 77]);
    gate.entered(1).await;
    let one = fixture.start_one(77);
    // Nothing tells that it has joined; loads that come after it would show.
    tokio::task::yield_now().await;
    gate.open();
    assert_eq!(one.await.unwrap(), Ok(None));
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1]));
}

#[cache_runtime::cached(batch(id in ids), key = crate::batch::fixture::row_key(&(id / 100)), ttl = 60, skip(db))]
async fn hundreds(db: &Table, ids: &[u64]) -> std::collections::HashMap<u64, u64> {
    let rows = db.select_all(ids.iter().copied()).await;
    drop(rows);
    ids.iter().map(|id| (*id, id / 100)).collect()
}

async fn equal_keys_of_different_ids_do_not_wait_for_each_other(fixture: Fixture) {
    let read = fixture.cache.scope(hundreds(&fixture.db, &[100, 101, 202, 199]));
    let rows = within_limit("it ends", read).await;
    assert_eq!(sorted(rows), [(100, 1), (101, 1), (199, 1), (202, 2)]);
    assert_eq!(fixture.db.take_loads(), [[100, 202]], "one of them is loaded for all");
}

#[cache_runtime::cached(
    batch(id in ids),
    key = crate::batch::fixture::row_key(id),
    ttl = 60,
    lock(wait = "1ms"),
    skip(db),
)]
async fn impatient(db: &Table, ids: &[u64]) -> std::collections::HashMap<u64, u64> {
    db.select_all(ids.iter().copied()).await.unwrap().into_iter().collect()
}

async fn patience_has_an_end(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let held = fixture.start([1, 2]);
    gate.entered(1).await;
    fixture.db.let_loads_run();
    let rows = fixture.cache.scope(impatient(&fixture.db, &[1, 2, 3]));
    assert_eq!(sorted(within_limit("it helps itself", rows).await), tens([1, 2, 3]));
    gate.open();
    held.await.unwrap().unwrap();
}

/// Of two processes with a lock each loads what the other does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_wait_for_each_other() {
    let fixture = Fixture::redis().await;
    let other = fixture.other().unwrap();
    let gate = fixture.db.hold_loads();
    let db = fixture.db.clone();
    let here = fixture.spawn(async move { rows_or_none(&db, vec![1, 2, 77]).await });
    gate.entered(1).await;
    let db = fixture.db.clone();
    let there = tokio::spawn(other.scope(async move { rows_or_none(&db, vec![2, 3, 77]).await }));
    gate.entered(2).await;
    assert_eq!(fixture.db.take_loads(), [vec![1, 2, 77], vec![3]]);
    gate.open();
    assert_eq!(here.await.unwrap(), Ok(tens([1, 2])));
    assert_eq!(there.await.unwrap(), Ok(tens([2, 3])));
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0]);
    assert_eq!(stats(&other, "rows_or_none").lease_waits, 2);
}

/// Without one the other process loads too, and only who holds the lease stores.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_lock_the_lease_decides_who_stores() {
    let fixture = Fixture::redis().await;
    let other = fixture.other().unwrap();
    let gate = fixture.db.hold_loads();
    let here = fixture.start([1, 2]);
    gate.entered(1).await;
    fixture.db.set(2, 21);
    fixture.db.let_loads_run();
    let there = sorted(other.scope(rows(&fixture.db, &[2, 3])).await.unwrap());
    assert_eq!(there, [(2, 21), (3, 30)]);
    assert_eq!(fixture.stored([2, 3]).await, [None, Some(Some(30))]);
    gate.open();
    here.await.unwrap().unwrap();
    assert_eq!(fixture.stored([1, 2, 3]).await, [Some(Some(10)), Some(Some(20)), Some(Some(30))]);
}

/// A batch that takes longer than its leases keeps all of them.
#[tokio::test]
async fn leases_are_renewed_while_the_body_runs() {
    let store = Store::redis().await;
    // Longer than the machine stands still.
    let cache = store.connect(patient().lease(Duration::from_secs(6)));
    let fixture = Fixture { cache, db: Table::of(0..10), store };
    let gate = fixture.db.hold_loads();
    let batch = fixture.start([1, 2, 3]);
    gate.entered(1).await;
    let server = fixture.store.server().single();
    eventually!(server.commandstats().await.get("pexpire").is_some_and(|renewed| *renewed >= 9));
    gate.open();
    batch.await.unwrap().unwrap();
    assert_eq!(fixture.stored([1, 2, 3]).await, [Some(Some(10)), Some(Some(20)), Some(Some(30))]);
}

/// An id that is invalidated while it is loaded is loaded again for those who came after, and by
/// nobody else.
#[tokio::test]
async fn who_waits_after_an_invalidation_takes_over() {
    let fixture = Fixture::embedded();
    let gate = fixture.db.hold_loads();
    let old = fixture.start([1, 2]);
    gate.entered(1).await;
    fixture.db.let_loads_run();
    fixture.cache.scope(write(&fixture.db, 2, 21)).await.unwrap();
    assert_eq!(fixture.get([2, 3]).await, [(2, 21), (3, 30)], "starts anew");
    gate.open();
    old.await.unwrap().unwrap();
    assert_eq!(fixture.get([1, 2, 3]).await, [(1, 10), (2, 21), (3, 30)]);
}
