//! Attributes that use the entries of a function in another cache than the function does, as far as
//! the compiler does not see it.

use std::collections::HashMap;
use std::sync::LazyLock;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, Key, cached, invalidates, write_behind, write_through};
use serde::{Deserialize, Serialize};

use crate::fixture::{Fixture, misuses, panic_of};

on_both_stores! {
    a_write_by_an_expression_is_told
    a_read_by_an_expression_bypasses
    an_alias_of_an_entity_elsewhere_stores_nothing
    a_write_that_names_another_cache_is_told
    who_names_the_same_cache_is_not
}

#[cached(key = "named:<id>", ttl = 60, cache = cache)]
async fn named(cache: &Cache, id: i64) -> i64 {
    _ = cache;
    id
}

#[cached(key = "ambient:<id>", ttl = 60)]
async fn ambient(id: i64) -> i64 {
    id
}

/// A companion of another name: the compiler sees no mark.
fn wrapped(id: i64) -> Key<i64> {
    named_key(&id)
}

#[invalidates(key = wrapped(id))]
async fn invalidate(id: i64) {
    _ = id;
}

#[invalidates(key = wrapped(*result))]
async fn invalidate_later(id: i64) -> i64 {
    id
}

#[invalidates(each(id in ids) key = wrapped(*id))]
async fn invalidate_each(ids: &[i64]) {
    _ = ids;
}

#[write_through(key = wrapped(id))]
async fn store(id: i64) -> i64 {
    id
}

#[derive(Serialize, Deserialize)]
struct Item {
    id: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a companion takes references")]
fn hidden_key(id: &i64) -> Key<i64> {
    named_key(id)
}

#[write_behind(queue = "elsewhere", key = "<item.id>", put(hidden(item.id) = item.id))]
async fn sink(items: Vec<Item>) {
    tokio::task::yield_now().await;
    drop(items);
}

async fn a_write_by_an_expression_is_told(fixture: Fixture) {
    let (cache, strict) = (fixture.cache(), fixture.strict());
    let writes = async {
        invalidate(1).await;
        invalidate_later(1).await;
        invalidate_each(&[1, 2]).await;
        store(1).await;
        sink_queue().push(Item { id: 1 }).await.unwrap();
    };
    cache.scope(writes).await;
    for write in ["invalidate", "invalidate_later", "invalidate_each", "store", "sink"] {
        assert_eq!(misuses(&cache, write), 1, "{write}");
    }
    let message = panic_of(strict.scope(invalidate(1)));
    let told =
        "`sharing::elsewhere::invalidate`: it names no cache, and `sharing::elsewhere::named`";
    assert!(message.contains(told), "{message}");
}

#[cached(key = wrapped(id), ttl = 60)]
async fn read(id: i64) -> i64 {
    id + 1
}

#[cached(key = wrapped(id), ttl = 60, stale_if_error = 60)]
async fn read_by_age(id: i64) -> Result<i64, String> {
    tokio::task::yield_now().await;
    Ok(id + 1)
}

#[cached(key = wrapped(id), ttl = 60, stale_while_revalidate = 60)]
async fn read_detached(id: i64) -> i64 {
    id + 1
}

#[cached(batch(id in ids), key = wrapped(*id), ttl = 60)]
async fn read_many(ids: &[i64]) -> HashMap<i64, i64> {
    ids.iter().map(|id| (*id, id + 1)).collect()
}

async fn a_read_by_an_expression_bypasses(fixture: Fixture) {
    let cache = fixture.cache();
    let reads = async {
        for _ in 0..2 {
            assert_eq!(read(1).await, 2);
            assert_eq!(read_by_age(1).await, Ok(2));
            assert_eq!(read_detached(1).await, 2);
            assert_eq!(read_many(&[1]).await[&1], 2);
        }
    };
    cache.scope(reads).await;
    for function in ["read", "read_by_age", "read_detached", "read_many"] {
        assert_eq!(misuses(&cache, function), 2, "{function}");
    }
    assert_eq!(cache.get(&named_key(&1)).await.unwrap(), None);
}

#[cached(key = "alias:<number>", ttl = 60, entry = |id: &i64| wrapped(*id))]
async fn find(number: i64) -> i64 {
    number
}

async fn an_alias_of_an_entity_elsewhere_stores_nothing(fixture: Fixture) {
    let (cache, strict) = (fixture.cache(), fixture.strict());
    for _ in 0..3 {
        assert_eq!(cache.scope(find(1)).await, 1);
    }
    assert_eq!(misuses(&cache, "find"), 3);
    assert_eq!(cache.get(&find_key(&1)).await.unwrap(), None);
    assert_eq!(cache.get(&named_key(&1)).await.unwrap(), None);
    let message = panic_of(strict.scope(find(1)));
    assert!(message.contains("`sharing::elsewhere::find`: it names no cache"), "{message}");
}

#[invalidates(ambient(id), cache = cache)]
async fn invalidate_there(cache: &Cache, id: i64) {
    _ = (cache, id);
}

#[cached(key = ambient_key(&id), ttl = 60, cache = cache)]
async fn read_there(cache: &Cache, id: i64) -> i64 {
    _ = cache;
    id + 1
}

async fn a_write_that_names_another_cache_is_told(fixture: Fixture) {
    let (here, there) = (fixture.cache(), fixture.cache());
    let calls = async {
        ambient(1).await;
        invalidate_there(&there, 1).await;
        assert_eq!(read_there(&there, 1).await, 2);
        // The task's own, by its name.
        invalidate_there(&here, 1).await;
        assert_eq!(read_there(&here, 1).await, 2);
        assert_eq!(ambient(1).await, 2);
    };
    here.scope(calls).await;
    for function in ["invalidate_there", "read_there"] {
        assert_eq!((misuses(&there, function), misuses(&here, function)), (1, 0), "{function}");
    }
}

static OTHER: LazyLock<Cache> =
    LazyLock::new(|| Cache::builder().panic_on_misuse(true).in_memory().unwrap());

#[cached(key = "other:<id>", ttl = 60, cache = *OTHER)]
async fn other(id: i64) -> i64 {
    id
}

#[invalidates(other(id), each(id in ids) other(id), key = other_key(&id), cache = *OTHER)]
async fn invalidate_other(id: i64, ids: &[i64]) {
    _ = (id, ids);
}

#[write_through(other(id) = id + 1, cache = *OTHER)]
async fn store_other(id: i64) {
    _ = id;
}

#[write_behind(queue = "other", key = "<item.id>", put(other(item.id) = item.id + 2), cache = *OTHER)]
async fn other_sink(items: Vec<Item>) {
    tokio::task::yield_now().await;
    drop(items);
}

#[cached(batch(id in ids), key = other_key(id), ttl = 60, cache = *OTHER)]
async fn other_many(ids: &[i64]) -> HashMap<i64, i64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

struct Shop {
    cache: Cache,
}

impl Shop {
    #[cached(key = "shop:<id>", ttl = 60, cache = self.cache)]
    async fn find(&self, id: i64) -> i64 {
        id
    }

    #[invalidates(Self::find(id), cache = self.cache)]
    async fn save(&self, id: i64) {
        _ = id;
    }
}

async fn who_names_the_same_cache_is_not(fixture: Fixture) {
    let (cache, shop) = (fixture.strict(), Shop { cache: fixture.strict() });
    let calls = async {
        assert_eq!(other(1).await, 1);
        store_other(1).await;
        assert_eq!(other(1).await, 2);
        other_sink_queue().push(Item { id: 1 }).await.unwrap();
        assert_eq!(other_many(&[1]).await[&1], 3);
        invalidate_other(1, &[1, 2]).await;
        assert_eq!(other(1).await, 1);
        shop.find(1).await;
        shop.save(1).await;
        assert_eq!(shop.cache.get(&Shop::find_key(&1)).await.unwrap(), None);
    };
    cache.scope(calls).await;
}
