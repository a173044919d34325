//! Writes inside a database transaction.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::invalidates;
use cache_testing::barrier::Gate;

use crate::protocol::fixture::{Fixture, Refused, Table, row_key};

/// A transaction on the fixture's database: what it sets is seen when it commits.
struct Transaction<'a> {
    db: &'a Table,
    sets: Vec<(u64, u64)>,
}

impl Transaction<'_> {
    fn commit(self) {
        for (id, value) in self.sets {
            self.db.set(id, value);
        }
    }
}

#[invalidates(row(id), in_transaction)]
async fn set(tx: &mut Transaction<'_>, id: u64, value: u64) -> Result<(), Refused> {
    tx.sets.push((id, value));
    Ok(())
}

/// No reader stores the old row between the write and the commit, however long that takes.
async fn readers_before_the_commit_store_nothing(fixture: Fixture) {
    fixture.db.set(1, 0);
    fixture.db.set(2, 0);
    assert_eq!((fixture.get(1).await, fixture.get(2).await), (0, 0));
    let gate = Gate::new();
    let work = {
        let (db, gate, cache) = (fixture.db.clone(), gate.clone(), fixture.cache.clone());
        async move {
            cache
                .after_commit(async {
                    let mut tx = Transaction { db: &db, sets: Vec::new() };
                    set(&mut tx, 1, 1).await.unwrap();
                    set(&mut tx, 2, 2).await.unwrap();
                    gate.pass().await;
                    tx.commit();
                })
                .await;
        }
    };
    let work = fixture.spawn(work);
    gate.entered(1).await;
    // The writes have returned, the transaction has not been committed.
    assert_eq!((fixture.get(1).await, fixture.get(2).await), (0, 0));
    assert_eq!((fixture.stored(1).await, fixture.stored(2).await), (None, None));
    gate.open();
    work.await.unwrap();
    assert_eq!((fixture.get(1).await, fixture.get(2).await), (1, 2));
    assert_eq!((fixture.stored(1).await, fixture.stored(2).await), (Some(1), Some(2)));
}

#[invalidates(row(id), in_transaction, fence = "off")]
async fn set_unfenced(tx: &mut Transaction<'_>, id: u64, value: u64) -> Result<(), Refused> {
    tx.sets.push((id, value));
    Ok(())
}

/// By hand as by a function: the task that writes an entry neither finds anything there nor stores
/// anything.
async fn a_task_goes_around_what_it_writes_by_hand(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    let key = row_key(&1);
    for fenced in [true, false] {
        cache.put(&key, &7).await.unwrap();
        let work = async {
            let mut tx = Transaction { db, sets: Vec::new() };
            assert_eq!(cache.get(&key).await.unwrap(), Some(7), "not yet");
            if fenced {
                set(&mut tx, 1, 8).await.unwrap();
            } else {
                set_unfenced(&mut tx, 1, 8).await.unwrap();
            }
            assert_eq!(cache.get(&key).await.unwrap(), None);
            cache.put(&key, &8).await.unwrap();
            let others = cache.clone();
            let found = fixture.spawn(async move { others.get(&row_key(&1)).await.unwrap() });
            assert_eq!(found.await.unwrap(), None, "it is not committed");
            tx.commit();
        };
        cache.scope(cache.after_commit(work)).await;
        assert_eq!(cache.get(&key).await.unwrap(), None);
    }
    assert_eq!(fixture.get(1).await, 8);
}

/// Dropped, or panicking, the work leaves its fences up.
async fn work_that_does_not_end_leaves_its_fences(fixture: Fixture) {
    for (id, panics) in [(1, false), (2, true)] {
        fixture.db.set(id, 0);
        assert_eq!(fixture.get(id).await, 0);
        let gate = Gate::new();
        let work = {
            let (db, gate, cache) = (fixture.db.clone(), gate.clone(), fixture.cache.clone());
            async move {
                cache
                    .after_commit(async {
                        let mut tx = Transaction { db: &db, sets: Vec::new() };
                        set(&mut tx, id, 1).await.unwrap();
                        tx.commit();
                        gate.pass().await;
                        assert!(!panics, "on purpose");
                    })
                    .await;
            }
        };
        let work = fixture.spawn(work);
        gate.entered(1).await;
        assert_eq!(fixture.get(id).await, 1);
        assert_eq!(fixture.stored(id).await, None, "fenced");
        if panics {
            gate.open();
        } else {
            work.abort();
        }
        assert!(work.await.is_err());
        fixture.is_not_stored(id, 1).await;
    }
}

/// A nested `after_commit` ends with the outer one: the inner is a savepoint at most.
async fn a_nested_scope_ends_with_the_outer_one(fixture: Fixture) {
    fixture.db.set(1, 0);
    let cache = fixture.cache.clone();
    let work = cache.after_commit(async {
        cache
            .after_commit(async {
                let mut tx = Transaction { db: &fixture.db, sets: Vec::new() };
                set(&mut tx, 1, 1).await.unwrap();
            })
            .await;
        // In another task, as the present one goes around its own fences anyway.
        assert_eq!(fixture.read(1).await.unwrap(), Ok(0));
        assert_eq!(fixture.stored(1).await, None, "fenced until the outer one ends");
    });
    fixture.cache.scope(work).await;
    assert_eq!(fixture.get(1).await, 0);
    assert_eq!(fixture.stored(1).await, Some(0));
}

/// With no `after_commit` around it, a write in a transaction leaves its fence standing.
async fn without_a_scope_the_fence_stands(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let mut tx = Transaction { db: &fixture.db, sets: Vec::new() };
    fixture.cache.scope(set(&mut tx, 1, 1)).await.unwrap();
    assert_eq!(fixture.get(1).await, 0, "not committed");
    assert_eq!(fixture.stored(1).await, None, "fenced");
    tx.commit();
    assert_eq!(fixture.get(1).await, 1);
}

on_all_stores! {
    a_task_goes_around_what_it_writes_by_hand
    readers_before_the_commit_store_nothing
    work_that_does_not_end_leaves_its_fences
    a_nested_scope_ends_with_the_outer_one
    without_a_scope_the_fence_stands
}
