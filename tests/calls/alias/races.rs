//! Loads of aliases, and writes of their entities that overlap.

use std::pin::Pin;
use std::task::Poll;

use cache_fixtures::stores::on_all_stores;
use cache_runtime::invalidates;
use cache_testing::within_limit;

use crate::alias::fixture::{Fixture, Invalidation, Table, User, user_at, user_key, write};

/// What the load of an alias begins with.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// Nobody knows which entity it is.
    Nothing,
    /// The entity is known, and its entry is empty.
    Entity,
    /// The entity is known, and its value is there.
    Value,
    /// The entity of another user, whose address it was.
    Other,
}

impl Known {
    const ALL: [Self; 4] = [Self::Nothing, Self::Entity, Self::Value, Self::Other];

    /// Makes it so for the user with this id, at the address of the same number.
    async fn prepare(self, fixture: &Fixture, id: u64, row: u64) {
        let (cache, db) = (&fixture.cache, &fixture.db);
        match self {
            Self::Nothing => db.set(id, row),
            Self::Entity | Self::Value => {
                db.set(id, row);
                fixture.user_at(id).await;
            }
            Self::Other => {
                let other = id + 200;
                db.set(other, row);
                fixture.user_at(id).await;
                db.set(other, 1);
                db.set(id, row);
                cache.invalidate(&user_key(&other)).await.unwrap();
            }
        }
        if matches!(self, Self::Value) {
            fixture.user(id).await;
        }
    }
}

/// Each case has a user and an address of its own, which nobody has looked up before.
fn cases(fixture: &Fixture) -> impl Iterator<Item = (u64, Known, Invalidation)> {
    let all = Invalidation::on(&fixture.store);
    let cases = Known::ALL
        .into_iter()
        .flat_map(move |known| all.clone().into_iter().map(move |it| (known, it)));
    (1..).zip(cases).map(|(id, (known, invalidation))| (id, known, invalidation))
}

/// Polls a call once: it has come as far as to wait.
async fn begin<F: Future>(mut call: Pin<&mut F>) {
    let first = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
    assert!(first.await, "it waits");
}

/// What was loaded before the entity was invalidated is never found after it.
async fn a_load_under_way_is_invalidated_with_its_entity(fixture: Fixture) {
    for (id, known, invalidation) in cases(&fixture) {
        let (old, new) = (User::of(id, 100 * id + 1), User::of(id, 100 * id + 2));
        known.prepare(&fixture, id, 100 * id + 1).await;
        let gate = fixture.db.hold_loads();
        let early = fixture.spawn_user_at(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, id, 100 * id + 2).await;
        gate.open();
        assert_eq!(early.await.unwrap(), Some(old), "{known:?} {invalidation:?}");
        assert_eq!(fixture.stored_at(id).await, None, "{known:?} {invalidation:?}");
        assert_eq!(fixture.stored(id).await, None, "{known:?} {invalidation:?}");
        for _ in 0..3 {
            assert_eq!(fixture.user_at(id).await, Some(new), "{known:?} {invalidation:?}");
            assert_eq!(fixture.user_at_there(id).await, Some(new));
        }
        assert_eq!(fixture.stored_at(id).await, Some(new), "{known:?} {invalidation:?}");
    }
}

/// The address becomes somebody else's while it is looked up.
async fn an_address_moves_during_a_load(fixture: Fixture) {
    for (id, known, invalidation) in cases(&fixture) {
        known.prepare(&fixture, id, 100 * id + 1).await;
        let gate = fixture.db.hold_loads();
        let early = fixture.spawn_user_at(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, id, 39_901).await;
        let other = id + 100;
        fixture.db.set(other, 100 * id + 1);
        fixture.cache.invalidate(&user_key(&other)).await.unwrap();
        gate.open();
        early.await.unwrap();
        for _ in 0..3 {
            let moved = Some(User::of(other, 100 * id + 1));
            assert_eq!(fixture.user_at(id).await, moved, "{known:?} {invalidation:?}");
            assert_eq!(fixture.user_at_there(id).await, moved);
        }
    }
}

/// Nor does who joined after the invalidation get it.
async fn a_waiter_gets_nothing_that_was_invalidated_before_it_came(fixture: Fixture) {
    for (id, known, invalidation) in cases(&fixture) {
        if matches!(invalidation, Invalidation::ByPattern | Invalidation::Del) {
            continue; // This process does not know which entries these are of.
        }
        known.prepare(&fixture, id, 100 * id + 1).await;
        let gate = fixture.db.hold_loads();
        let leader = fixture.spawn_user_at(id);
        gate.entered(1).await;
        fixture.db.let_loads_run();
        invalidation.write(&fixture, id, 100 * id + 2).await;
        let mut late = Box::pin(fixture.cache.scope(user_at(&fixture.db, id)));
        begin(late.as_mut()).await;
        gate.open();
        let late = within_limit("the one who came late", late).await.unwrap();
        let new = Some(User::of(id, 100 * id + 2));
        assert_eq!(late, new, "{known:?} {invalidation:?}");
        leader.await.unwrap();
    }
}

/// Who joins a load that nothing overlaps shares it; where nobody knew the entity before, those who
/// came later share the next one.
async fn waiters_share_a_load(fixture: Fixture) {
    for (id, known) in (1..).zip(Known::ALL) {
        known.prepare(&fixture, id, 100 * id + 1).await;
        let before = fixture.db.loads();
        let gate = fixture.db.hold_loads();
        let leader = fixture.spawn_user_at(id);
        gate.entered(1).await;
        let mut late = Box::pin(fixture.cache.scope(user_at(&fixture.db, id)));
        begin(late.as_mut()).await;
        gate.open();
        let user = Some(User::of(id, 100 * id + 1));
        assert_eq!(within_limit("the one who came late", late).await, Ok(user), "{known:?}");
        let loads = if matches!(known, Known::Entity | Known::Value) { 1 } else { 2 };
        assert_eq!(leader.await.unwrap(), user, "{known:?}");
        assert_eq!(fixture.db.loads() - before, loads, "{known:?}");
    }
}

/// From before the commit on, and until the write has ended, aliases find nothing and store
/// nothing.
async fn behind_the_fence_of_the_entity_nothing_is_stored(fixture: Fixture) {
    for (id, known) in (1..).zip(Known::ALL) {
        known.prepare(&fixture, id, 100 * id + 1).await;
        let gate = fixture.db.hold_writes();
        let db = fixture.db.clone();
        let writing = fixture.spawn(async move { write(&db, id, 100 * id + 2).await });
        gate.entered(1).await;
        let new = Some(User::of(id, 100 * id + 2));
        for _ in 0..3 {
            assert_eq!(fixture.user_at(id).await, new, "{known:?}");
            assert_eq!(fixture.user_at_there(id).await, new, "{known:?}");
            assert_eq!(fixture.stored_at(id).await, None, "{known:?}");
        }
        gate.open();
        writing.await.unwrap();
        for _ in 0..2 {
            assert_eq!(fixture.user_at(id).await, new, "{known:?}");
        }
        assert_eq!(fixture.stored_at(id).await, new, "{known:?}");
    }
}

/// A write that looks up what it is about to invalidate sees its own row, and shares it with
/// nobody.
async fn inside_the_write_what_is_loaded_is_not_shared(fixture: Fixture) {
    #[invalidates(user(id))]
    async fn read_between(db: &Table, id: u64) -> Option<User> {
        db.set(id, 100 * id + 2);
        let user = user_at(db, id).await.unwrap();
        // Rolled back.
        db.set(id, 100 * id + 1);
        user
    }
    for (id, known) in (1..).zip(Known::ALL) {
        known.prepare(&fixture, id, 100 * id + 1).await;
        let gate = fixture.db.hold_loads();
        let db = fixture.db.clone();
        let inside = fixture.spawn(async move { read_between(&db, id).await });
        gate.entered(1).await;
        fixture.db.let_loads_run();
        fixture.db.set(id, 100 * id + 1);
        let old = Some(User::of(id, 100 * id + 1));
        let mut other = Box::pin(fixture.cache.scope(user_at(&fixture.db, id)));
        if std::future::poll_fn(|cx| Poll::Ready(other.as_mut().poll(cx).is_pending())).await {
            gate.open();
            assert_eq!(within_limit("another task", other).await, Ok(old), "{known:?}");
        } else {
            gate.open();
        }
        assert_eq!(inside.await.unwrap(), Some(User::of(id, 100 * id + 2)), "{known:?}");
        for _ in 0..3 {
            assert_eq!(fixture.user_at(id).await, old, "{known:?}");
        }
    }
}

on_all_stores! {
    a_load_under_way_is_invalidated_with_its_entity
    an_address_moves_during_a_load
    a_waiter_gets_nothing_that_was_invalidated_before_it_came
    waiters_share_a_load
    behind_the_fence_of_the_entity_nothing_is_stored
    inside_the_write_what_is_loaded_is_not_shared
}
