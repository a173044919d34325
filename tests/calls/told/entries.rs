//! Which entries a tag reaches that their values have told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore as _, on_all_stores};
use cache_runtime::{Key, cached, tag};

use crate::told::fixture::{Fixture, Invalidation, Refused, Row, Table, owner, row};

async fn a_tag_reaches_the_entries_whose_values_tell_it(fixture: Fixture) {
    let db = &fixture.db;
    for (id, value) in [(1, 101), (2, 102), (3, 203)] {
        db.set(id, value);
    }
    let read_all = async || {
        for id in 1..=3 {
            assert_eq!(Some(fixture.row(id).await), db.get(id).map(Row::of));
        }
        db.loads()
    };
    assert_eq!(read_all().await, 3);
    assert_eq!(read_all().await, 3, "all are hits");
    for (round, invalidation) in Invalidation::ALL.into_iter().enumerate() {
        let before = db.loads();
        invalidation.write(&fixture, 1, 110 + round as u64).await;
        assert_eq!(fixture.stored(1).await, None, "{invalidation:?}");
        assert_eq!(fixture.stored(2).await, None, "{invalidation:?}");
        let all = matches!(invalidation, Invalidation::OfKey | Invalidation::ByPattern);
        assert_eq!(read_all().await - before, if all { 3 } else { 2 }, "{invalidation:?}");
        assert_eq!(read_all().await - before, if all { 3 } else { 2 }, "{invalidation:?}");
    }
    assert_eq!(fixture.overlapped(), 0);
}

/// From then on it is the new owner whose tag reaches it.
async fn a_row_that_changes_its_owner_changes_its_tags(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(1, 101);
    fixture.row(1).await;
    Invalidation::Macro.write(&fixture, 1, 201).await;
    assert_eq!(fixture.row(1).await.owner, 2);
    assert_eq!((fixture.row(1).await.owner, db.loads()), (2, 2), "a hit");
    cache.invalidate_tag(owner(1)).await.unwrap();
    assert_eq!((fixture.row(1).await.owner, db.loads()), (2, 2), "still a hit");
    db.set(1, 202);
    cache.invalidate_tag(owner(2)).await.unwrap();
    assert_eq!((fixture.row(1).await.count, db.loads()), (2, 3));
}

/// A list, which depends on every row in it.
async fn a_list_depends_on_each_row(fixture: Fixture) {
    #[cached(
        key = "list:<first>",
        ttl = 3600,
        skip(db),
        tags = |rows: &Vec<(u64, Row)>| rows.iter().map(|(id, _)| tag!("row:<id>")),
    )]
    async fn list(db: &Table, first: u64) -> Result<Vec<(u64, Row)>, Refused> {
        let rows = db.select_all(first..first + 3).await?;
        Ok(rows.into_iter().map(|(id, value)| (id, Row::of(value))).collect())
    }
    let (cache, db) = (&fixture.cache, &fixture.db);
    (1..=6).for_each(|id| db.set(id, 100 + id));
    for round in 1..=4 {
        for first in [1, 4] {
            assert_eq!(cache.scope(list(db, first)).await.unwrap().len(), 3);
        }
        assert_eq!(db.loads(), 1 + round, "each round but the first loads the one list");
        let id = 2_u64;
        cache.invalidate_tag(tag!("row:<id>")).await.unwrap();
    }
}

/// An entry that says there is nothing has the tags that its key tells, and those that the closure
/// makes of nothing.
async fn absence_and_batches_tell_tags_for_each_entry(fixture: Fixture) {
    #[cached(
        key = "found:<id>",
        ttl = 3600,
        none_ttl = 60,
        skip(db),
        tags = ["found", |row: &Option<Row>| row.map(|row| tag!("owner:<row.owner>"))],
    )]
    async fn find(db: &Table, id: u64) -> Result<Option<Row>, Refused> {
        Ok(db.select(id).await.map(Row::of))
    }
    #[cached(
        key = "each:<id>",
        batch(id in ids),
        ttl = 3600,
        skip(db),
        tags = |row: &Row| [tag!("owner:<row.owner>")],
    )]
    async fn each(db: &Table, ids: &[u64]) -> Result<HashMap<u64, Row>, Refused> {
        let rows = db.select_all(ids.iter().copied()).await?;
        Ok(rows.into_iter().map(|(id, value)| (id, Row::of(value))).collect())
    }
    let (cache, db) = (&fixture.cache, &fixture.db);
    for _ in 0..2 {
        assert_eq!(cache.scope(find(db, 9)).await.unwrap(), None);
    }
    assert_eq!(db.loads(), 1, "nothing was found once");
    db.set(9, 109);
    cache.invalidate_tag("found").await.unwrap();
    for _ in 0..2 {
        assert_eq!(cache.scope(find(db, 9)).await.unwrap(), Some(Row::of(109)));
    }
    cache.invalidate_tag(owner(1)).await.unwrap();
    assert_eq!(cache.get(&find_key(&9)).await.unwrap(), None);

    for (id, value) in [(1, 101), (2, 102), (3, 203)] {
        db.set(id, value);
    }
    for round in 0..3 {
        db.take_loads();
        assert_eq!(cache.scope(each(db, &[1, 2, 3])).await.unwrap().len(), 3);
        let expected: &[&[u64]] = if round == 0 { &[&[1, 2, 3]] } else { &[&[1, 2]] };
        assert_eq!(db.take_loads(), expected);
        assert_eq!(cache.scope(each(db, &[1, 2, 3])).await.unwrap().len(), 3);
        assert_eq!(db.loads(), 0, "all are hits");
        cache.invalidate_tag(owner(1)).await.unwrap();
    }
}

/// Each is read with every hit, so there is a bound, and the log says so.
async fn a_value_that_tells_too_many_tags_is_not_stored(fixture: Fixture) {
    #[cached(key = "many:<n>", ttl = 3600, tags = |ids: &Vec<u64>| ids.iter().map(|id| tag!("row:<id>")))]
    async fn many(n: u64) -> Vec<u64> {
        CALLS.fetch_add(1, SeqCst);
        (0..n).collect()
    }
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    CALLS.store(0, SeqCst);
    for n in [128, 129] {
        for _ in 0..2 {
            assert_eq!(fixture.cache.scope(many(n)).await.len() as u64, n);
        }
    }
    assert_eq!(CALLS.load(SeqCst), 3, "that with 128 was stored, that with 129 was not");
    let stats = fixture.cache.stats();
    let many = stats.function("many").unwrap();
    assert_eq!((many.fills_stored, many.fills_oversized), (1, 2));
    let error = fixture.cache.put(&many_key(&129), &(0..129).collect()).await.unwrap_err();
    assert!(error.to_string().contains("tells 129 tags"), "{error}");
}

async fn keys_by_hand_tell_tags(fixture: Fixture) {
    let key = |id: u64| -> Key<Row> {
        let key = Key::<Row>::builder().text("hand:").part(&id).done();
        key.ttl(std::time::Duration::from_secs(60)).tags_of(|row| vec![owner(row.owner)])
    };
    let cache = &fixture.cache;
    cache.put(&key(1), &Row::of(101)).await.unwrap();
    assert_eq!(cache.get(&key(1)).await.unwrap(), Some(Row::of(101)));
    assert_eq!(cache.get_or_load(&key(2), async || Row::of(102)).await, Row::of(102));
    assert_eq!(cache.get(&key(2)).await.unwrap(), Some(Row::of(102)));
    cache.invalidate_tag(owner(1)).await.unwrap();
    for id in [1, 2] {
        assert_eq!(cache.get(&key(id)).await.unwrap(), None);
    }
}

on_all_stores! {
    a_tag_reaches_the_entries_whose_values_tell_it
    a_row_that_changes_its_owner_changes_its_tags
    a_list_depends_on_each_row
    absence_and_batches_tell_tags_for_each_entry
    a_value_that_tells_too_many_tags_is_not_stored
    keys_by_hand_tell_tags
}

/// What the tags are stands in the entry, so another process finds it.
#[tokio::test]
async fn another_process_finds_the_entry_and_invalidates_it() {
    let fixture = Fixture::redis().await;
    let (server, _) = fixture.store.remote().unwrap();
    let other = patient().connect(&server.url()).unwrap();
    fixture.db.set(1, 101);
    fixture.row(1).await;
    for _ in 0..2 {
        assert_eq!(other.scope(row(&fixture.db, 1)).await.unwrap(), Row::of(101));
        assert_eq!(fixture.db.loads(), 1, "a hit");
    }
    fixture.db.set(1, 202);
    other.invalidate_tag(owner(1)).await.unwrap();
    assert_eq!(fixture.row(1).await, Row::of(202));
    // What this process believes of the entry is out of date by now.
    assert_eq!(other.scope(row(&fixture.db, 1)).await.unwrap(), Row::of(202));
    assert_eq!(fixture.db.loads(), 2);
    fixture.db.set(1, 203);
    other.invalidate_tag(owner(2)).await.unwrap();
    assert_eq!(fixture.row(1).await, Row::of(203));
}
