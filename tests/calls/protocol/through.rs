//! Writes that store what they know.

use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{Store, on_all_stores};
use cache_runtime::{Cache, cached, invalidates, write_through};
use cache_testing::barrier::{Gate, eventually};
use serde::{Serialize, Serializer};
use tokio::task::JoinHandle;

use crate::protocol::fixture::{Fixture, Refused, Table, row, row_key};

/// Returns what is in the row when it has been written.
#[write_through(row(id))]
async fn add(db: &Table, id: u64, by: u64) -> Result<u64, Refused> {
    db.add(id, by).await
}

#[write_through(row(id) = value)]
async fn set(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

/// The steps of a write, each of which waits for its turn.
#[derive(Clone, Debug, Default)]
struct Steps {
    begun: Gate,
    committed: Gate,
}

#[write_through(row(id) = value)]
async fn set_in_steps(db: &Table, id: u64, value: u64, steps: &Steps) -> Result<(), Refused> {
    steps.begun.pass().await;
    db.set(id, value);
    steps.committed.pass().await;
    Ok(())
}

#[invalidates(row(id))]
async fn write_in_steps(db: &Table, id: u64, value: u64, steps: &Steps) -> Result<(), Refused> {
    steps.begun.pass().await;
    db.set(id, value);
    steps.committed.pass().await;
    Ok(())
}

/// What a write knows is served without a load, to everybody.
async fn what_was_written_is_stored(fixture: Fixture) {
    fixture.db.set(1, 40);
    assert_eq!(fixture.get(1).await, 40);
    assert_eq!(fixture.cache.scope(add(&fixture.db, 1, 2)).await, Ok(42));
    assert_eq!(fixture.stored(1).await, Some(42));
    fixture.cache.scope(set(&fixture.db, 1, 7)).await.unwrap();
    assert_eq!(fixture.stored(1).await, Some(7));
    assert_eq!(fixture.get(1).await, 7);
    assert_eq!(fixture.db.loads(), 1, "the first read");
    let stats = fixture.cache.stats();
    assert_eq!(stats.function("row").unwrap().fills_stored, 3);
}

/// One of two writers that take turns.
struct Writer {
    steps: Steps,
    value: u64,
    stores: bool,
    done: usize,
    call: Option<JoinHandle<Result<(), Refused>>>,
}

impl Writer {
    fn new(value: u64, stores: bool) -> Self {
        Self { steps: Steps::default(), value, stores, done: 0, call: None }
    }

    /// Does the next of three steps: begins, commits, ends.
    async fn step(&mut self, fixture: &Fixture) {
        match self.done {
            0 => {
                let (db, steps, value) = (fixture.db.clone(), self.steps.clone(), self.value);
                self.call = Some(if self.stores {
                    fixture.spawn(async move { set_in_steps(&db, 1, value, &steps).await })
                } else {
                    fixture.spawn(async move { write_in_steps(&db, 1, value, &steps).await })
                });
                self.steps.begun.entered(1).await;
            }
            1 => {
                self.steps.begun.open();
                self.steps.committed.entered(1).await;
            }
            _ => {
                self.steps.committed.open();
                self.call.take().unwrap().await.unwrap().unwrap();
            }
        }
        self.done += 1;
    }
}

/// Two writers in every order of their steps, with readers between any two of them or everywhere:
/// nothing is ever stored or read that is not the last in the database. Without an overlap the
/// value is there.
async fn two_writers_in_every_order(fixture: Fixture) {
    const EVERYWHERE: usize = 6;
    let orders = (0..1_u32 << 6).filter(|order| order.count_ones() == 3);
    for (round, order) in orders.enumerate() {
        for reads_after in 0..=EVERYWHERE {
            // The second may be one that only invalidates.
            for second_stores in [true, false] {
                let base = 100 * round as u64 + 10 * reads_after as u64;
                fixture.db.set(1, base);
                fixture.cache.invalidate(&row_key(&1)).await.unwrap();
                assert_eq!(fixture.get(1).await, base);

                let mut writers =
                    [Writer::new(base + 1, true), Writer::new(base + 2, second_stores)];
                let which = |step: usize| usize::from(order >> step & 1 == 1);
                for step in 0..6 {
                    writers[which(step)].step(&fixture).await;
                    let last = fixture.db.get(1).unwrap();
                    if reads_after == step || reads_after == EVERYWHERE {
                        assert_eq!(fixture.get(1).await, last, "{order:06b} {step} {reads_after}");
                    }
                    if let Some(stored) = fixture.stored(1).await {
                        assert_eq!(stored, last, "{order:06b} {step} {reads_after}");
                    }
                }
                let overlap = !matches!(order, 0b000_111 | 0b111_000);
                let last_stores = which(5) == 0 || second_stores;
                let stored = fixture.stored(1).await;
                if overlap {
                    // Unless a reader has come after both.
                    let read = reads_after == 5 || reads_after == EVERYWHERE;
                    assert_eq!(stored.is_some(), read, "{order:06b} {reads_after}");
                } else if last_stores {
                    assert_eq!(stored, fixture.db.get(1), "{order:06b} {reads_after}");
                }
                assert_eq!(Some(fixture.get(1).await), fixture.db.get(1));
            }
        }
    }
}

/// A load that began before the write stores nothing over what was written.
async fn a_load_under_way_stores_nothing(fixture: Fixture) {
    fixture.db.set(1, 0);
    let gate = fixture.db.hold_loads();
    let early = fixture.read(1);
    gate.entered(1).await;
    fixture.cache.scope(set(&fixture.db, 1, 1)).await.unwrap();
    assert_eq!(fixture.stored(1).await, Some(1));
    assert_eq!(fixture.get(1).await, 1, "a hit, while the old load is under way");
    gate.open();
    assert_eq!(early.await.unwrap(), Ok(0));
    assert_eq!(fixture.stored(1).await, Some(1));
    assert_eq!(fixture.db.loads(), 1);
}

/// A fence that was lost takes the right to store with it, whoever has written meanwhile, and so
/// does one that was put up again.
async fn a_lost_fence_is_no_right_to_store(fixture: Fixture) {
    let Some((server, client)) = fixture.store.remote() else { return };
    let lose = async |how: &str| match how {
        "flushed" => {
            client.flush_all().await;
            true
        }
        _ => client.del("row:1").await,
    };
    for how in ["deleted", "flushed"] {
        for other in [None, Some(true), Some(false)] {
            fixture.db.set(1, 0);
            let mut writer = Writer::new(1, true);
            writer.step(&fixture).await;
            writer.step(&fixture).await;
            assert!(lose(how).await);
            if let Some(stores) = other {
                let mut other = Writer::new(2, stores);
                for _ in 0..3 {
                    other.step(&fixture).await;
                }
                assert_eq!(fixture.stored(1).await, stores.then_some(2), "{how}");
            }
            writer.step(&fixture).await;
            assert_eq!(fixture.stored(1).await, None, "{how}");
            assert_eq!(Some(fixture.get(1).await), fixture.db.get(1));
        }
        // Put up again, it looks as if it had never been away.
        let (server, client) = (server.url(), client.clone());
        let cache = patient().fence(Duration::from_millis(600)).connect(&server).unwrap();
        let slow = Fixture { cache, db: fixture.db.clone(), store: Store::embedded() };
        let mut writer = Writer::new(1, true);
        writer.step(&slow).await;
        writer.step(&slow).await;
        eventually!({
            // It may be back before the other write has begun.
            lose(how).await;
            fixture.cache.scope(set(&fixture.db, 1, 2)).await.unwrap();
            client.get("row:1").await.map(|record| record[3]) == Some(b'V')
        });
        eventually!(client.get("row:1").await.map(|record| record[3]) == Some(b'F'));
        writer.step(&slow).await;
        assert_eq!(fixture.stored(1).await, None, "{how}");
        assert_eq!(fixture.get(1).await, 2);
    }
}

#[write_through(row(id) = value)]
async fn set_and_fail(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Err(Refused)
}

#[write_through(row(id) = value, only_ok)]
async fn fail_without_writing(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    _ = db;
    _ = (id, value);
    Err(Refused)
}

#[write_through(row(id) = value)]
async fn set_and_panic(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.set(id, value);
    panic!("the write panics after it has written")
}

/// What is not known to be committed is not stored: after an error, a panic, and a drop.
async fn a_write_that_does_not_succeed_invalidates(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    assert_eq!(fixture.cache.scope(set_and_fail(&fixture.db, 1, 1)).await, Err(Refused));
    assert_eq!(fixture.stored(1).await, None);
    assert_eq!(fixture.get(1).await, 1);
    assert_eq!(fixture.cache.scope(fail_without_writing(&fixture.db, 1, 9)).await, Err(Refused));
    assert_eq!(fixture.stored(1).await, None);
    assert_eq!(fixture.get(1).await, 1);

    // The fence stays, after a panic and after a drop: each has a row of its own.
    fixture.db.set(2, 0);
    let db = fixture.db.clone();
    let writer = fixture.spawn(async move { set_and_panic(&db, 2, 2).await });
    assert!(writer.await.unwrap_err().is_panic());
    fixture.is_not_stored(2, 2).await;

    for commits in [false, true] {
        let mut writer = Writer::new(3, true);
        writer.step(&fixture).await;
        if commits {
            writer.step(&fixture).await;
        }
        let call = writer.call.take().unwrap();
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        fixture.is_not_stored(1, fixture.db.get(1).unwrap()).await;
    }
}

/// Reads in the body of the write see what it has written so far, and store nothing of it.
#[write_through(row(id))]
async fn read_while_writing(db: &Table, id: u64) -> Result<u64, Refused> {
    let before = row(db, id).await?;
    db.set(id, before + 1);
    assert_eq!(row(db, id).await?, before + 1);
    db.set(id, before + 2);
    Ok(before + 2)
}

async fn a_write_reads_its_own_row(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    assert_eq!(fixture.cache.scope(read_while_writing(&fixture.db, 1)).await, Ok(2));
    assert_eq!(fixture.stored(1).await, Some(2));
}

/// Where the surrounding work may still be rolled back, nothing is stored, and the entry stays
/// fenced until its end.
async fn inside_after_commit_it_only_invalidates(fixture: Fixture) {
    let other = Cache::in_memory();
    // Also that of another cache: there is a transaction around it all the same.
    for outer in [&fixture.cache, &other] {
        fixture.db.set(1, 0);
        fixture.cache.invalidate(&row_key(&1)).await.unwrap();
        assert_eq!(fixture.get(1).await, 0);
        let work = outer.after_commit(async {
            assert_eq!(add(&fixture.db, 1, 1).await, Ok(1));
            assert_eq!(fixture.stored(1).await, None);
        });
        fixture.cache.scope(work).await;
        assert_eq!(fixture.stored(1).await, None);
        assert_eq!(fixture.get(1).await, 1);
    }
}

#[cached(key = "maybe:<id>", ttl = 3600)]
async fn maybe(id: u64) -> Option<u64> {
    Some(id)
}

#[cached(key = "surely:<id>", ttl = 3600, none_ttl = 60)]
async fn surely(id: u64) -> Option<u64> {
    Some(id)
}

#[write_through(maybe(id), surely(id))]
async fn find(id: u64, value: Option<u64>) -> Result<Option<u64>, Refused> {
    _ = id;
    Ok(value)
}

/// `None` is stored where the function would store it.
async fn nothing_is_stored_as_nothing(fixture: Fixture) {
    let (cache, stored) = (&fixture.cache, |value| async move { find(1, value).await.unwrap() });
    assert_eq!(cache.scope(stored(Some(7))).await, Some(7));
    assert_eq!(cache.get(&maybe_key(&1)).await.unwrap(), Some(Some(7)));
    assert_eq!(cache.get(&surely_key(&1)).await.unwrap(), Some(Some(7)));
    assert_eq!(cache.scope(stored(None)).await, None);
    assert_eq!(cache.get(&maybe_key(&1)).await.unwrap(), None);
    assert_eq!(cache.get(&surely_key(&1)).await.unwrap(), Some(None));
}

#[derive(Debug, serde::Deserialize)]
struct Odd(u64);

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, 13, "unlucky");
        if self.0.is_multiple_of(2) {
            return Err(serde::ser::Error::custom("even"));
        }
        self.0.serialize(serializer)
    }
}

#[cached(key = "odd", ttl = 3600)]
async fn odd() -> Odd {
    Odd(1)
}

#[cached(key = "text", ttl = |text: &String| Duration::from_secs(text.len() as u64))]
async fn text() -> String {
    String::new()
}

#[write_through(odd() = Odd(*result), text() = "x".repeat(limit / usize::from(*result != 15)))]
async fn set_odd(value: u64, limit: usize) -> u64 {
    _ = limit;
    value
}

/// What cannot be stored is invalidated, and costs the caller nothing.
async fn what_cannot_be_stored_is_invalidated(fixture: Fixture) {
    let cache = &fixture.cache;
    let stored = async |value, limit| {
        cache.put(&odd_key(), &Odd(99)).await.unwrap();
        cache.put(&text_key(), &"old".to_owned()).await.unwrap();
        assert_eq!(cache.scope(set_odd(value, limit)).await, value);
        let odd = cache.get(&odd_key()).await.unwrap().map(|odd| odd.0);
        (odd, cache.get(&text_key()).await.unwrap().map(|text| text.len()))
    };
    assert_eq!(stored(7, 3).await, (Some(7), Some(3)));
    assert_eq!(stored(8, 3).await, (None, Some(3)), "it does not encode");
    assert_eq!(stored(13, 3).await, (None, Some(3)), "encoding it panics");
    assert_eq!(stored(7, 9 << 20).await, (Some(7), None), "it is too large");
    assert_eq!(stored(7, 0).await, (Some(7), None), "its ttl is zero");
    assert_eq!(stored(15, 3).await, (None, None), "what makes it panics");
    let stats = cache.stats();
    assert_eq!(stats.function("odd").unwrap().fills_unencodable, 2);
    assert_eq!(stats.function("text").unwrap().fills_oversized, 1);
}

#[cached(key = "list:<page>", ttl = 3600)]
async fn list(page: u64) -> u64 {
    page
}

#[write_through(
    row(id) = moved.len() as u64, row(1 + id) = *result,
    invalidates(list(id), list(*result), key = "list:<moved>", pattern = "list:9*")
)]
async fn several(id: u64, moved: String) -> Result<u64, Refused> {
    drop(moved);
    Ok(id + 5)
}

/// Some entries are stored, others only invalidated, in one write.
async fn several_entries(fixture: Fixture) {
    let cache = &fixture.cache;
    for page in [1, 6, 3, 99] {
        cache.scope(list(page)).await;
    }
    assert_eq!(cache.scope(several(1, "3".to_owned())).await, Ok(6));
    assert_eq!((fixture.stored(1).await, fixture.stored(2).await), (Some(1), Some(6)));
    for page in [1, 6, 3, 99] {
        assert_eq!(cache.get(&list_key(&page)).await.unwrap(), None, "{page}");
    }
}

#[write_through(row(id) = value, hold_off = "1h")]
async fn set_in_a_replicated_database(
    db: &Table,
    id: u64,
    value: u64,
    fails: bool,
) -> Result<(), Refused> {
    db.update(id, value).await;
    if fails { Err(Refused) } else { Ok(()) }
}

/// The hold-off is for loads. What was written needs none.
async fn a_hold_off_follows_what_was_not_stored(fixture: Fixture) {
    fixture.db.set(1, 0);
    fixture.cache.scope(set_in_a_replicated_database(&fixture.db, 1, 1, false)).await.unwrap();
    assert_eq!(fixture.stored(1).await, Some(1));
    fixture.cache.scope(set_in_a_replicated_database(&fixture.db, 1, 2, true)).await.unwrap_err();
    assert_eq!(fixture.get(1).await, 2);
    assert_eq!(fixture.stored(1).await, None);
}

#[write_through(row(id) = value, fence = "strict")]
async fn set_strictly(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

async fn a_strict_write_stores_where_the_fence_stands(fixture: Fixture) {
    fixture.db.set(1, 0);
    fixture.cache.scope(set_strictly(&fixture.db, 1, 1)).await.unwrap();
    assert_eq!(fixture.stored(1).await, Some(1));
}

#[tokio::test]
async fn without_a_fence_a_strict_write_is_refused_and_another_goes_on() {
    let db = Table::default();
    db.set(1, 0);
    // Nobody listens there.
    let cache = Cache::connect("redis://127.0.0.1:1").unwrap();
    assert_eq!(cache.scope(set_strictly(&db, 1, 1)).await, Err(Refused));
    assert_eq!(db.get(1), Some(0), "the body was not run");
    assert_eq!(cache.scope(set(&db, 1, 1)).await, Ok(()));
    assert_eq!(db.get(1), Some(1));
    assert_eq!(cache.stats().journal_depth, 1);
    Cache::disabled().scope(set_strictly(&db, 1, 2)).await.unwrap();
    assert_eq!(db.get(1), Some(2));
}

on_all_stores! {
    what_was_written_is_stored
    two_writers_in_every_order
    a_load_under_way_stores_nothing
    a_lost_fence_is_no_right_to_store
    a_write_that_does_not_succeed_invalidates
    a_write_reads_its_own_row
    inside_after_commit_it_only_invalidates
    nothing_is_stored_as_nothing
    what_cannot_be_stored_is_invalidated
    several_entries
    a_hold_off_follows_what_was_not_stored
    a_strict_write_stores_where_the_fence_stands
}
