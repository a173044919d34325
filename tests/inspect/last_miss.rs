//! What `explain` says of the last call of this process that missed.

use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore, Store, on_both_stores};
use cache_runtime::inspect::{Explanation, LastMiss};
use cache_runtime::stats::MissReason::{
    Absent, Expired, Foreign, Oversized, Tag, Undecodable, VersionOrCodec,
};
use cache_runtime::stats::UncachedReason::{Fenced, Impatient, NotGranted, Outdated, Unavailable};
use cache_runtime::stats::{MissReason, UncachedReason};
use cache_runtime::{Cache, CallExt as _, Key, cached, invalidates};
use cache_testing::barrier::{Gate, eventually};
use cache_testing::redis::RedisServer;

#[cached(key = "clerk:<org>:<id>", ttl = "1h", tags = ["desk:<org>"])]
async fn clerk(org: &str, id: u64) -> u64 {
    _ = org;
    id
}

/// Another type under the same key.
#[cached(key = "clerk:<org>:<id>", ttl = "1h", tags = ["desk:<org>"])]
async fn name_of_clerk(org: &str, id: u64) -> String {
    format!("{org}'s {id}")
}

#[cached(key = "ageing:<id>", ttl = "1ms", stale_if_error = "1h")]
async fn report(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cached(key = "cost:<sku>", ttl = "1h", version = 1)]
async fn cost(sku: &str) -> u64 {
    _ = sku;
    1
}

/// The same entry in a later release.
#[cached(key = "cost:<sku>", ttl = "1h", version = 2)]
async fn new_cost(sku: &str) -> u64 {
    _ = sku;
    2
}

#[cached(key = "slowly:<id>", ttl = "1h", skip(gate))]
async fn slow(gate: &Gate, id: u64) -> u64 {
    gate.pass().await;
    id
}

#[invalidates(clerk(org, id))]
async fn write(gate: &Gate, org: &str, id: u64) {
    gate.pass().await;
}

struct Fixture {
    cache: Cache,
    store: Store,
}

impl OnStore for Fixture {
    fn on(store: Store) -> Self {
        Self { cache: store.cache(), store }
    }
}

async fn explained<T>(cache: &Cache, key: &Key<T>) -> Explanation {
    cache.explain(key).await.unwrap()
}

async fn last_miss<T>(cache: &Cache, key: &Key<T>) -> LastMiss {
    explained(cache, key).await.last_miss.expect("a miss")
}

/// Why the last call of `clerk` missed that did.
async fn why(cache: &Cache) -> (Option<MissReason>, Option<UncachedReason>) {
    why_of(cache, &clerk_key("acme", &7)).await
}

async fn why_of<T>(cache: &Cache, key: &Key<T>) -> (Option<MissReason>, Option<UncachedReason>) {
    let LastMiss { missed, uncached, .. } = last_miss(cache, key).await;
    (missed, uncached)
}

async fn a_key_that_held_nothing(Fixture { cache, .. }: Fixture) {
    let key = clerk_key("acme", &7);
    let found = explained(&cache, &key).await;
    assert_eq!(found.last_miss, None);
    assert!(!found.to_string().contains("missed"), "{found}");
    assert_eq!(serde_json::to_value(&found).unwrap().get("last_miss"), None);

    cache.scope(clerk("acme", 7)).await;
    let found = explained(&cache, &key).await;
    let miss = found.last_miss.as_ref().unwrap();
    assert_eq!((miss.missed, miss.uncached), (Some(Absent), None));
    assert_eq!(miss.function, concat!(module_path!(), "::clerk"));
    let sentence = format!(" ago in `{}`, since there was no value.", miss.function);
    assert!(found.to_string().contains(" This process last missed it "), "{found}");
    assert!(found.to_string().ends_with(&sentence), "{found}");
    let json = serde_json::to_value(&found).unwrap()["last_miss"].take();
    assert_eq!((&json["missed"], &json["uncached"]), (&"absent".into(), &().into()));
    assert_eq!(json["function"], miss.function);
    assert!(json["ago_ms"].is_u64(), "{json}");
    let by_text = explained(&cache, &Key::from_text("clerk:acme:7")).await;
    assert_eq!(by_text.last_miss.map(|miss| miss.missed), Some(Some(Absent)));
}

async fn a_hit_changes_nothing(Fixture { cache, .. }: Fixture) {
    cache.scope(clerk("acme", 7)).await;
    cache.invalidate_tag(cache_runtime::Tag::from_text("desk:acme")).await.unwrap();
    cache.scope(clerk("acme", 7)).await;
    assert_eq!(why(&cache).await, (Some(Tag), None));
    let (_, outcome) = cache.scope(clerk("acme", 7).outcome()).await;
    assert_eq!(outcome.missed(), None);
    assert_eq!(why(&cache).await, (Some(Tag), None));
}

async fn a_value_past_its_time(Fixture { cache, .. }: Fixture) {
    cache.scope(report(1)).await.unwrap();
    eventually!({
        cache.scope(report(1)).await.unwrap();
        why_of(&cache, &report_key(&1)).await == (Some(Expired), None)
    });
}

async fn a_value_of_another_type(Fixture { cache, .. }: Fixture) {
    cache.scope(name_of_clerk("acme", 7)).await;
    cache.scope(clerk("acme", 7)).await;
    let miss = last_miss(&cache, &name_of_clerk_key("acme", &7)).await;
    assert_eq!((miss.missed, miss.uncached), (Some(Undecodable), None));
    assert_eq!(miss.function, concat!(module_path!(), "::clerk"), "who missed, and not who asks");
}

async fn another_release(Fixture { cache, .. }: Fixture) {
    cache.scope(cost("tea")).await;
    cache.scope(new_cost("tea")).await;
    let miss = last_miss(&cache, &new_cost_key("tea")).await;
    assert_eq!(miss.missed, Some(Absent), "in the key beside");
    assert_eq!(miss.function, concat!(module_path!(), "::new_cost"));
    let miss = last_miss(&cache, &Key::from_text("cost:tea")).await;
    assert_eq!(miss.function, concat!(module_path!(), "::cost"), "who looked into the key");

    cache.scope(new_cost("tea").refresh()).await;
    let miss = last_miss(&cache, &Key::from_text("cost:tea")).await;
    assert_eq!(miss.missed, Some(VersionOrCodec), "a refresh replaces it");
}

async fn a_write(Fixture { cache, .. }: Fixture) {
    cache.scope(clerk("acme", 7)).await;
    let gate = Gate::new();
    let writing = tokio::spawn({
        let (cache, gate) = (cache.clone(), gate.clone());
        async move { cache.scope(write(&gate, "acme", 7)).await }
    });
    gate.entered(1).await;
    cache.scope(clerk("acme", 7)).await;
    assert_eq!(why(&cache).await, (Some(Absent), Some(Fenced)));
    let text = explained(&cache, &clerk_key("acme", &7)).await.to_string();
    assert!(text.ends_with("since there was no value and a write was under way."), "{text}");
    gate.release(1);
    writing.await.unwrap();
}

/// What is known while the body still runs, and of a call that did not wait for it.
async fn a_load_that_takes_long(Fixture { store, .. }: Fixture) {
    let (cache, gate) = (store.connect(patient().wait(Duration::ZERO)), Gate::new());
    let call = |cache: Cache, gate: Gate| async move { cache.scope(slow(&gate, 1)).await };
    let first = tokio::spawn(call(cache.clone(), gate.clone()));
    gate.entered(1).await;
    assert_eq!(why_of(&cache, &slow_key(&1)).await, (Some(Absent), None));
    let second = tokio::spawn(call(cache.clone(), gate.clone()));
    gate.entered(2).await;
    assert_eq!(why_of(&cache, &slow_key(&1)).await, (None, Some(Impatient)));
    gate.release(2);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 1));
}

async fn a_load_by_hand(Fixture { cache, .. }: Fixture) {
    let key = Key::<u64>::builder().text("by:hand").done().ttl(Duration::from_secs(60));
    assert_eq!(cache.get(&key).await.unwrap(), None);
    assert_eq!(explained(&cache, &key).await.last_miss, None, "it runs no body");
    cache.get_or_load(&key, async || Ok::<_, String>(7)).await.unwrap();
    let miss = last_miss(&cache, &key).await;
    assert_eq!((miss.missed, miss.function), (Some(Absent), "by hand"));
}

/// However many entries are missed, those that were missed last are known.
async fn more_entries_than_are_remembered(Fixture { cache, .. }: Fixture) {
    const MANY: u64 = 20_000;
    let missed = |id: u64| {
        let cache = cache.clone();
        async move { explained(&cache, &clerk_key("acme", &id)).await.last_miss.is_some() }
    };
    cache
        .scope(async {
            for id in 0..MANY {
                clerk("acme", id).await;
            }
        })
        .await;
    for id in MANY - 200..MANY {
        assert!(missed(id).await, "{id}");
    }
    let mut known = 0;
    for id in 0..MANY {
        known += u64::from(missed(id).await);
    }
    assert!((200..=896).contains(&known), "{known}");
}

on_both_stores! {
    a_key_that_held_nothing a_hit_changes_nothing a_value_past_its_time a_value_of_another_type
    another_release a_write a_load_that_takes_long
    a_load_by_hand
}

#[tokio::test]
async fn the_memory_is_bounded() {
    more_entries_than_are_remembered(Fixture::on(Store::embedded())).await;
}

#[tokio::test]
async fn nothing_is_known_of_another_process() {
    let Fixture { cache, store } = Fixture::redis().await;
    cache.scope(clerk("acme", 7)).await;
    let elsewhere = store.cache();
    assert_eq!(explained(&elsewhere, &clerk_key("acme", &7)).await.last_miss, None);
    assert_eq!(why(&cache).await, (Some(Absent), None));
}

#[tokio::test]
async fn data_of_another_program() {
    let Fixture { cache, store } = Fixture::redis().await;
    store.client().set("clerk:acme:7", "a card number").await;
    cache.scope(clerk("acme", 7)).await;
    assert_eq!(why(&cache).await, (Some(Foreign), Some(NotGranted)));
}

#[tokio::test]
async fn a_value_that_is_too_large_here() {
    let store = Store::redis().await;
    store.cache().scope(name_of_clerk("acme", 7)).await;
    let small = store.connect(patient().max_value_bytes(5));
    small.scope(name_of_clerk("acme", 7)).await;
    assert_eq!(why(&small).await, (Some(Oversized), None));
}

#[tokio::test]
async fn an_undelivered_invalidation() {
    let Fixture { cache, store } = Fixture::redis().await;
    cache.scope(clerk("acme", 7)).await;
    let client = store.client();
    client.run::<()>(&["ACL", "SETUSER", "default", "-eval", "-evalsha", "-unlink"]).await;
    cache.invalidate(&clerk_key("acme", &7)).await.unwrap_err();
    cache.scope(clerk("acme", 7)).await;
    assert_eq!(why(&cache).await, (None, Some(Outdated)));
    client.run::<()>(&["ACL", "SETUSER", "default", "+@all"]).await;
}

#[tokio::test]
async fn a_server_that_did_not_answer() {
    let server = RedisServer::start().await;
    let cache = patient().budget(Duration::from_secs(5)).connect(&server.url()).unwrap();
    cache.scope(clerk("acme", 7)).await;
    let client = server.client().await;
    client.run::<()>(&["ACL", "SETUSER", "default", "-get", "-mget"]).await;
    cache.scope(clerk("acme", 7)).await;
    client.run::<()>(&["ACL", "SETUSER", "default", "+@all"]).await;
    assert_eq!(why(&cache).await, (None, Some(Unavailable)));
}
