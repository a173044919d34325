//! Where values stand, and which changes outdate them.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::CallExt as _;

use crate::alias::fixture::{Fixture, Invalidation, User, user_at, user_at_key, user_key};

async fn one_value_serves_both_ways(fixture: Fixture) {
    let ada = Some(User::of(1, 501));
    fixture.db.set(1, 501);
    for loads in [1, 2, 2] {
        assert_eq!((fixture.user_at(5).await, fixture.db.loads()), (ada, loads));
    }
    assert_eq!(fixture.hinted(), 1, "of the first load only which entry it is");
    assert_eq!((fixture.user(1).await, fixture.db.loads()), (ada, 2), "the second stored it");
    assert_eq!((fixture.user_at_there(5).await, fixture.db.loads()), (ada, 2));
}

/// A value that is there is not loaded for its own sake: only the index is missing.
async fn an_alias_leads_to_a_value_that_is_there(fixture: Fixture) {
    let ada = Some(User::of(1, 501));
    fixture.db.set(1, 501);
    fixture.user(1).await;
    for loads in [2, 3, 3] {
        assert_eq!((fixture.user_at(5).await, fixture.db.loads()), (ada, loads));
    }
    assert_eq!((fixture.user(1).await, fixture.db.loads()), (ada, 3));
    assert_eq!(fixture.cache.stats().function("alias::fixture::user").unwrap().fills_stored, 1);
}

/// What one process has learnt, others find in the key of the alias.
async fn another_process_begins_with_the_hint(fixture: Fixture) {
    fixture.db.set(1, 501);
    fixture.user_at(5).await;
    fixture.user_at_there(5).await;
    assert_eq!(fixture.db.loads(), 2);
    fixture.user_at(5).await;
    assert_eq!(fixture.db.loads(), 2, "the other one stored both");
}

async fn what_invalidates_the_entity_outdates_both_ways(fixture: Fixture) {
    for (id, invalidation) in (1..).zip(Invalidation::on(&fixture.store)) {
        let row = 100 * id + 1;
        fixture.db.set(id, row);
        for _ in 0..3 {
            fixture.user_at(id).await;
        }
        assert_eq!(fixture.stored_at(id).await, Some(User::of(id, row)), "{invalidation:?}");
        invalidation.write(&fixture, id, row + 1).await;
        assert_eq!(fixture.stored_at(id).await, None, "{invalidation:?}");
        let before = fixture.db.loads();
        for _ in 0..2 {
            assert_eq!(fixture.user_at(id).await, Some(User::of(id, row + 1)), "{invalidation:?}");
            assert_eq!(fixture.user_at_there(id).await, Some(User::of(id, row + 1)));
        }
        assert_eq!(fixture.db.loads() - before, 1, "the entity is known: {invalidation:?}");
    }
}

/// Neither of the two is found where the other one is now.
async fn an_address_moves(fixture: Fixture) {
    for (id, row) in [(1, 501), (2, 602)] {
        fixture.db.set(id, row);
    }
    for _ in 0..3 {
        fixture.user_at(5).await;
        fixture.user_at(6).await;
    }
    Invalidation::Macro.write(&fixture, 1, 701).await;
    Invalidation::Macro.write(&fixture, 2, 502).await;
    for _ in 0..4 {
        assert_eq!(fixture.user_at(5).await, Some(User::of(2, 502)));
        assert_eq!(fixture.user_at_there(5).await, Some(User::of(2, 502)));
    }
    let loads = fixture.db.loads();
    assert_eq!(fixture.user_at(5).await, Some(User::of(2, 502)));
    assert_eq!(fixture.db.loads(), loads, "the new index is stored");
    assert_eq!(fixture.user(1).await, Some(User::of(1, 701)));
}

/// That there is nobody stands in the key of the alias, and ends with that.
async fn absence_has_no_entity(fixture: Fixture) {
    for _ in 0..2 {
        assert_eq!((fixture.user_at(5).await, fixture.db.loads()), (None, 1));
        assert_eq!((fixture.user_at_there(5).await, fixture.db.loads()), (None, 1));
    }
    fixture.db.set(1, 501);
    fixture.cache.invalidate(&user_at_key(&5)).await.unwrap();
    assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)));
    for _ in 0..2 {
        fixture.user_at(5).await;
    }
    assert_eq!(fixture.db.loads(), 3);
    fixture.db.set(1, 601);
    fixture.cache.invalidate(&user_key(&1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!((fixture.user_at(5).await, fixture.db.loads()), (None, 4));
    }
}

/// The way alone: the entity stays.
async fn an_alias_can_be_invalidated_by_itself(fixture: Fixture) {
    fixture.db.set(1, 501);
    for _ in 0..2 {
        fixture.user_at(5).await;
    }
    fixture.cache.invalidate(&user_at_key(&5)).await.unwrap();
    assert_eq!((fixture.user(1).await, fixture.db.loads()), (Some(User::of(1, 501)), 2));
    for _ in 0..2 {
        fixture.user_at(5).await;
    }
    assert_eq!(fixture.db.loads(), 3);
}

async fn refresh_and_bypass_do_what_they_do_elsewhere(fixture: Fixture) {
    fixture.db.set(1, 501);
    for _ in 0..3 {
        fixture.user_at(5).await;
    }
    fixture.db.set(1, 502);
    let bypassed = fixture.cache.scope(user_at(&fixture.db, 5).bypass()).await;
    assert_eq!(bypassed, Ok(Some(User::of(1, 502))));
    assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)), "still stored");
    let refreshed = fixture.cache.scope(user_at(&fixture.db, 5).refresh()).await;
    assert_eq!(refreshed, Ok(Some(User::of(1, 502))));
    let loads = fixture.db.loads();
    assert_eq!(fixture.user_at(5).await, Some(User::of(1, 502)));
    assert_eq!((fixture.user(1).await, fixture.db.loads()), (Some(User::of(1, 502)), loads));
}

on_all_stores! {
    one_value_serves_both_ways
    an_alias_leads_to_a_value_that_is_there
    another_process_begins_with_the_hint
    what_invalidates_the_entity_outdates_both_ways
    an_address_moves
    absence_has_no_entity
    an_alias_can_be_invalidated_by_itself
    refresh_and_bypass_do_what_they_do_elsewhere
}
