//! Batches: what is altered, and what callers get that wait for the load of one, or of a single
//! read.

use std::collections::{BTreeMap, HashMap};

use cache_fixtures::origin::Origin;
use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore as _, on_both_stores};
use cache_runtime::cached;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;

use crate::altered::{Account, Model};
use crate::fixture::{Fixture, begun, going_on};

fn account(id: u64) -> Account {
    Account { name: format!("{id}"), password: Some("secret".to_owned()) }
}

#[cached(key = "one:<id>", ttl = 3600, skip(origin))]
async fn one(origin: &Origin, id: u64) -> Result<Account, String> {
    origin.load().await;
    Ok(account(id))
}

#[cached(batch(id in ids), key = one_key(id), ttl = 3600, skip(origin))]
async fn many(origin: &Origin, ids: &[u64]) -> Result<HashMap<u64, Account>, String> {
    origin.load().await;
    Ok(ids.iter().map(|&id| (id, account(id))).collect())
}

#[cached(key = "maybe:<id>", ttl = 3600, skip(origin), none_ttl = 60)]
async fn maybe(origin: &Origin, id: u64) -> Option<Account> {
    origin.load().await;
    Some(account(id))
}

#[cached(batch(id in ids), key = maybe_key(id), ttl = 3600, skip(origin), none_ttl = 60)]
async fn maybe_many(origin: &Origin, ids: Vec<u64>) -> BTreeMap<u64, Account> {
    origin.load().await;
    ids.iter().map(|&id| (id, account(id))).collect()
}

/// A batch leads for a batch and for single reads, and the other way round.
async fn shared_with_single_reads(fixture: &Fixture) {
    let origin = Origin::default();
    let cache = &fixture.cache;
    let mut batch = begun(cache.scope(many(&origin, &[1, 2]))).await;
    let mut option_batch = begun(cache.scope(maybe_many(&origin, vec![1, 2]))).await;
    going_on!(origin.gate.entered(2); batch, option_batch);
    let waits = begun(cache.scope(many(&origin, &[2, 1]))).await;
    let single = begun(cache.scope(one(&origin, 2))).await;
    let option = begun(cache.scope(maybe(&origin, 2))).await;
    origin.gate.open();
    let all = HashMap::from([(1, account(1)), (2, account(2))]);
    assert_eq!(within_limit("the batch", batch).await, Ok(all.clone()));
    assert_eq!(within_limit("a batch that waits", waits).await, Ok(all.clone()));
    assert_eq!(within_limit("a single read", single).await, Ok(account(2)));
    assert_eq!(within_limit("the batch", option_batch).await, all.into_iter().collect());
    assert_eq!(within_limit("a single read", option).await, Some(account(2)));
    // Those who came while a load ran share another. The batch among them loads both ids at once,
    // or one after the other if it may load one earlier.
    assert!((4..=5).contains(&origin.runs.get()), "{}", origin.runs.get());

    let origin = Origin::default();
    let mut single = begun(cache.scope(one(&origin, 3))).await;
    let mut option = begun(cache.scope(maybe(&origin, 3))).await;
    going_on!(origin.gate.entered(2); single, option);
    let waits = begun(cache.scope(many(&origin, &[3]))).await;
    let option_waits = begun(cache.scope(maybe_many(&origin, vec![3]))).await;
    origin.gate.open();
    assert_eq!(within_limit("the single read", single).await, Ok(account(3)));
    assert_eq!(within_limit("the single read", option).await, Some(account(3)));
    assert_eq!(within_limit("a batch that waits", waits).await.unwrap()[&3], account(3));
    assert_eq!(within_limit("a batch that waits", option_waits).await[&3], account(3));
    assert_eq!(origin.runs.get(), 4);
}

async fn all_callers_have_the_original(fixture: Fixture) {
    shared_with_single_reads(&fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_down_all_callers_have_the_original() {
    let server = RedisServer::builder().down();
    let mut fixture = Fixture::embedded();
    fixture.cache = patient().connect(&server.url()).unwrap();
    _ = fixture.cache.get(&one_key(&1)).await;
    shared_with_single_reads(&fixture).await;
}

#[cached(batch(id in ids), key = "model:<id>", ttl = 3600, skip(origin))]
async fn models(origin: &Origin, ids: &[u64]) -> HashMap<u64, Model> {
    origin.runs.count();
    ids.iter().map(|&id| (id, Model { id, name: "Ada".to_owned() })).collect()
}

/// Only what is altered is loaded again.
async fn the_altered_are_loaded_again(fixture: Fixture) {
    let origin = Origin::default();
    for run in 1..=3 {
        let found = fixture.cache.scope(models(&origin, &[0, 7])).await;
        assert_eq!((found[&0].id, found[&7].id), (0, 7));
        assert_eq!(origin.runs.get(), run);
    }
    let stats = fixture.stats("models");
    assert_eq!((stats.misuses, stats.hits(), stats.fills_stored), (3, 2, 1));
    let call = tokio::spawn(fixture.strict.scope(async { models(&Origin::default(), &[7]).await }));
    assert!(call.await.unwrap_err().is_panic());
}

on_both_stores! {
    all_callers_have_the_original
    the_altered_are_loaded_again
}
