//! Targets that depend on what was there before: read, fence, read again.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, cached, invalidates, write_through};
use cache_testing::barrier::eventually;

use crate::protocol::fixture::{Fixture, Refused, Table, row, row_key};

/// The row that has this value: what a rename makes outdated under the old value and the new one.
#[cached(key = "by:<value>", ttl = 3600, none_ttl = 3600, skip(db))]
async fn by(db: &Table, value: u64) -> Result<Option<u64>, Refused> {
    Ok((1..=3).find(|id| db.get(*id) == Some(value)))
}

/// `row` is a cached function: its entry must not be believed here.
#[invalidates(row(id), by(*before), by(value), before = row(db, id))]
async fn change(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

impl Fixture {
    /// Looks up by value, and what is stored of that then.
    async fn looked_up(&self, value: u64) -> Option<u64> {
        let found = self.cache.scope(by(&self.db, value)).await.unwrap();
        assert_eq!(self.cache.get(&by_key(&value)).await.unwrap(), Some(found));
        found
    }

    async fn is_stored_by(&self, value: u64) -> bool {
        self.cache.get(&by_key(&value)).await.unwrap().is_some()
    }

    fn change(&self, id: u64, value: u64) -> tokio::task::JoinHandle<Result<(), Refused>> {
        let db = self.db.clone();
        self.spawn(async move { change(&db, id, value).await })
    }
}

/// What the old state names is fenced before the body, and invalidated after it.
async fn the_old_state_names_targets(fixture: Fixture) {
    fixture.db.set(1, 10);
    assert_eq!(fixture.looked_up(10).await, Some(1));
    assert_eq!(fixture.looked_up(20).await, None);
    let gate = fixture.db.hold_writes();
    let writer = fixture.change(1, 20);
    gate.entered(1).await;
    assert_eq!(fixture.db.take_loads(), [[1], [1]], "read, and read again");
    for value in [10, 20] {
        _ = fixture.cache.scope(by(&fixture.db, value)).await;
        assert!(!fixture.is_stored_by(value).await, "fenced");
    }
    gate.open();
    writer.await.unwrap().unwrap();
    assert_eq!(fixture.looked_up(10).await, None);
    assert_eq!(fixture.looked_up(20).await, Some(1));
}

/// The interleaving that the second read excludes: another writer renames the row after the first
/// read and before the fence, and a reader stores the entry of the name in between.
async fn a_rename_before_the_fence_is_seen(fixture: Fixture) {
    fixture.db.set(1, 10);
    let reads = fixture.db.hold_loads();
    let writer = fixture.change(1, 30);
    reads.entered(1).await;
    // The first read has found 10, and has not returned.
    fixture.db.set(1, 20);
    assert_eq!(fixture.looked_up(20).await, Some(1));
    reads.release(1);
    reads.entered(2).await;
    // The second one has found 20, whose entry is not fenced yet.
    assert!(fixture.is_stored_by(20).await);
    reads.release(1);
    reads.entered(3).await;
    assert!(!fixture.is_stored_by(20).await);
    reads.open();
    writer.await.unwrap().unwrap();
    assert_eq!(fixture.db.take_loads().len(), 3, "until two reads agree");
    assert_eq!(fixture.looked_up(10).await, None);
    assert_eq!(fixture.looked_up(20).await, None);
    assert_eq!(fixture.looked_up(30).await, Some(1));
}

/// The database alone knows what is to be changed.
async fn an_entry_is_not_believed(fixture: Fixture) {
    fixture.db.set(1, 10);
    fixture.cache.put(&row_key(&1), &99).await.unwrap();
    assert_eq!(fixture.looked_up(10).await, Some(1));
    assert_eq!(fixture.looked_up(99).await, None);
    fixture.cache.scope(change(&fixture.db, 1, 20)).await.unwrap();
    assert!(!fixture.is_stored_by(10).await);
    assert!(fixture.is_stored_by(99).await);
}

#[invalidates(row(id), by(*before), before = row(db, id), fence = "strict")]
async fn change_strictly(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

/// A read that fails stops no write, unless that insists on its fences.
async fn a_failed_read_is_as_a_failed_fence(fixture: Fixture) {
    // There is no row, of which `row` makes an error.
    assert_eq!(fixture.cache.scope(change_strictly(&fixture.db, 1, 10)).await, Err(Refused));
    assert_eq!(fixture.db.get(1), None, "the body was not run");
    fixture.cache.scope(change(&fixture.db, 1, 10)).await.unwrap();
    assert_eq!(fixture.db.take_loads().len(), 2, "a failed read is not repeated");
    assert_eq!(fixture.get(1).await, 10);
    // Its fences are lifted.
    assert_eq!(fixture.stored(1).await, Some(10));
    fixture.cache.scope(change_strictly(&fixture.db, 1, 20)).await.unwrap();
    assert_eq!(fixture.looked_up(10).await, None);
}

#[invalidates(key = "by:<before>", before = db.select(id))]
async fn remove(db: &Table, id: u64) {
    db.update(id, 0).await;
}

/// Where there was nothing, nothing follows from it.
async fn nothing_before_is_no_target(fixture: Fixture) {
    fixture.cache.scope(remove(&fixture.db, 1)).await;
    fixture.db.set(1, 10);
    assert_eq!(fixture.looked_up(10).await, Some(1));
    fixture.cache.scope(remove(&fixture.db, 1)).await;
    assert_eq!(fixture.looked_up(10).await, None);
}

#[invalidates(
    each(value in before) by(*value),
    before = async { [state.fetch_add(1, SeqCst), 100] },
    fence = "strict"
)]
async fn change_often(db: &Table, state: &AtomicU64) -> Result<(), Refused> {
    db.update(1, 100).await;
    Ok(())
}

#[invalidates(each(value in before) by(*value), before = async { [state.fetch_add(1, SeqCst)] })]
async fn change_often_anyway(state: &AtomicU64) {
    state.store(100, SeqCst);
}

/// Where the state never stays the same, it is read a few times and no more.
async fn reads_that_never_agree_end(fixture: Fixture) {
    let state = AtomicU64::new(0);
    let written = fixture.cache.scope(change_often(&fixture.db, &state)).await;
    assert_eq!((written, fixture.db.get(1)), (Err(Refused), None), "not certain");
    assert_eq!(state.swap(0, SeqCst), 4);
    for value in 0..5 {
        assert_eq!(fixture.looked_up(value).await, None);
    }
    fixture.cache.scope(change_often_anyway(&state)).await;
    for value in 0..4 {
        assert!(!fixture.is_stored_by(value).await, "what any read has found is invalidated");
    }
    assert!(fixture.is_stored_by(4).await);
}

#[invalidates(by(*before), before = row(db, id), fence = "off")]
async fn change_unfenced(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Err(Refused)
}

/// Without a fence one read is as good as two.
async fn without_a_fence_there_is_one_read(fixture: Fixture) {
    fixture.db.set(1, 10);
    assert_eq!(fixture.looked_up(10).await, Some(1));
    assert_eq!(fixture.cache.scope(change_unfenced(&fixture.db, 1, 20)).await, Err(Refused));
    assert_eq!(fixture.db.take_loads().len(), 1);
    assert_eq!(fixture.looked_up(10).await, None);
}

#[invalidates(by(*before), before = row(db, id), only_ok)]
async fn fail_to_change(db: &Table, id: u64) -> Result<(), Refused> {
    _ = (db, id);
    Err(Refused)
}

/// As for every target: with `only_ok` an error lifts the fence.
async fn a_failure_that_wrote_nothing_leaves_no_fence(fixture: Fixture) {
    fixture.db.set(1, 10);
    assert_eq!(fixture.cache.scope(fail_to_change(&fixture.db, 1)).await, Err(Refused));
    assert_eq!(fixture.looked_up(10).await, Some(1));
}

/// Dropped while it reads, a write has written nothing, and lifts its fences. Dropped in its body
/// it leaves them.
async fn a_dropped_write_leaves_what_it_must(fixture: Fixture) {
    fixture.db.set(1, 10);
    let reads = fixture.db.hold_loads();
    let writer = fixture.change(1, 20);
    reads.entered(1).await;
    reads.release(1);
    reads.entered(2).await;
    // Fenced by the first read.
    _ = fixture.cache.scope(by(&fixture.db, 10)).await;
    assert!(!fixture.is_stored_by(10).await);
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    eventually!({
        _ = fixture.cache.scope(by(&fixture.db, 10)).await;
        fixture.is_stored_by(10).await
    });
    reads.open();
    fixture.db.let_loads_run();

    let gate = fixture.db.hold_writes();
    let writer = fixture.change(1, 20);
    gate.entered(1).await;
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    for _ in 0..20 {
        assert_eq!(fixture.cache.scope(by(&fixture.db, 10)).await, Ok(None));
        assert!(!fixture.is_stored_by(10).await);
    }
}

/// A transaction on the table, whose reads see what it has set.
struct Transaction<'a> {
    db: &'a Table,
    set: Option<(u64, u64)>,
}

impl Transaction<'_> {
    async fn find(&mut self, id: u64) -> Result<Option<u64>, Refused> {
        Ok(match self.set {
            Some((set, value)) if set == id => Some(value),
            _ => self.db.select(id).await,
        })
    }
}

#[invalidates(by(before), in_transaction, before = tx.find(id))]
async fn set(tx: &mut Transaction<'_>, id: u64, value: u64) -> Result<(), Refused> {
    tx.set = Some((id, value));
    Ok(())
}

/// The surrounding `after_commit` ends such targets as it does others.
async fn a_transaction_reads_its_own_state(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    db.set(1, 10);
    for value in [10, 20, 30] {
        _ = fixture.looked_up(value).await;
    }
    let work = cache.after_commit(async {
        let mut tx = Transaction { db, set: None };
        set(&mut tx, 1, 20).await.unwrap();
        set(&mut tx, 1, 30).await.unwrap();
        let (others, others_db) = (cache.clone(), db.clone());
        let outside = fixture.spawn(async move {
            assert_eq!(by(&others_db, 10).await, Ok(Some(1)));
            others.get(&by_key(&10)).await.unwrap()
        });
        assert_eq!(outside.await.unwrap(), None, "fenced until the commit");
        db.set(1, 30);
    });
    cache.scope(work).await;
    assert!(!fixture.is_stored_by(10).await && !fixture.is_stored_by(20).await);
    assert!(fixture.is_stored_by(30).await, "named by no read");
}

#[write_through(row(id) = value, invalidates(by(*before)), before = row(db, id))]
async fn store(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

/// Beside values that are stored.
async fn a_value_is_stored_beside_it(fixture: Fixture) {
    fixture.db.set(1, 10);
    assert_eq!(fixture.looked_up(10).await, Some(1));
    fixture.cache.scope(store(&fixture.db, 1, 20)).await.unwrap();
    assert_eq!(fixture.stored(1).await, Some(20));
    assert_eq!(fixture.looked_up(10).await, None);
}

struct Rows(u64);

impl Rows {
    #[invalidates(each(value in before.iter()) by(*value), before = self.find(ids.clone()))]
    async fn change_all(&self, ids: Vec<u64>) -> usize {
        ids.len()
    }

    fn find(&self, ids: Vec<u64>) -> impl Future<Output = Vec<u64>> {
        std::future::ready(ids.into_iter().map(|id| id + self.0).collect())
    }
}

/// Whatever is read: here it is a list, of a method, over an argument that the body moves.
#[tokio::test]
async fn a_list_is_read_as_well() {
    let cache = Cache::in_memory();
    cache.put(&by_key(&7), &Some(1)).await.unwrap();
    assert_eq!(cache.scope(Rows(1).change_all(vec![6, 8])).await, 2);
    assert_eq!(cache.get(&by_key(&7)).await.unwrap(), None);
}

/// A write that reads before its body can be spawned as any other.
#[tokio::test]
async fn it_is_send() {
    fn is_send<T: Send>(it: T) -> T {
        it
    }
    let (cache, db) = (Cache::in_memory(), Table::of([1]));
    let both = async {
        is_send(change(&db, 1, 20)).await.unwrap();
        is_send(set(&mut Transaction { db: &db, set: None }, 1, 20)).await.unwrap();
    };
    cache.scope(both).await;
}

on_all_stores! {
    the_old_state_names_targets
    a_rename_before_the_fence_is_seen
    an_entry_is_not_believed
    a_failed_read_is_as_a_failed_fence
    nothing_before_is_no_target
    reads_that_never_agree_end
    without_a_fence_there_is_one_read
    a_failure_that_wrote_nothing_leaves_no_fence
    a_dropped_write_leaves_what_it_must
    a_transaction_reads_its_own_state
    a_value_is_stored_beside_it
}
