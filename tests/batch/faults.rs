//! Batches that are dropped, and servers that fail half-way.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, CacheBuilder};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;

use crate::stage::{Database, Stage, row, rows, sorted, stats, tens};

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

async fn wherever_it_is_dropped_a_batch_leaves_nothing_behind(stage: Stage) {
    // What the body waits for, so that it is dropped there as well.
    let gate = stage.db.hold();
    gate.open();
    let mut dropped = 0;
    for waits in 1.. {
        let id = u64::from(waits) * 10;
        for id in [id, id + 1, id + 2] {
            stage.db.set(id, 10 * id);
        }
        // One of them is there.
        stage.cache.scope(row(&stage.db, id + 2)).await.unwrap();
        let ids = [id, id + 1, id + 2];
        let ended = stage.cache.scope(dropped_after(waits, async {
            tokio::task::yield_now().await;
            rows(&stage.db, &ids).await
        }));
        let ended = ended.await;
        let again = within_limit("the next caller is served", stage.get(ids)).await;
        assert_eq!(again, tens(ids));
        eventually!(stage.is_free(ids).await);
        if ended {
            break;
        }
        dropped += 1;
    }
    assert!(dropped >= 1, "{dropped} were dropped");
}

/// A stage over a server that may fail.
async fn fallible(settings: CacheBuilder) -> Stage {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = settings.connect(&server.url()).unwrap();
    let stage = Stage { cache, db: Database::of(0..10), server: Some((server, client)) };
    eventually!({
        stage.get([9]).await;
        stage.stored([9]).await == [Some(Some(90))]
    });
    stage.db.loads();
    stage
}

#[tokio::test]
async fn without_a_server_the_body_runs_for_all() {
    let cache = Cache::connect("redis://127.0.0.1:1").unwrap();
    let db = Database::of(0..10);
    for _ in 0..3 {
        let found = within_limit("it ends", cache.scope(rows(&db, &[1, 2, 77]))).await;
        assert_eq!(sorted(found.unwrap()), tens([1, 2]));
        assert_eq!(db.loads(), [[1, 2, 77]]);
    }
}

#[tokio::test]
async fn without_a_cache_the_body_runs_for_all() {
    let db = Database::of(0..10);
    let found = Cache::disabled().scope(rows(&db, &[1, 2])).await;
    assert_eq!(sorted(found.unwrap()), tens([1, 2]));
}

#[tokio::test]
async fn a_server_killed_under_the_load_costs_nothing() {
    let stage = fallible(patient()).await;
    let gate = stage.db.hold();
    let batch = stage.start([1, 2, 9]);
    gate.entered(1).await;
    stage.server.as_ref().unwrap().0.kill();
    gate.open();
    let found = within_limit("it ends", batch).await.unwrap();
    assert_eq!(sorted(found.unwrap()), tens([1, 2, 9]));
    assert_eq!(stage.db.loads(), [[1, 2]]);
    stage.db.let_run();
    let found = within_limit("it ends", stage.get([1, 2, 9])).await;
    assert_eq!(found, tens([1, 2, 9]));
}

/// In every stage of a batch: it is held up for its budget and no longer.
#[tokio::test]
async fn a_frozen_server_costs_the_budget() {
    let stage = fallible(Cache::builder()).await;
    let (server, _) = stage.server.as_ref().unwrap();
    server.stop();
    let found = within_limit("it ends", stage.get([1, 2, 9])).await;
    assert_eq!(found, tens([1, 2, 9]));
    assert_eq!(stage.db.loads(), [[1, 2, 9]]);
    server.cont();
    eventually!({
        stage.get([1, 2]).await;
        stage.stored([1, 2]).await == [Some(Some(10)), Some(Some(20))]
    });

    let gate = stage.db.hold();
    let batch = stage.start([3, 4, 9]);
    gate.entered(1).await;
    server.stop();
    gate.open();
    let found = within_limit("it ends", batch).await.unwrap();
    assert_eq!(sorted(found.unwrap()), tens([3, 4, 9]));
    server.cont();
    eventually!({
        stage.get([3, 4]).await;
        stage.stored([3, 4]).await == [Some(Some(30)), Some(Some(40))]
    });
}

/// A key that holds something else, or a script that is refused, is that key's own affair.
#[tokio::test]
async fn a_fault_of_one_key_is_not_that_of_the_others() {
    let stage = fallible(patient()).await;
    let (_, client) = stage.server.as_ref().unwrap();
    client.set("row:1", "somebody else's").await;
    let _: i64 = client.run(&["RPUSH", "row:2", "a list"]).await;
    for _ in 0..2 {
        assert_eq!(stage.get([1, 2, 3, 4]).await, tens([1, 2, 3, 4]));
    }
    assert_eq!(stage.db.loads(), [vec![1, 2, 3, 4], vec![1, 2]]);
    assert_eq!(client.get("row:1").await.unwrap(), b"somebody else's");
    assert_eq!(stats(&stage.cache, "rows").foreign, 4);
    client.script_flush().await;
    assert_eq!(stage.get([5, 6]).await, tens([5, 6]));
    assert_eq!(stage.stored([5, 6]).await, [Some(Some(50)), Some(Some(60))]);
}

/// What is not delivered yet counts as done: such an id is loaded, the others are found.
#[tokio::test]
async fn an_undelivered_invalidation_is_heeded() {
    let stage = fallible(Cache::builder()).await;
    stage.get([1, 2]).await;
    let (server, _) = stage.server.as_ref().unwrap();
    server.stop();
    stage.db.set(1, 11);
    stage.cache.invalidate(&crate::stage::row_key(&1)).await.unwrap_err();
    assert_eq!(stage.get([1]).await, [(1, 11)]);
    server.cont();
    eventually!(stage.get([1, 2]).await == [(1, 11), (2, 20)]);
    within_limit("it is delivered", stage.cache.flush(Duration::from_secs(60))).await.unwrap();
    assert_eq!(stage.get([1, 2]).await, [(1, 11), (2, 20)]);
}
