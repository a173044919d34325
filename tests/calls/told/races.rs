//! Loads and invalidations that overlap. A load whose tags nobody could guess stores nothing if a
//! tag was written meanwhile, and one whose tags were guessed stores what nobody finds.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore as _, on_all_stores};
use cache_runtime::{CallExt as _, invalidates};
use cache_testing::barrier::eventually;
use cache_testing::within_limit;

use crate::told::fixture::{Fixture, Invalidation, Row, Table, owner, row, row_key, write};

/// Whether the tags of the load are known before it.
#[derive(Clone, Copy, Debug)]
enum Guess {
    None,
    Right,
    /// The row had another owner before.
    Wrong,
}

impl Guess {
    const ALL: [Self; 3] = [Self::None, Self::Right, Self::Wrong];

    /// Makes it so for the row with this id, which is of owner 1 then, and in no entry.
    async fn prepare(self, fixture: &Fixture, id: u64, value: u64) {
        let earlier = match self {
            Self::None => None,
            Self::Right => Some(value),
            Self::Wrong => Some(value + 500),
        };
        if let Some(earlier) = earlier {
            fixture.db.set(id, earlier);
            fixture.row(id).await;
        }
        fixture.db.set(id, value);
        fixture.cache.invalidate(&row_key(&id)).await.unwrap();
    }
}

/// Polls a call once: it has come as far as to wait.
async fn begin<F: Future>(mut call: Pin<&mut F>) {
    let first = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
    assert!(first.await, "it waits");
}

/// Each case has a row of its own, which nobody has loaded before.
fn cases() -> impl Iterator<Item = (u64, Guess, Invalidation)> {
    let cases = Guess::ALL.into_iter().flat_map(|guess| Invalidation::ALL.map(|it| (guess, it)));
    (1..).zip(cases).map(|(id, (guess, invalidation))| (id, guess, invalidation))
}

/// What was loaded before a tag was invalidated is never found after it.
async fn a_load_under_way_is_invalidated_with_its_tag(fixture: Fixture) {
    for (id, guess, invalidation) in cases() {
        guess.prepare(&fixture, id, 101).await;
        let gate = fixture.db.hold_loads();
        let early = fixture.spawn_row(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, id, 102).await;
        gate.open();
        assert_eq!(early.await.unwrap(), Ok(Row::of(101)), "{guess:?} {invalidation:?}");
        assert_eq!(fixture.stored(id).await, None, "{guess:?} {invalidation:?}");
        assert_eq!(fixture.row(id).await, Row::of(102), "{guess:?} {invalidation:?}");
        assert_eq!(fixture.stored(id).await, Some(Row::of(102)), "{guess:?} {invalidation:?}");
    }
    assert!(fixture.overlapped() > 0);
}

/// Nor does who joined after the invalidation get it.
async fn a_waiter_gets_nothing_that_a_tag_invalidated_before_it_came(fixture: Fixture) {
    for (id, guess, invalidation) in cases() {
        if matches!(invalidation, Invalidation::ByPattern) {
            continue; // Nobody joins a load that is older than one of those.
        }
        guess.prepare(&fixture, id, 101).await;
        let gate = fixture.db.hold_loads();
        let leader = fixture.spawn_row(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, id, 102).await;
        let mut late = Box::pin(fixture.cache.scope(row(&fixture.db, id)));
        begin(late.as_mut()).await;
        gate.open();
        let late = within_limit("the one who came late", late).await;
        assert_eq!(late, Ok(Row::of(102)), "{guess:?} {invalidation:?}");
        assert_eq!(leader.await.unwrap(), Ok(Row::of(101)), "{guess:?} {invalidation:?}");
    }
}

/// Who joins a load that nothing overlaps shares it, and it is stored.
async fn waiters_share_a_load(fixture: Fixture) {
    for (id, guess) in (1..).zip(Guess::ALL) {
        guess.prepare(&fixture, id, 101).await;
        let before = fixture.db.loads();
        let gate = fixture.db.hold_loads();
        let leader = fixture.spawn_row(id);
        gate.entered(1).await;
        let mut late = Box::pin(fixture.cache.scope(row(&fixture.db, id)));
        begin(late.as_mut()).await;
        gate.open();
        assert_eq!(within_limit("the one who came late", late).await, Ok(Row::of(101)));
        leader.await.unwrap().unwrap();
        assert_eq!(fixture.db.loads() - before, 1, "{guess:?}");
        assert_eq!(fixture.stored(id).await, Some(Row::of(101)), "{guess:?}");
    }
}

/// The tag of somebody else keeps only those from being stored whose tags were not known.
async fn a_write_of_another_tag_overlaps_loads_without_a_guess(fixture: Fixture) {
    for (id, guess) in (1..).zip(Guess::ALL) {
        guess.prepare(&fixture, id, 101).await;
        let gate = fixture.db.hold_loads();
        let early = fixture.spawn_row(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        fixture.cache.invalidate_tag(owner(7)).await.unwrap();
        gate.open();
        early.await.unwrap().unwrap();
        let is_stored = fixture.stored(id).await.is_some();
        assert_eq!(is_stored, matches!(guess, Guess::Right), "{guess:?}");
        // The next one knows them.
        let gate = fixture.db.hold_loads();
        fixture.cache.invalidate(&row_key(&id)).await.unwrap();
        let next = fixture.spawn_row(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        fixture.cache.invalidate_tag(owner(7)).await.unwrap();
        gate.open();
        next.await.unwrap().unwrap();
        assert_eq!(fixture.stored(id).await, Some(Row::of(101)), "{guess:?}");
    }
}

/// From before the commit on, and until the write has ended, entries with the tag are loaded and
/// not stored.
async fn behind_the_fence_of_a_tag_nothing_is_stored(fixture: Fixture) {
    for (id, guess) in (1..).zip(Guess::ALL) {
        guess.prepare(&fixture, id, 101).await;
        let gate = fixture.db.hold_writes();
        let db = fixture.db.clone();
        let writing = fixture.spawn(async move { write(&db, 1, id, 102).await });
        gate.entered(1).await;
        for _ in 0..3 {
            assert_eq!(fixture.row(id).await, Row::of(102), "{guess:?}");
            assert_eq!(fixture.stored(id).await, None, "{guess:?}");
        }
        fixture.cache.put(&row_key(&id), &Row::of(101)).await.unwrap();
        assert_eq!(fixture.stored(id).await, None, "nor by hand");
        gate.open();
        writing.await.unwrap();
        assert_eq!(fixture.row(id).await, Row::of(102), "{guess:?}");
        assert_eq!(fixture.stored(id).await, Some(Row::of(102)), "{guess:?}");
    }
}

/// A write that reads what it is about to invalidate sees its own row, and shares it with nobody,
/// although it finds out only then that it is its own.
async fn inside_the_write_what_is_loaded_is_not_shared(fixture: Fixture) {
    #[invalidates(tag = "owner:<owner>")]
    async fn read_between(db: &Table, owner: u64, id: u64) -> Row {
        db.set(id, 102);
        let row = row(db, id).await.unwrap();
        // Rolled back.
        db.set(id, 101);
        row
    }
    for (id, guess) in (1..).zip(Guess::ALL) {
        guess.prepare(&fixture, id, 101).await;
        let gate = fixture.db.hold_loads();
        let db = fixture.db.clone();
        let inside = fixture.spawn(async move { read_between(&db, 1, id).await });
        gate.entered(1).await;
        fixture.db.let_loads_run();
        fixture.db.set(id, 101);
        let mut other = Box::pin(fixture.cache.scope(row(&fixture.db, id)));
        if std::future::poll_fn(|cx| Poll::Ready(other.as_mut().poll(cx).is_pending())).await {
            gate.open();
            assert_eq!(within_limit("another task", other).await, Ok(Row::of(101)), "{guess:?}");
        } else {
            gate.open();
        }
        assert_eq!(inside.await.unwrap(), Row::of(102), "{guess:?}");
        assert_ne!(fixture.stored(id).await, Some(Row::of(102)), "{guess:?}");
        assert_eq!(fixture.row(id).await, Row::of(101), "{guess:?}");
    }
}

/// A writer that dies after its commit leaves the fences. While they stand nothing is stored, and
/// then nothing old is found, although the load began before the commit and ends after that.
async fn a_writer_that_dies_leaves_nothing_stale(fixture: Fixture) {
    let builder = patient().fence(Duration::from_secs(3));
    let cache = match fixture.store.remote() {
        Some((server, _)) => builder.connect(&server.url()).unwrap(),
        None => builder.connect("memory:").unwrap(),
    };
    let fixture = Fixture { cache, ..fixture };
    for (id, guess) in (1..).zip(Guess::ALL) {
        guess.prepare(&fixture, id, 101).await;
        let loads = fixture.db.hold_loads();
        let early = fixture.spawn_row(id);
        loads.entered(1).await;
        fixture.db.let_loads_run();
        let gate = fixture.db.hold_writes();
        let mut writing = Box::pin(fixture.cache.scope(write(&fixture.db, 1, id, 102)));
        tokio::select! {
            () = writing.as_mut() => unreachable!("it is held"),
            () = gate.entered(1) => {}
        }
        // Not dropped, which a process has no time for either.
        std::mem::forget(writing);
        let other = id + 100;
        fixture.db.set(other, 103);
        eventually!({
            assert_eq!(fixture.row(other).await, Row::of(103));
            fixture.stored(other).await.is_some()
        });
        loads.open();
        assert_eq!(early.await.unwrap(), Ok(Row::of(101)));
        assert_eq!(fixture.row(id).await, Row::of(102), "{guess:?}");
    }
}

/// A replica of the database lags behind the write. What is loaded from it in the meantime is not
/// stored, although the load ends when the tag may have stamps again.
async fn a_load_from_a_replica_that_lags_is_not_stored(fixture: Fixture) {
    #[invalidates(tag = "owner:<owner>", hold_off = "500ms")]
    async fn write_before_replicas(db: &Table, owner: u64, id: u64, value: u64) {
        db.update(id, value).await;
    }
    for (id, guess) in (1..).zip(Guess::ALL) {
        guess.prepare(&fixture, id, 101).await;
        fixture.cache.scope(write_before_replicas(&fixture.db, 1, id, 102)).await;
        // What the replica still has.
        fixture.db.set(id, 101);
        let loads = fixture.db.hold_loads();
        let early = fixture.spawn_row(id);
        loads.entered(1).await;
        fixture.db.let_loads_run();
        fixture.db.set(id, 102);
        let other = id + 100;
        fixture.db.set(other, 103);
        eventually!({
            assert_eq!(fixture.row(other).await, Row::of(103));
            fixture.stored(other).await.is_some()
        });
        loads.open();
        assert_eq!(early.await.unwrap(), Ok(Row::of(101)));
        assert_eq!(fixture.row(id).await, Row::of(102), "{guess:?}");
    }
}

/// A refresh that began before the invalidation stores nothing that is found after it.
async fn a_refresh_is_invalidated_with_its_tag(fixture: Fixture) {
    for (id, invalidation) in (1..).zip(Invalidation::ALL) {
        for moved in [false, true] {
            let id = 2 * id + u64::from(moved);
            fixture.db.set(id, if moved { 501 } else { 101 });
            fixture.row(id).await;
            fixture.db.set(id, 101);
            let gate = fixture.db.hold_loads();
            let db = fixture.db.clone();
            let refresh = fixture.spawn(async move { row(&db, id).refresh().await });
            gate.entered(1).await;
            fixture.db.let_loads_run();
            invalidation.write(&fixture, id, 102).await;
            gate.open();
            refresh.await.unwrap().unwrap();
            let stored = fixture.stored(id).await;
            // Where only the new owner was written, the old one's value may stay: it is up to the
            // write to name the old one too.
            assert!(
                stored.is_none_or(|row| moved && row.owner == 5),
                "{invalidation:?} {stored:?}"
            );
        }
    }
    fixture.db.set(1, 103);
    let refreshed = fixture.cache.scope(row(&fixture.db, 1).refresh()).await.unwrap();
    assert_eq!((refreshed, fixture.stored(1).await), (Row::of(103), Some(Row::of(103))));
}

on_all_stores! {
    a_load_under_way_is_invalidated_with_its_tag
    a_waiter_gets_nothing_that_a_tag_invalidated_before_it_came
    waiters_share_a_load
    a_write_of_another_tag_overlaps_loads_without_a_guess
    behind_the_fence_of_a_tag_nothing_is_stored
    inside_the_write_what_is_loaded_is_not_shared
    a_writer_that_dies_leaves_nothing_stale
    a_load_from_a_replica_that_lags_is_not_stored
    a_refresh_is_invalidated_with_its_tag
}

/// The stamp of the epoch may be evicted. Another one is not the same.
#[tokio::test]
async fn an_epoch_that_is_lost_refuses_the_load() {
    let fixture = Fixture::redis().await;
    let client = fixture.store.client();
    fixture.db.set(1, 101);
    let gate = fixture.db.hold_loads();
    let early = fixture.spawn_row(1);
    gate.entered(1).await;
    fixture.db.let_loads_run();
    assert!(client.del("~tags").await);
    // Another load makes a new one.
    fixture.db.set(2, 102);
    fixture.row(2).await;
    gate.open();
    early.await.unwrap().unwrap();
    assert_eq!((fixture.stored(1).await, fixture.overlapped()), (None, 1));
}
