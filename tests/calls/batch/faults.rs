//! Batches that are dropped, and servers that fail half-way.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cache_fixtures::stores::{Store, on_both_stores};
use cache_fixtures::{patient, stats};
use cache_runtime::{Cache, CacheBuilder};
use cache_testing::barrier::eventually;
use cache_testing::within_limit;

use crate::batch::fixture::{Fixture, Table, row, rows, sorted, tens};

on_both_stores! {
    wherever_it_is_dropped_a_batch_leaves_nothing_behind
}

/// Polls a future until it has waited so often; whether it came to its end.
async fn dropped_after<F: Future>(waits: u32, future: F) -> bool {
    let mut future = pin!(future);
    let mut waited = 0;
    poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        waited += 1;
        if waited == waits { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

async fn wherever_it_is_dropped_a_batch_leaves_nothing_behind(fixture: Fixture) {
    // What the body waits for, so that it is dropped there as well.
    let gate = fixture.db.hold_loads();
    gate.open();
    let mut dropped = 0;
    for waits in 1.. {
        let id = u64::from(waits) * 10;
        for id in [id, id + 1, id + 2] {
            fixture.db.set(id, 10 * id);
        }
        // One of them is there.
        fixture.cache.scope(row(&fixture.db, id + 2)).await.unwrap();
        let ids = [id, id + 1, id + 2];
        let ended = fixture.cache.scope(dropped_after(waits, async {
            tokio::task::yield_now().await;
            rows(&fixture.db, &ids).await
        }));
        let ended = ended.await;
        let again = within_limit("the next caller is served", fixture.get(ids)).await;
        assert_eq!(again, tens(ids));
        eventually!(fixture.is_free(ids).await);
        if ended {
            break;
        }
        dropped += 1;
    }
    assert!(dropped >= 1, "{dropped} were dropped");
}

/// A cache over a server that may fail.
async fn fallible(settings: CacheBuilder) -> Fixture {
    let store = Store::redis().await;
    let fixture = Fixture { cache: store.connect(settings), db: Table::of(0..10), store };
    eventually!({
        fixture.get([9]).await;
        fixture.stored([9]).await == [Some(Some(90))]
    });
    fixture.db.take_loads();
    fixture
}

#[tokio::test]
async fn without_a_server_the_body_runs_for_all() {
    let cache = Cache::connect("redis://127.0.0.1:1").unwrap();
    let db = Table::of(0..10);
    for _ in 0..3 {
        let found = within_limit("it ends", cache.scope(rows(&db, &[1, 2, 77]))).await;
        assert_eq!(sorted(found.unwrap()), tens([1, 2]));
        assert_eq!(db.take_loads(), [[1, 2, 77]]);
    }
}

#[tokio::test]
async fn without_a_cache_the_body_runs_for_all() {
    let db = Table::of(0..10);
    let found = Cache::disabled().scope(rows(&db, &[1, 2])).await;
    assert_eq!(sorted(found.unwrap()), tens([1, 2]));
}

#[tokio::test]
async fn a_server_killed_under_the_load_costs_nothing() {
    let fixture = fallible(patient()).await;
    let gate = fixture.db.hold_loads();
    let batch = fixture.start([1, 2, 9]);
    gate.entered(1).await;
    fixture.store.server().single().kill();
    gate.open();
    let found = within_limit("it ends", batch).await.unwrap();
    assert_eq!(sorted(found.unwrap()), tens([1, 2, 9]));
    assert_eq!(fixture.db.take_loads(), [[1, 2]]);
    fixture.db.let_loads_run();
    let found = within_limit("it ends", fixture.get([1, 2, 9])).await;
    assert_eq!(found, tens([1, 2, 9]));
}

/// In every phase of a batch: it is held up for its budget and no longer.
#[tokio::test]
async fn a_frozen_server_costs_the_budget() {
    let fixture = fallible(Cache::builder()).await;
    let server = fixture.store.server().single();
    server.stop();
    let found = within_limit("it ends", fixture.get([1, 2, 9])).await;
    assert_eq!(found, tens([1, 2, 9]));
    assert_eq!(fixture.db.take_loads(), [[1, 2, 9]]);
    server.cont();
    eventually!({
        fixture.get([1, 2]).await;
        fixture.stored([1, 2]).await == [Some(Some(10)), Some(Some(20))]
    });

    let gate = fixture.db.hold_loads();
    let batch = fixture.start([3, 4, 9]);
    gate.entered(1).await;
    server.stop();
    gate.open();
    let found = within_limit("it ends", batch).await.unwrap();
    assert_eq!(sorted(found.unwrap()), tens([3, 4, 9]));
    server.cont();
    eventually!({
        fixture.get([3, 4]).await;
        fixture.stored([3, 4]).await == [Some(Some(30)), Some(Some(40))]
    });
}

/// A key that holds something else, or a script that is refused, is that key's own affair.
#[tokio::test]
async fn a_fault_of_one_key_is_not_that_of_the_others() {
    let fixture = fallible(patient()).await;
    let client = fixture.store.client();
    client.set("row:1", "somebody else's").await;
    let _: i64 = client.run(&["RPUSH", "row:2", "a list"]).await;
    for _ in 0..2 {
        assert_eq!(fixture.get([1, 2, 3, 4]).await, tens([1, 2, 3, 4]));
    }
    assert_eq!(fixture.db.take_loads(), [vec![1, 2, 3, 4], vec![1, 2]]);
    assert_eq!(client.get("row:1").await.unwrap(), b"somebody else's");
    // `MGET` takes the list for nothing.
    let misses = stats(&fixture.cache, "rows").misses;
    assert_eq!((misses.foreign, misses.absent), (2, 5));
    client.script_flush().await;
    assert_eq!(fixture.get([5, 6]).await, tens([5, 6]));
    assert_eq!(fixture.stored([5, 6]).await, [Some(Some(50)), Some(Some(60))]);
}

/// What is not delivered yet counts as done: such an id is loaded, the others are found.
#[tokio::test]
async fn an_undelivered_invalidation_is_heeded() {
    let fixture = fallible(Cache::builder()).await;
    fixture.get([1, 2]).await;
    let server = fixture.store.server().single();
    server.stop();
    fixture.db.set(1, 11);
    fixture.cache.invalidate(&crate::batch::fixture::row_key(&1)).await.unwrap_err();
    assert_eq!(fixture.get([1]).await, [(1, 11)]);
    server.cont();
    eventually!(fixture.get([1, 2]).await == [(1, 11), (2, 20)]);
    within_limit("it is delivered", fixture.cache.flush(Duration::from_secs(60))).await.unwrap();
    assert_eq!(fixture.get([1, 2]).await, [(1, 11), (2, 20)]);
}
