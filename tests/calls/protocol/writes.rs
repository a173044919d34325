//! Writes against reads, and against each other.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::eventually;

use crate::protocol::fixture::{
    Fixture, Refused, Table, fail_without_writing, row, row_key, write, write_and_fail,
    write_unfenced,
};

/// While a write is under way its entry is fenced: nobody reads the old value from the cache, and
/// nobody stores one.
async fn a_fence_stands_while_the_write_runs(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let gate = fixture.db.hold_writes();
    let writer = fixture.write(1, 1);
    gate.entered(1).await;
    // The row is written, the write has not returned.
    assert_eq!(fixture.stored(1).await, None);
    assert_eq!(fixture.get(1).await, 1);
    assert_eq!(fixture.stored(1).await, None, "nothing is stored through a fence");
    gate.open();
    writer.await.unwrap().unwrap();
    assert_eq!(fixture.get(1).await, 1);
    assert_eq!(fixture.stored(1).await, Some(1));
}

/// A fence is a set of writers: the end of one does not lift the other's.
async fn two_writers_overlap(fixture: Fixture) {
    fixture.db.set(1, 0);
    let gate = fixture.db.hold_writes();
    let first = fixture.write(1, 1);
    gate.entered(1).await;
    fixture.db.let_writes_run();
    fixture.write(1, 2).await.unwrap().unwrap();
    assert_eq!(fixture.get(1).await, 2);
    assert_eq!(fixture.stored(1).await, None, "the first writer is still there");
    // Neither does an invalidation in one phase, nor one by hand.
    fixture.cache.scope(write_unfenced(&fixture.db, 1, 3)).await.unwrap();
    fixture.cache.invalidate(&row_key(&1)).await.unwrap();
    fixture.cache.invalidate_matching("row:*").await.unwrap();
    assert_eq!(fixture.get(1).await, 3);
    assert_eq!(fixture.stored(1).await, None, "the first writer is still there");
    gate.open();
    first.await.unwrap().unwrap();
    assert_eq!(fixture.get(1).await, 3);
    assert_eq!(fixture.stored(1).await, Some(3));
}

/// Without a fence the old value is there until the invalidation, and not after it.
async fn an_unfenced_write_invalidates_afterwards(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let gate = fixture.db.hold_writes();
    let db = fixture.db.clone();
    let writer = fixture.spawn(async move { write_unfenced(&db, 1, 1).await });
    gate.entered(1).await;
    assert_eq!(fixture.get(1).await, 0);
    gate.open();
    writer.await.unwrap().unwrap();
    assert_eq!(fixture.stored(1).await, None);
    assert_eq!(fixture.get(1).await, 1);
}

/// An error can hide a commit.
async fn a_failed_write_invalidates_too(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    assert_eq!(fixture.cache.scope(write_and_fail(&fixture.db, 1, 1)).await, Err(Refused));
    assert_eq!(fixture.get(1).await, 1);
    assert_eq!(fixture.cache.scope(fail_without_writing(&fixture.db, 1)).await, Err(Refused));
    assert_eq!(fixture.stored(1).await, Some(1), "`only_ok` leaves it");
}

/// Dropped half-way, a write invalidates, and leaves its fence up: who knows what the database
/// does.
async fn a_dropped_write_invalidates(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let gate = fixture.db.hold_writes();
    let writer = fixture.write(1, 1);
    gate.entered(1).await;
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    fixture.is_not_stored(1, 1).await;
}

/// So does one without a fence.
async fn a_dropped_unfenced_write_invalidates(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let gate = fixture.db.hold_writes();
    let db = fixture.db.clone();
    let writer = fixture.spawn(async move { write_unfenced(&db, 1, 1).await });
    gate.entered(1).await;
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    eventually!(fixture.get(1).await == 1);
    eventually!(fixture.stored(1).await == Some(1));
}

#[invalidates(row(id))]
async fn write_and_panic(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.set(id, value);
    panic!("the write panics after it has written")
}

async fn a_panicking_write_invalidates(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let db = fixture.db.clone();
    let writer = fixture.spawn(async move { write_and_panic(&db, 1, 1).await });
    assert!(writer.await.unwrap_err().is_panic());
    fixture.is_not_stored(1, 1).await;
}

#[invalidates(row(id), fence = "strict")]
async fn write_strictly(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.set(id, value);
    Ok(())
}

async fn a_strict_write_goes_through_where_the_fence_stands(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    fixture.cache.scope(write_strictly(&fixture.db, 1, 1)).await.unwrap();
    assert_eq!(fixture.get(1).await, 1);
    assert_eq!(fixture.stored(1).await, Some(1));
}

#[tokio::test]
async fn a_strict_write_is_refused_where_no_fence_can_stand() {
    let db = Table::default();
    db.set(1, 0);
    // Nobody listens there.
    let cache = Cache::connect("redis://127.0.0.1:1").unwrap();
    assert_eq!(cache.scope(write_strictly(&db, 1, 1)).await, Err(Refused));
    assert_eq!(cache.scope(row(&db, 1)).await, Ok(0), "the body was not run");
    // By default the write goes on.
    assert_eq!(cache.scope(write(&db, 1, 1)).await, Ok(()));
    assert_eq!(cache.scope(row(&db, 1)).await, Ok(1));
    assert_eq!(cache.stats().journal_depth, 1);
}

#[invalidates(row(id), hold_off = "1h")]
async fn write_to_a_replicated_database(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.set(id, value);
    Ok(())
}

/// During the hold-off nothing is stored, because loads may read from a replica that lags.
async fn nothing_is_stored_during_a_hold_off(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    fixture.cache.scope(write_to_a_replicated_database(&fixture.db, 1, 1)).await.unwrap();
    assert_eq!(fixture.get(1).await, 1);
    assert_eq!(fixture.stored(1).await, None);
}

#[derive(Debug)]
struct Created {
    id: u64,
}

#[cached(key = "exists:<name>", ttl = 3600)]
async fn exists(name: &str) -> bool {
    name.is_empty()
}

/// Targets over the result, over arguments that the body moves, by template, and by pattern.
#[invalidates(row(result.id), exists(name), key = "exists:<name>", pattern = "list:*")]
async fn create(db: &Table, name: String, value: u64) -> Result<Created, Refused> {
    let id = moved(name) as u64;
    db.set(id, value);
    Ok(Created { id })
}

fn moved(name: String) -> usize {
    name.into_bytes().len()
}

#[cached(key = "list:<page>", ttl = 3600, skip(db))]
async fn list(db: &Table, page: u64) -> Result<u64, Refused> {
    _ = db;
    Ok(page)
}

async fn targets_of_every_kind(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(3, 0);
    let scope = async {
        assert_eq!(row(db, 3).await, Ok(0));
        assert!(!exists("abc").await);
        assert_eq!(list(db, 7).await, Ok(7));
        assert_eq!(create(db, "abc".to_owned(), 1).await.unwrap().id, 3);
    };
    cache.scope(scope).await;
    assert_eq!(cache.get(&row_key(&3)).await.unwrap(), None);
    assert_eq!(cache.get(&exists_key("abc")).await.unwrap(), None);
    assert_eq!(cache.get(&list_key(&7)).await.unwrap(), None);
}

/// What is put by hand is stored, unless somebody is writing.
async fn a_put_gives_way_to_a_writer(fixture: Fixture) {
    fixture.cache.put(&row_key(&1), &7).await.unwrap();
    assert_eq!(fixture.get(1).await, 7);
    assert_eq!(fixture.db.loads(), 0);
    let gate = fixture.db.hold_writes();
    let writer = fixture.write(1, 8);
    gate.entered(1).await;
    fixture.cache.put(&row_key(&1), &7).await.unwrap();
    assert_eq!(fixture.stored(1).await, None);
    gate.open();
    writer.await.unwrap().unwrap();
    assert_eq!(fixture.get(1).await, 8);
}

on_all_stores! {
    a_fence_stands_while_the_write_runs
    two_writers_overlap
    an_unfenced_write_invalidates_afterwards
    a_failed_write_invalidates_too
    a_dropped_write_invalidates
    a_dropped_unfenced_write_invalidates
    a_panicking_write_invalidates
    a_strict_write_goes_through_where_the_fence_stands
    nothing_is_stored_during_a_hold_off
    targets_of_every_kind
    a_put_gives_way_to_a_writer
}
