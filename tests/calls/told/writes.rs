//! What writes store under tags that the value tells.

use cache_fixtures::stores::on_all_stores;

use crate::told::fixture::{Fixture, Row, owner, row_key, save};

async fn what_is_put_by_hand_has_the_tags(fixture: Fixture) {
    let (cache, key) = (&fixture.cache, row_key(&1));
    for value in [101, 201] {
        cache.put(&key, &Row::of(value)).await.unwrap();
        assert_eq!(fixture.row(1).await, Row::of(value), "a hit");
        cache.invalidate_tag(owner(9)).await.unwrap();
        assert_eq!(fixture.stored(1).await, Some(Row::of(value)));
        cache.invalidate_tag(owner(value / 100)).await.unwrap();
        assert_eq!(fixture.stored(1).await, None);
    }
}

/// Whether or not they could be guessed.
async fn what_a_write_stores_has_the_tags(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    for value in [101, 102, 201] {
        cache.scope(save(db, 1, value)).await.unwrap();
        assert_eq!((fixture.row(1).await, db.loads()), (Row::of(value), 0), "a hit");
    }
    cache.invalidate_tag(owner(1)).await.unwrap();
    assert_eq!(fixture.stored(1).await, Some(Row::of(201)));
    cache.invalidate_tag(owner(2)).await.unwrap();
    assert_eq!(fixture.stored(1).await, None);
}

/// The tag was written while the write ran: the value may be older than that.
async fn a_write_that_is_overlapped_stores_nothing_that_is_found(fixture: Fixture) {
    let (cache, db) = (&fixture.cache, &fixture.db);
    for (id, is_guessed) in [(1, false), (2, true)] {
        if is_guessed {
            db.set(id, 101);
            fixture.row(id).await;
        }
        let gate = db.hold_writes();
        let saving = {
            let db = db.clone();
            fixture.spawn(async move { save(&db, id, 102).await })
        };
        gate.entered(1).await;
        cache.invalidate_tag(owner(1)).await.unwrap();
        gate.open();
        saving.await.unwrap().unwrap();
        assert_eq!(fixture.stored(id).await, None, "guessed: {is_guessed}");
        assert_eq!(fixture.row(id).await, Row::of(102));
    }
}

on_all_stores! {
    what_is_put_by_hand_has_the_tags
    what_a_write_stores_has_the_tags
    a_write_that_is_overlapped_stores_nothing_that_is_found
}
