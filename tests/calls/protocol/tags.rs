//! Entries that are invalidated together.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore as _, on_all_stores};
use cache_runtime::{CallExt as _, Key, Tag, cached, invalidates, write_through};
use cache_testing::barrier::eventually;
use cache_testing::within_limit;

use crate::protocol::fixture::{Fixture, Refused, Table};

#[cached(key = "member:<id>", ttl = 3600, tags = ["group:<group>", "members"], skip(group, db))]
async fn member(db: &Table, group: u64, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

/// The same entry in the next version of the program, whose author has given up one of the tags.
#[cached(key = "member:<id>", ttl = 3600, tags = ["group:<group>"], skip(group, db))]
async fn later_member(db: &Table, group: u64, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

/// And in the one after that.
#[cached(key = "member:<id>", ttl = 3600, skip(db))]
async fn untagged_member(db: &Table, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

/// A function that shares the entry, tags and all.
#[cached(key = member_key(&group, &id), ttl = 3600, lock, skip(db))]
async fn locked_member(db: &Table, group: u64, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

#[invalidates(tag = "group:<group>")]
async fn write_group(db: &Table, group: u64, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

#[invalidates(tag = "group:<group>", fence = "off")]
async fn write_unfenced(db: &Table, group: u64, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

/// Finds out the group from the row.
#[invalidates(tag = "group:<result>")]
async fn write_and_tell(db: &Table, group: u64, id: u64, value: u64) -> Result<u64, Refused> {
    db.update(id, value).await;
    Ok(group)
}

#[invalidates(tag = group_tag(group), each(group in groups) tag = "group:<group>")]
async fn write_groups(db: &Table, group: u64, groups: &[u64]) {
    _ = (db, groups, group);
}

#[write_through(member(group, id))]
async fn save(db: &Table, group: u64, id: u64, value: u64) -> Result<u64, Refused> {
    db.update(id, value).await;
    Ok(value)
}

fn group_tag(group: u64) -> Tag {
    Tag::builder().text("group:").part(&group).done()
}

impl Fixture {
    /// Reads a member of group 1.
    async fn member(&self, id: u64) -> u64 {
        self.cache.scope(member(&self.db, 1, id)).await.unwrap()
    }

    fn spawn_member(&self, id: u64) -> tokio::task::JoinHandle<Result<u64, Refused>> {
        let db = self.db.clone();
        self.spawn(async move { member(&db, 1, id).await })
    }

    async fn stored_member(&self, id: u64) -> Option<u64> {
        self.cache.get(&member_key(&1, &id)).await.unwrap()
    }
}

/// Polls a call once: it has come as far as to wait.
async fn begin<F: Future>(mut call: Pin<&mut F>) {
    let first = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
    assert!(first.await, "it waits");
}

/// How a tag is invalidated.
#[derive(Clone, Copy, Debug)]
enum Invalidation {
    Macro,
    Unfenced,
    ByResult,
    ByHand,
    OtherTag,
    ByPattern,
    Del,
}

use Invalidation::{ByHand, ByPattern, ByResult, Del, Macro, OtherTag, Unfenced};

impl Invalidation {
    fn all(fixture: &Fixture) -> impl Iterator<Item = Self> {
        let del = fixture.store.is_shared().then_some(Del);
        [Macro, Unfenced, ByResult, ByHand, OtherTag, ByPattern].into_iter().chain(del)
    }

    /// Writes a member of group 1, and invalidates.
    async fn write(self, fixture: &Fixture, id: u64, value: u64) {
        let (cache, db) = (&fixture.cache, &fixture.db);
        match self {
            Macro => cache.scope(write_group(db, 1, id, value)).await.unwrap(),
            Unfenced => cache.scope(write_unfenced(db, 1, id, value)).await.unwrap(),
            ByResult => _ = cache.scope(write_and_tell(db, 1, id, value)).await.unwrap(),
            ByHand | OtherTag | ByPattern | Del => db.set(id, value),
        }
        match self {
            Macro | Unfenced | ByResult => {}
            ByHand => cache.invalidate_tag(group_tag(1)).await.unwrap(),
            OtherTag => cache.invalidate_tag("members").await.unwrap(),
            ByPattern => _ = cache.invalidate_matching("~tag:group:*").await.unwrap(),
            Del => {
                let client = fixture.store.client();
                assert!(client.del("~tag:group:1").await);
            }
        }
    }
}

async fn a_tag_reaches_all_its_entries_and_no_others(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    (1..=3).for_each(|id| db.set(id, id));
    let read_all = async || {
        for (group, id) in [(1, 1), (1, 2), (2, 3)] {
            cache.scope(member(db, group, id)).await.unwrap();
        }
        db.loads()
    };
    assert_eq!(read_all().await, 3);
    assert_eq!(read_all().await, 3, "all are hits");
    for (round, invalidation) in Invalidation::all(&fixture).enumerate() {
        let before = db.loads();
        invalidation.write(&fixture, 1, 10 + round as u64).await;
        assert_eq!(fixture.stored_member(1).await, None, "{invalidation:?}");
        assert_eq!(fixture.stored_member(2).await, None, "{invalidation:?}");
        let all = matches!(invalidation, OtherTag | ByPattern);
        assert_eq!(read_all().await - before, if all { 3 } else { 2 }, "{invalidation:?}");
        assert_eq!(fixture.stored_member(1).await, Some(10 + round as u64));
    }
    let before = db.loads();
    cache.invalidate((&group_tag(1), &member_key(&2, &3))).await.unwrap();
    assert_eq!(read_all().await - before, 3, "tags and keys together");
    cache.scope(write_groups(db, 2, &[1, 5])).await;
    assert_eq!(read_all().await - before, 6, "each");
    assert_eq!(cache.invalidate_matching("member:*").await.unwrap(), 3, "no tags");
}

/// What was loaded before a tag was invalidated is never found after it.
async fn a_load_under_way_is_invalidated_with_its_tag(fixture: Fixture) {
    for (round, invalidation) in Invalidation::all(&fixture).enumerate() {
        let (old, new) = (2 * round as u64, 2 * round as u64 + 1);
        fixture.db.set(1, old);
        fixture.cache.invalidate(&member_key(&1, &1)).await.unwrap();

        let gate = fixture.db.hold_loads();
        let early = fixture.spawn_member(1);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, 1, new).await;
        gate.open();
        assert_eq!(early.await.unwrap().unwrap(), old, "{invalidation:?}");
        assert_eq!(fixture.stored_member(1).await, None, "{invalidation:?}");
        assert_eq!(fixture.member(1).await, new, "{invalidation:?}");
        assert_eq!(fixture.stored_member(1).await, Some(new), "{invalidation:?}");
    }
}

/// A fill that is accepted says nothing about tags: who joined after one was invalidated does not
/// get its value.
async fn a_waiter_gets_nothing_that_a_tag_invalidated_before_it_came(fixture: Fixture) {
    for (round, invalidation) in Invalidation::all(&fixture).enumerate() {
        if matches!(invalidation, ByPattern) {
            continue; // Nobody joins a load that is older than one of those.
        }
        let (old, new) = (2 * round as u64, 2 * round as u64 + 1);
        fixture.db.set(1, old);
        fixture.cache.invalidate(&member_key(&1, &1)).await.unwrap();

        let gate = fixture.db.hold_loads();
        let leader = fixture.spawn_member(1);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, 1, new).await;
        let late = fixture.cache.scope(member(&fixture.db, 1, 1));
        let mut late = Box::pin(late);
        begin(late.as_mut()).await;
        gate.open();
        assert_eq!(
            within_limit("the one who came late", late).await.unwrap(),
            new,
            "{invalidation:?}"
        );
        assert_eq!(leader.await.unwrap().unwrap(), old, "{invalidation:?}");
    }
}

/// Where no tag was invalidated, they share as ever.
async fn waiters_share_a_load(fixture: Fixture) {
    fixture.db.set(1, 1);
    let gate = fixture.db.hold_loads();
    let leader = fixture.spawn_member(1);
    gate.entered(1).await;
    let mut late = Box::pin(fixture.cache.scope(member(&fixture.db, 1, 1)));
    begin(late.as_mut()).await;
    gate.open();
    assert_eq!(within_limit("the one who came late", late).await.unwrap(), 1);
    leader.await.unwrap().unwrap();
    assert_eq!(fixture.db.loads(), 1);
}

/// From before the commit on, and until the write has ended, entries with the tag are loaded and
/// not stored.
async fn behind_the_fence_of_a_tag_nothing_is_stored(fixture: Fixture) {
    fixture.db.set(1, 1);
    fixture.member(1).await;
    let gate = fixture.db.hold_writes();
    let db = fixture.db.clone();
    let write = fixture.spawn(async move { write_group(&db, 1, 1, 2).await });
    gate.entered(1).await;
    for loads in 2..5 {
        assert_eq!(fixture.member(1).await, 2);
        assert_eq!(fixture.stored_member(1).await, None);
        assert_eq!(fixture.db.loads(), loads);
    }
    fixture.cache.put(&member_key(&1, &1), &1).await.unwrap();
    assert_eq!(fixture.stored_member(1).await, None, "nor by hand");
    gate.open();
    write.await.unwrap().unwrap();
    assert_eq!(fixture.member(1).await, 2);
    assert_eq!(fixture.stored_member(1).await, Some(2));
}

/// A write that reads what it is about to invalidate sees its own row and shares it with nobody.
async fn inside_the_write_its_tag_is_bypassed(fixture: Fixture) {
    #[invalidates(tag = "group:<group>")]
    async fn read_between(db: &Table, group: u64) -> u64 {
        member(db, group, 1).await.unwrap()
    }
    fixture.db.set(1, 1);
    fixture.member(1).await;
    fixture.cache.scope(read_between(&fixture.db, 1)).await;
    assert_eq!(fixture.db.loads(), 2);
    let stats = fixture.cache.stats();
    assert_eq!(stats.function("member").unwrap().outcomes.bypassed, 1);
}

/// A writer that dies after its commit leaves the fence. While it stands nothing is stored, and
/// then nothing old is found.
async fn a_writer_that_dies_leaves_nothing_stale(fixture: Fixture) {
    let builder = patient().fence(Duration::from_secs(3));
    let cache = match fixture.store.remote() {
        Some((server, _)) => builder.connect(&server.url()).unwrap(),
        None => builder.connect("memory:").unwrap(),
    };
    let fixture = Fixture { cache, ..fixture };
    fixture.db.set(1, 1);
    fixture.member(1).await;
    let gate = fixture.db.hold_writes();
    let mut write = Box::pin(fixture.cache.scope(write_group(&fixture.db, 1, 1, 2)));
    tokio::select! {
        _ = write.as_mut() => unreachable!("it is held"),
        () = gate.entered(1) => {}
    }
    // Not dropped, which a process has no time for either.
    std::mem::forget(write);
    assert_eq!(fixture.member(1).await, 2);
    assert_eq!(fixture.stored_member(1).await, None);
    eventually!({
        assert_eq!(fixture.member(1).await, 2);
        fixture.stored_member(1).await == Some(2)
    });
}

/// A refresh that began before the invalidation stores nothing that is found after it.
async fn a_refresh_is_invalidated_with_its_tag(fixture: Fixture) {
    for invalidation in Invalidation::all(&fixture) {
        fixture.db.set(1, 1);
        fixture.cache.invalidate(&member_key(&1, &1)).await.unwrap();
        fixture.member(1).await;
        let gate = fixture.db.hold_loads();
        let db = fixture.db.clone();
        let refresh = fixture.spawn(async move { member(&db, 1, 1).refresh().await });
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, 1, 2).await;
        gate.open();
        refresh.await.unwrap().unwrap();
        assert_eq!(fixture.stored_member(1).await, None, "{invalidation:?}");
        assert_eq!(fixture.member(1).await, 2, "{invalidation:?}");
    }
    fixture.db.set(1, 3);
    let refreshed = fixture.cache.scope(member(&fixture.db, 1, 1).refresh()).await.unwrap();
    assert_eq!((refreshed, fixture.stored_member(1).await), (3, Some(3)));
}

/// Programs that disagree about an entry's tags do not find each other's values, and each other's
/// invalidations reach both.
async fn an_entry_with_other_tags_is_a_miss(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    for value in 1..4 {
        db.set(1, value);
        cache.invalidate_tag("members").await.unwrap();
        assert_eq!(fixture.member(1).await, value);
        assert_eq!(cache.scope(later_member(db, 1, 1)).await.unwrap(), value);
        assert_eq!(cache.scope(untagged_member(db, 1)).await.unwrap(), value);
        db.set(1, 10 * value);
        cache.invalidate_tag(group_tag(1)).await.unwrap();
        assert_eq!(fixture.member(1).await, 10 * value);
        assert_eq!(cache.scope(later_member(db, 1, 1)).await.unwrap(), 10 * value);
    }
    // Another group: a parameter that is no part of the key decides, too.
    fixture.member(1).await;
    let loads = db.loads();
    cache.scope(member(db, 2, 1)).await.unwrap();
    assert_eq!(db.loads(), loads + 1);
}

/// Nor do they share a load, since each looks at its own tags.
async fn a_load_under_other_tags_is_not_shared(fixture: Fixture) {
    fixture.db.set(1, 1);
    let gate = fixture.db.hold_loads();
    let db = fixture.db.clone();
    let leader = fixture.spawn(async move { untagged_member(&db, 1).await });
    gate.entered(1).await;
    fixture.db.let_loads_run();
    fixture.db.set(1, 2);
    fixture.cache.invalidate_tag("members").await.unwrap();
    let mut late = Box::pin(fixture.cache.scope(member(&fixture.db, 1, 1)));
    begin(late.as_mut()).await;
    gate.open();
    assert_eq!(within_limit("the one who came late", late).await.unwrap(), 2);
    leader.await.unwrap().unwrap();
}

async fn functions_that_share_a_key_share_its_tags(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(1, 1);
    fixture.member(1).await;
    assert_eq!(cache.scope(locked_member(db, 1, 1)).await.unwrap(), 1);
    assert_eq!(db.loads(), 1);
    db.set(1, 2);
    cache.invalidate_tag(group_tag(1)).await.unwrap();
    assert_eq!(cache.scope(locked_member(db, 1, 1)).await.unwrap(), 2);
    assert_eq!(fixture.member(1).await, 2);
    assert_eq!(db.loads(), 2);
}

async fn what_is_put_by_hand_has_the_tags(fixture: Fixture) {
    let key: Key<u64> = member_key(&1, &1);
    fixture.cache.put(&key, &7).await.unwrap();
    assert_eq!(fixture.member(1).await, 7, "a hit");
    fixture.cache.invalidate_tag(group_tag(1)).await.unwrap();
    assert_eq!(fixture.cache.get(&key).await.unwrap(), None);
    fixture.cache.put(&key, &8).await.unwrap();
    assert_eq!(fixture.stored_member(1).await, Some(8));
}

/// What a write stores was known before the stamps were lost, if they were lost after it began.
async fn what_a_write_stores_has_the_tags(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    cache.scope(save(db, 1, 1, 7)).await.unwrap();
    assert_eq!((fixture.member(1).await, db.loads()), (7, 0), "a hit");
    cache.invalidate_tag(group_tag(1)).await.unwrap();
    assert_eq!(fixture.stored_member(1).await, None);

    let gate = db.hold_writes();
    let save = {
        let db = db.clone();
        fixture.spawn(async move { save(&db, 1, 1, 8).await })
    };
    gate.entered(1).await;
    cache.invalidate_tag("members").await.unwrap();
    gate.open();
    save.await.unwrap().unwrap();
    assert_eq!(fixture.stored_member(1).await, None);
    assert_eq!(fixture.member(1).await, 8);
}

on_all_stores! {
    a_tag_reaches_all_its_entries_and_no_others
    a_load_under_way_is_invalidated_with_its_tag
    a_waiter_gets_nothing_that_a_tag_invalidated_before_it_came
    waiters_share_a_load
    behind_the_fence_of_a_tag_nothing_is_stored
    inside_the_write_its_tag_is_bypassed
    a_writer_that_dies_leaves_nothing_stale
    a_refresh_is_invalidated_with_its_tag
    an_entry_with_other_tags_is_a_miss
    a_load_under_other_tags_is_not_shared
    functions_that_share_a_key_share_its_tags
    what_is_put_by_hand_has_the_tags
    what_a_write_stores_has_the_tags
}

/// A stamp that is lost is a miss, never an old value; the other entries of the group are loaded
/// again as well.
#[tokio::test]
async fn an_evicted_stamp_is_a_miss() {
    let fixture = Fixture::redis().await;
    let client = fixture.store.client();
    fixture.db.set(1, 1);
    fixture.member(1).await;
    assert!(client.del("~tag:group:1").await);
    assert_eq!(fixture.member(1).await, 1);
    assert_eq!(fixture.db.loads(), 2);
    assert_eq!(fixture.member(1).await, 1);
    assert_eq!(fixture.db.loads(), 2);
}

/// Another process's stamp is everybody's.
#[tokio::test]
async fn a_tag_is_one_for_all_processes() {
    let fixture = Fixture::redis().await;
    let (server, client) = fixture.store.remote().unwrap();
    let other = patient().connect(&server.url()).unwrap();
    fixture.db.set(1, 1);
    fixture.member(1).await;
    assert_eq!(other.scope(member(&fixture.db, 1, 1)).await.unwrap(), 1);
    assert_eq!(fixture.db.loads(), 1);
    fixture.db.set(1, 2);
    other.invalidate_tag(group_tag(1)).await.unwrap();
    assert_eq!(fixture.member(1).await, 2);
    let mut keys = client.keys().await;
    keys.sort();
    assert_eq!(keys, ["member:1", "~tag:group:1", "~tag:members"], "nothing grows");
}
