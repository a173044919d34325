//! Batches of entries that have tags.

use std::collections::BTreeMap;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{cached, invalidates, write_through};
use cache_testing::barrier::eventually;
use tokio::task::JoinHandle;

use crate::stage::{Database, Refused, Stage, sorted, tens};

/// Members by their ids: those with an odd one are in group 1, the others in group 0.
#[cached(key = "member:<id>", ttl = 3600, tags = ["group:<group>", "members"], skip(group, db))]
async fn member(db: &Database, group: u64, id: u64) -> Result<u64, Refused> {
    db.select([id]).await?.remove(&id).ok_or(Refused)
}

/// The same entries, and so the same tags, many at once.
#[cached(batch(id in ids), key = member_key(&(id % 2), id), ttl = 3600, skip(db))]
async fn members(db: &Database, ids: &[u64]) -> Result<BTreeMap<u64, u64>, Refused> {
    db.select(ids.iter().copied()).await
}

/// Entries and tags of its own: one for each id, and one that all of a call have.
#[cached(
    batch(id in ids),
    key = "guest:<id>",
    ttl = 3600,
    tags = ["guest:<id>", "house:<house>"],
    skip(house, db),
)]
async fn guests(db: &Database, house: u64, ids: Vec<u64>) -> Result<Vec<(u64, u64)>, Refused> {
    Ok(db.select(ids).await?.into_iter().collect())
}

#[invalidates(tag = "group:<group>")]
async fn write_group(db: &Database, group: u64, id: u64, value: u64) {
    _ = group;
    db.set(id, value);
}

#[invalidates(each(id in ids) tag = "guest:<id>")]
async fn write_guests(ids: &[u64]) {
    _ = ids;
}

#[write_through(member(1, id), invalidates(each(other in others) member(other % 2, other)))]
async fn promote(db: &Database, id: u64, others: &[u64], value: u64) -> Result<u64, Refused> {
    _ = others;
    db.set(id, value);
    Ok(value)
}

impl Stage {
    async fn members<const N: usize>(&self, ids: [u64; N]) -> Vec<(u64, u64)> {
        sorted(self.cache.scope(members(&self.db, &ids)).await.unwrap())
    }

    fn start_members<const N: usize>(
        &self,
        ids: [u64; N],
    ) -> JoinHandle<Result<BTreeMap<u64, u64>, Refused>> {
        let db = self.db.clone();
        self.spawn(async move { members(&db, &ids).await })
    }

    async fn guests<const N: usize>(&self, house: u64, ids: [u64; N]) -> Vec<(u64, u64)> {
        self.cache.scope(guests(&self.db, house, ids.into())).await.unwrap()
    }

    async fn stored_members<const N: usize>(&self, ids: [u64; N]) -> [Option<u64>; N] {
        let mut stored = [None; N];
        for (place, id) in stored.iter_mut().zip(ids) {
            *place = self.cache.get(&member_key(&(id % 2), &id)).await.unwrap();
        }
        stored
    }
}

on_both_stores! {
    a_tag_makes_exactly_its_ids_misses
    a_tag_of_one_id_and_one_of_all
    a_tag_invalidated_during_the_load_wins
    a_member_is_one_entry_for_both
    a_write_through_invalidates_each_of_many
}

async fn a_tag_makes_exactly_its_ids_misses(stage: Stage) {
    assert_eq!(stage.members([1, 2, 3, 4]).await, tens([1, 2, 3, 4]));
    assert_eq!(stage.members([4, 3, 2, 1]).await, tens([1, 2, 3, 4]));
    assert_eq!(stage.db.loads(), [[1, 2, 3, 4]], "all are hits");

    stage.cache.scope(write_group(&stage.db, 1, 3, 31)).await;
    assert_eq!(stage.stored_members([1, 2, 3, 4]).await, [None, Some(20), None, Some(40)]);
    assert_eq!(stage.members([1, 2, 3, 4]).await, [(1, 10), (2, 20), (3, 31), (4, 40)]);
    assert_eq!(stage.members([1, 2, 3, 4]).await, [(1, 10), (2, 20), (3, 31), (4, 40)]);
    assert_eq!(stage.db.loads(), [[1, 3]], "once, and they are hits again");

    stage.cache.invalidate_tag("members").await.unwrap();
    stage.members([1, 2, 3, 4]).await;
    assert_eq!(stage.db.loads(), [[1, 2, 3, 4]]);
}

async fn a_tag_of_one_id_and_one_of_all(stage: Stage) {
    stage.guests(7, [1, 2, 3]).await;
    stage.guests(8, [4]).await;
    stage.db.loads();
    stage.cache.scope(write_guests(&[1, 3])).await;
    assert_eq!(stage.guests(7, [1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(stage.db.loads(), [[1, 3]]);
    stage.cache.invalidate_tag("house:7").await.unwrap();
    assert_eq!(stage.guests(8, [4]).await, tens([4]));
    assert_eq!(stage.db.loads(), [[0; 0]; 0], "another house");
    assert_eq!(stage.guests(7, [1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(stage.db.loads(), [[1, 2, 3]]);
}

async fn a_tag_invalidated_during_the_load_wins(stage: Stage) {
    let gate = stage.db.hold();
    let batch = stage.start_members([1, 2, 3]);
    gate.entered(1).await;
    stage.cache.scope(write_group(&stage.db, 1, 3, 31)).await;
    stage.db.let_run();
    gate.open();
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1, 2, 3]), "read before the write");
    assert_eq!(stage.stored_members([1, 2, 3]).await, [None, Some(20), None]);
    assert_eq!(stage.members([1, 2, 3]).await, [(1, 10), (2, 20), (3, 31)]);
    assert_eq!(stage.db.loads(), [vec![1, 2, 3], vec![1, 3]]);
    eventually!(stage.stored_members([1, 2, 3]).await == [Some(10), Some(20), Some(31)]);
}

async fn a_member_is_one_entry_for_both(stage: Stage) {
    stage.members([1, 2]).await;
    assert_eq!(stage.cache.scope(member(&stage.db, 1, 1)).await, Ok(10));
    assert_eq!(stage.cache.scope(member(&stage.db, 1, 3)).await, Ok(30));
    assert_eq!(stage.members([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(stage.db.loads(), [vec![1, 2], vec![3]]);
}

async fn a_write_through_invalidates_each_of_many(stage: Stage) {
    stage.members([1, 2, 3, 4]).await;
    stage.db.loads();
    assert_eq!(stage.cache.scope(promote(&stage.db, 1, &[2, 3], 11)).await, Ok(11));
    assert_eq!(stage.stored_members([1, 2, 3, 4]).await, [Some(11), None, None, Some(40)]);
    assert_eq!(stage.members([1, 2, 3, 4]).await, [(1, 11), (2, 20), (3, 30), (4, 40)]);
    assert_eq!(stage.db.loads(), [[2, 3]]);
}

/// The tags that many entries have in common are asked for once, with the entries.
#[tokio::test]
async fn a_hundred_tagged_hits_are_one_mget() {
    let stage = Stage { db: Database::of(0..100), ..Stage::redis().await };
    let ids: Vec<u64> = (0..100).collect();
    let read = || stage.cache.scope(members(&stage.db, &ids));
    assert_eq!(read().await.unwrap().len(), 100);
    let (server, _) = stage.server.as_ref().unwrap();
    server.reset_commandstats().await;
    assert_eq!(read().await.unwrap().len(), 100);
    let sent = server.commandstats().await;
    assert_eq!(sent, BTreeMap::from([("mget".to_owned(), 1)]));
    assert_eq!(stage.db.loads().len(), 1);
}
