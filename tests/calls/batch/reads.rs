//! One caller at a time: what is loaded, stored and returned.

use std::collections::{BTreeMap, HashMap, HashSet};

use cache_fixtures::stats;
use cache_fixtures::stores::on_both_stores;
use cache_runtime::CallExt as _;

use crate::batch::fixture::{
    Fixture, own_rows, own_rows_key, row, row_key, rows, rows_or_none, sorted, tens, write,
};

on_both_stores! {
    the_body_runs_for_what_is_missing
    one_and_many_share_their_entries
    nothing_is_asked_for_nothing
    an_id_is_loaded_once_however_often_it_is_given
    lists_keep_the_order_of_the_ids
    what_is_not_there_is_left_out_and_remembered_if_asked
    what_was_not_asked_for_is_ignored
    entries_of_its_own_have_a_companion
    a_failing_body_stores_nothing
    a_refresh_replaces_all
    a_bypass_touches_nothing
    a_hit_that_does_not_decode_is_loaded_alone
    every_event_is_counted_by_id
}

async fn the_body_runs_for_what_is_missing(fixture: Fixture) {
    assert_eq!(fixture.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[1, 2, 3]]);
    assert_eq!(fixture.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0], "all are there");
    assert_eq!(fixture.get([5, 2, 3, 4]).await, tens([2, 3, 4, 5]));
    assert_eq!(fixture.db.take_loads(), [[4, 5]]);
}

async fn one_and_many_share_their_entries(fixture: Fixture) {
    assert_eq!(fixture.get([1, 2]).await, tens([1, 2]));
    fixture.db.take_loads();
    assert_eq!(fixture.cache.scope(row(&fixture.db, 1)).await, Ok(Some(10)));
    assert_eq!(fixture.cache.scope(row(&fixture.db, 3)).await, Ok(Some(30)));
    assert_eq!(fixture.db.take_loads(), [[3]]);
    assert_eq!(fixture.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0]);

    fixture.cache.scope(write(&fixture.db, 2, 21)).await.unwrap();
    assert_eq!(fixture.get([1, 2, 3]).await, [(1, 10), (2, 21), (3, 30)]);
    assert_eq!(fixture.db.take_loads(), [[2]], "a write of one");
    fixture.cache.invalidate(&[row_key(&1), row_key(&3)]).await.unwrap();
    assert_eq!(fixture.get([1, 2, 3]).await, [(1, 10), (2, 21), (3, 30)]);
    assert_eq!(fixture.db.take_loads(), [[1, 3]]);
}

async fn nothing_is_asked_for_nothing(fixture: Fixture) {
    assert_eq!(fixture.get([]).await, []);
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0]);
    assert_eq!(fixture.cache.scope(rows_or_none(&fixture.db, vec![])).await, Ok(vec![]));
    assert_eq!(fixture.cache.scope(own_rows(&fixture.db, HashSet::new())).await, BTreeMap::new());
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0]);
}

async fn an_id_is_loaded_once_however_often_it_is_given(fixture: Fixture) {
    assert_eq!(fixture.get([2, 1, 2, 2, 1]).await, tens([1, 2]));
    assert_eq!(fixture.db.take_loads(), [[1, 2]]);
}

async fn lists_keep_the_order_of_the_ids(fixture: Fixture) {
    let read = || fixture.cache.scope(rows_or_none(&fixture.db, vec![7, 1, 7, 4, 0, 1]));
    let expected = Ok(vec![(7, 70), (1, 10), (4, 40), (0, 0)]);
    assert_eq!(read().await, expected, "loaded");
    assert_eq!(read().await, expected, "found");
    fixture.cache.invalidate(&row_key(&1)).await.unwrap();
    assert_eq!(read().await, expected, "both");
}

async fn what_is_not_there_is_left_out_and_remembered_if_asked(fixture: Fixture) {
    assert_eq!(fixture.get([1, 76]).await, tens([1]));
    assert_eq!(fixture.stored([1, 76]).await, [Some(Some(10)), None]);
    assert_eq!(fixture.get([1, 76]).await, tens([1]));
    assert_eq!(fixture.db.take_loads(), [vec![1, 76], vec![76]]);

    let read = || fixture.cache.scope(rows_or_none(&fixture.db, vec![77, 1, 78]));
    assert_eq!(read().await, Ok(tens([1])));
    assert_eq!(fixture.stored([77, 78]).await, [Some(None); 2]);
    assert_eq!(read().await, Ok(tens([1])));
    assert_eq!(fixture.cache.scope(row(&fixture.db, 77)).await, Ok(None));
    assert_eq!(fixture.get([77]).await, []);
    assert_eq!(fixture.db.take_loads(), [[77, 78]], "known not to be there, to all functions");

    fixture.cache.scope(write(&fixture.db, 77, 7)).await.unwrap();
    assert_eq!(read().await, Ok(vec![(77, 7), (1, 10)]));
}

async fn what_was_not_asked_for_is_ignored(fixture: Fixture) {
    #[cache_runtime::cached(batch(id in ids), key = row_key(id), ttl = 60)]
    async fn all(ids: &[u64]) -> HashMap<u64, u64> {
        _ = ids;
        (0..100).map(|id| (id, id)).collect()
    }
    assert_eq!(sorted(fixture.cache.scope(all(&[3])).await), [(3, 3)]);
    assert_eq!(fixture.stored([3, 4]).await, [Some(Some(3)), None]);
}

async fn entries_of_its_own_have_a_companion(fixture: Fixture) {
    let ids = HashSet::from([1, 2, 77]);
    let read = || fixture.cache.scope(own_rows(&fixture.db, ids.clone()));
    let expected = BTreeMap::from([(1, 10), (2, 20)]);
    assert_eq!(read().await, expected);
    assert_eq!(fixture.cache.get(&own_rows_key(&2)).await.unwrap(), Some(20));
    assert_eq!(own_rows_key(&2).as_str(), "own:2");
    fixture.cache.put(&own_rows_key(&77), &7).await.unwrap();
    assert_eq!(read().await, BTreeMap::from([(1, 10), (2, 20), (77, 7)]));
    assert_eq!(fixture.db.take_loads(), [[1, 2, 77]]);
}

async fn a_failing_body_stores_nothing(fixture: Fixture) {
    fixture.get([1]).await;
    fixture.db.fail(true);
    let failed = fixture.cache.scope(rows(&fixture.db, &[1, 2, 3])).await;
    assert_eq!(failed, Err(crate::batch::fixture::Refused));
    cache_testing::barrier::eventually!(fixture.is_free([1, 2, 3]).await);
    assert_eq!(fixture.stored([1, 2, 3]).await, [Some(Some(10)), None, None]);
    fixture.db.fail(false);
    assert_eq!(fixture.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(stats(&fixture.cache, "rows").loads_failed, 1);
}

async fn a_refresh_replaces_all(fixture: Fixture) {
    fixture.get([1, 2]).await;
    fixture.db.set(1, 11);
    fixture.db.set(3, 31);
    assert_eq!(fixture.refresh([1, 2, 3]).await, [(1, 11), (2, 20), (3, 31)]);
    assert_eq!(fixture.db.take_loads(), [vec![1, 2], vec![1, 2, 3]]);
    assert_eq!(fixture.stored([1, 2, 3]).await, [Some(Some(11)), Some(Some(20)), Some(Some(31))]);
}

async fn a_bypass_touches_nothing(fixture: Fixture) {
    fixture.get([1]).await;
    fixture.db.set(1, 11);
    let bypassed = fixture.cache.scope(rows(&fixture.db, &[1, 2]).bypass()).await.unwrap();
    assert_eq!(sorted(bypassed), [(1, 11), (2, 20)]);
    assert_eq!(fixture.stored([1, 2]).await, [Some(Some(10)), None]);
    assert_eq!(stats(&fixture.cache, "rows").outcomes.bypassed, 2);
}

/// Of another version of the type, say.
async fn a_hit_that_does_not_decode_is_loaded_alone(fixture: Fixture) {
    fixture.get([1, 2, 3]).await;
    let text = cache_runtime::Key::<String>::builder().text("row:2").done();
    let text = text.ttl(std::time::Duration::from_secs(60));
    fixture.cache.put(&text, &"two".to_owned()).await.unwrap();
    fixture.db.take_loads();
    assert_eq!(fixture.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[2]]);
    assert_eq!(fixture.get([1, 2, 3]).await, tens([1, 2, 3]));
    assert_eq!(fixture.db.take_loads(), [[0; 0]; 0]);
}

async fn every_event_is_counted_by_id(fixture: Fixture) {
    fixture.get([1, 2, 3]).await;
    fixture.get([1, 2, 3, 4]).await;
    let stats = stats(&fixture.cache, "rows");
    assert_eq!((stats.hits(), stats.misses(), stats.fills_stored), (3, 4, 4));
    assert_eq!(stats.loads_ok, 2, "a body that runs is one load");
}
