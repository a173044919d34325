//! Batches of entries that have tags.

use std::collections::BTreeMap;

use cache_fixtures::stores::{OnStore as _, on_both_stores};
use cache_runtime::{cached, invalidates, write_through};
use cache_testing::barrier::eventually;
use tokio::task::JoinHandle;

use crate::batch::fixture::{Fixture, Refused, Table, sorted, tens};

/// Members by their ids: those with an odd one are in group 1, the others in group 0.
#[cached(key = "member:<id>", ttl = 3600, tags = ["group:<group>", "members"], skip(group, db))]
async fn member(db: &Table, group: u64, id: u64) -> Result<u64, Refused> {
    db.select_all([id]).await?.remove(&id).ok_or(Refused)
}

/// The same entries, and so the same tags, many at once.
#[cached(batch(id in ids), key = member_key(&(id % 2), id), ttl = 3600, skip(db))]
async fn members(db: &Table, ids: &[u64]) -> Result<BTreeMap<u64, u64>, Refused> {
    Ok(db.select_all(ids.iter().copied()).await?)
}

/// Entries and tags of its own: one for each id, and one that all of a call have.
#[cached(
    batch(id in ids),
    key = "guest:<id>",
    ttl = 3600,
    tags = ["guest:<id>", "house:<house>"],
    skip(house, db),
)]
async fn guests(db: &Table, house: u64, ids: Vec<u64>) -> Result<Vec<(u64, u64)>, Refused> {
    Ok(db.select_all(ids).await?.into_iter().collect())
}

#[invalidates(tag = "group:<group>")]
async fn write_group(db: &Table, group: u64, id: u64, value: u64) {
    _ = group;
    db.set(id, value);
}

#[invalidates(each(id in ids) tag = "guest:<id>")]
async fn write_guests(ids: &[u64]) {
    _ = ids;
}

#[write_through(member(1, id), invalidates(each(other in others) member(other % 2, other)))]
async fn promote(db: &Table, id: u64, others: &[u64], value: u64) -> Result<u64, Refused> {
    _ = others;
    db.set(id, value);
    Ok(value)
}

impl Fixture {
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

async fn a_tag_makes_exactly_its_ids_misses(fixture: Fixture) {
    assert_eq!(fixture.members([1, 2, 3, 4]).await, tens([1, 2, 3, 4]));
    assert_eq!(fixture.members([4, 3, 2, 1]).await, tens([1, 2, 3, 4]));
    assert_eq!(fixture.db.take_loads(), [[1, 2, 3, 4]], "all are hits");

    fixture.cache.scope(write_group(&fixture.db, 1, 3, 31)).await;
    assert_eq!(fixture.stored_members([1, 2, 3, 4]).await, [None, Some(20), None, Some(40)]);
    assert_eq!(fixture.members([1, 2, 3, 4]).await, [(1, 10), (2, 20), (3, 31), (4, 40)]);
    assert_eq!(fixture.members([1, 2, 3, 4]).await, [(1, 10), (2, 20), (3, 31), (4, 40)]);
    assert_eq!(fixture.db.take_loads(), [[1, 3]], "once, and they are hits again");

    fixture.cache.invalidate_tag("members").await.unwrap();
    fixture.members([1, 2, 3, 4]).await;
    assert_eq!(fixture.db.take_loads(), [[1, 2, 3, 4]]);
}

async fn a_tag_of_one_id_and_one_of_all(fixture: Fixture) {
    fixture.guests(7, [1, 2, 3]).await;
    fixture.guests(8, [4]).await;
    fixture.db.take_loads();
    fixture.cache.scope(write_guests(&[1, 3])).await;
    assert_eq!(fixture.guests(7, [1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[1, 3]]);
    fixture.cache.invalidate_tag("house:7").await.unwrap();
    assert_eq!(fixture.guests(8, [4]).await, tens([4]));
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0], "another house");
    assert_eq!(fixture.guests(7, [1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[1, 2, 3]]);
}

async fn a_tag_invalidated_during_the_load_wins(fixture: Fixture) {
    let gate = fixture.db.hold_loads();
    let batch = fixture.start_members([1, 2, 3]);
    gate.entered(1).await;
    fixture.cache.scope(write_group(&fixture.db, 1, 3, 31)).await;
    fixture.db.let_loads_run();
    gate.open();
    assert_eq!(sorted(batch.await.unwrap().unwrap()), tens([1, 2, 3]), "read before the write");
    assert_eq!(fixture.stored_members([1, 2, 3]).await, [None, Some(20), None]);
    assert_eq!(fixture.members([1, 2, 3]).await, [(1, 10), (2, 20), (3, 31)]);
    assert_eq!(fixture.db.take_loads(), [vec![1, 2, 3], vec![1, 3]]);
    eventually!(fixture.stored_members([1, 2, 3]).await == [Some(10), Some(20), Some(31)]);
}

async fn a_member_is_one_entry_for_both(fixture: Fixture) {
    fixture.members([1, 2]).await;
    assert_eq!(fixture.cache.scope(member(&fixture.db, 1, 1)).await, Ok(10));
    assert_eq!(fixture.cache.scope(member(&fixture.db, 1, 3)).await, Ok(30));
    assert_eq!(fixture.members([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [vec![1, 2], vec![3]]);
}

async fn a_write_through_invalidates_each_of_many(fixture: Fixture) {
    fixture.members([1, 2, 3, 4]).await;
    fixture.db.take_loads();
    assert_eq!(fixture.cache.scope(promote(&fixture.db, 1, &[2, 3], 11)).await, Ok(11));
    assert_eq!(fixture.stored_members([1, 2, 3, 4]).await, [Some(11), None, None, Some(40)]);
    assert_eq!(fixture.members([1, 2, 3, 4]).await, [(1, 11), (2, 20), (3, 30), (4, 40)]);
    assert_eq!(fixture.db.take_loads(), [[2, 3]]);
}

/// The tags that many entries have in common are asked for once, with the entries.
#[tokio::test]
async fn a_hundred_tagged_hits_are_one_mget() {
    let fixture = Fixture { db: Table::of(0..100), ..Fixture::redis().await };
    let ids: Vec<u64> = (0..100).collect();
    let read = || fixture.cache.scope(members(&fixture.db, &ids));
    assert_eq!(read().await.unwrap().len(), 100);
    let server = fixture.store.server().single();
    server.reset_commandstats().await;
    assert_eq!(read().await.unwrap().len(), 100);
    let sent = server.commandstats().await;
    assert_eq!(sent, BTreeMap::from([("mget".to_owned(), 1)]));
    assert_eq!(fixture.db.take_loads().len(), 1);
}
