//! Writes that meet the load of a batch: each entry by itself wins or stays.

use std::collections::HashMap;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{cached, invalidates};
use cache_testing::barrier::{Gate, eventually};

use crate::stage::{Database, Refused, Stage, row_key, rows, sorted, tens, write};

on_both_stores! {
    an_invalidation_during_the_load_wins_for_its_id
    a_plain_deletion_wins_for_its_id
    an_id_behind_a_fence_is_loaded_and_not_stored
    reads_inside_a_write_go_around_what_it_writes
    nothing_is_stored_if_told_so
}

async fn an_invalidation_during_the_load_wins_for_its_id(stage: Stage) {
    let gate = stage.db.hold();
    let batch = stage.start([1, 2, 3]);
    gate.entered(1).await;
    stage.cache.scope(write(&stage.db, 2, 21)).await.unwrap();
    stage.db.let_run();
    gate.open();
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1, 2, 3]), "read before the write");
    assert_eq!(stage.stored([1, 2, 3]).await, [Some(Some(10)), None, Some(Some(30))]);
    assert_eq!(stage.get([1, 2, 3]).await, [(1, 10), (2, 21), (3, 30)]);
}

async fn a_plain_deletion_wins_for_its_id(stage: Stage) {
    let gate = stage.db.hold();
    let batch = stage.start([1, 2]);
    gate.entered(1).await;
    stage.db.set(2, 21);
    match &stage.server {
        Some((_, client)) => assert!(client.del("row:2").await),
        None => stage.cache.invalidate(&row_key(&2)).await.unwrap(),
    }
    stage.db.let_run();
    gate.open();
    batch.await.unwrap().unwrap();
    assert_eq!(stage.stored([1, 2]).await, [Some(Some(10)), None]);
}

#[invalidates(row(id))]
async fn held_write(gate: &Gate, id: u64) -> Result<(), Refused> {
    _ = id;
    gate.pass().await;
    Ok(())
}

async fn an_id_behind_a_fence_is_loaded_and_not_stored(stage: Stage) {
    let gate = Gate::new();
    let held = gate.clone();
    let writing = stage.spawn(async move { held_write(&held, 2).await });
    gate.entered(1).await;
    assert_eq!(stage.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(stage.stored([1, 2, 3]).await, [Some(Some(10)), None, Some(Some(30))]);
    assert_eq!(stage.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(stage.db.loads(), [vec![1, 2, 3], vec![2]]);
    gate.open();
    writing.await.unwrap().unwrap();
    assert_eq!(stage.get([1, 2]).await, tens([1, 2]));
    assert_eq!(stage.stored([2]).await, [Some(Some(20))]);
}

#[invalidates(row(id))]
async fn write_and_look(db: &Database, id: u64, value: u64) -> Result<Vec<(u64, u64)>, Refused> {
    db.set(id, value);
    Ok(sorted(rows(db, &[id, id + 1]).await?))
}

async fn reads_inside_a_write_go_around_what_it_writes(stage: Stage) {
    stage.get([1, 2]).await;
    stage.db.loads();
    let seen = stage.cache.scope(write_and_look(&stage.db, 1, 11)).await;
    assert_eq!(seen, Ok(vec![(1, 11), (2, 20)]));
    assert_eq!(stage.db.loads(), [[1]], "the other one is found");
    assert_eq!(stage.stored([1, 2]).await, [None, Some(Some(20))]);
}

#[cached(
    batch(id in ids), key = row_key(id), when = !fresh, unless = |row: &Option<u64>| *row == Some(20),
    ttl = |row: &Option<u64>| std::time::Duration::from_secs(row.map_or(1, |row| row)), jitter = 0.5,
    max_concurrent_loads = 1, skip(fresh, db),
)]
async fn choosy(db: &Database, ids: &[u64], fresh: bool) -> Result<HashMap<u64, u64>, Refused> {
    _ = fresh;
    Ok(db.select(ids.iter().copied()).await?.into_iter().collect())
}

async fn nothing_is_stored_if_told_so(stage: Stage) {
    let read = |fresh| stage.cache.scope(choosy(&stage.db, &[1, 2, 3], fresh));
    assert_eq!(sorted(read(true).await.unwrap()), tens([1, 2, 3]));
    assert_eq!(stage.stored([1, 2, 3]).await, [None; 3]);
    assert_eq!(sorted(read(false).await.unwrap()), tens([1, 2, 3]));
    eventually!(stage.is_free([2]).await);
    assert_eq!(stage.stored([1, 2, 3]).await, [Some(Some(10)), None, Some(Some(30))]);
    if let Some((_, client)) = &stage.server {
        let left = client.pttl("row:3").await.unwrap();
        assert!((14_000..=30_000).contains(&left.as_millis()), "{left:?}");
    }
}
