//! What `#[write_through]` works on: what is stored, and from what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Key, cached, write_through};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::once::{Failed, Row, row};

#[cached(key = "row:<id>", ttl = 3600)]
async fn get(id: i64) -> Result<Row, Failed> {
    Ok(row(id))
}

#[cached(key = "maybe:<id>", ttl = 3600)]
async fn find(id: i64) -> Option<Row> {
    Some(row(id))
}

#[cached(key = "shared:<id>", ttl = 3600)]
async fn shared(id: i64) -> Arc<Row> {
    Arc::new(row(id))
}

#[cached(key = "name:<id>", ttl = 3600)]
async fn name(id: i64) -> String {
    id.to_string()
}

#[cached(key = "names:<id>", ttl = 3600)]
async fn names(id: i64) -> BTreeMap<String, Vec<String>> {
    _ = id;
    BTreeMap::new()
}

async fn stored<T: DeserializeOwned>(cache: &Cache, key: &Key<T>) -> Option<T> {
    cache.get(key).await.unwrap()
}

/// Owned values and references to them, of what is returned, of parameters that the body moves, of
/// literals.
#[write_through(
    get(given.id),
    find(given.id) = Some(result.clone()),
    find(1 + given.id) = None,
    shared(given.id) = Arc::new(given),
    get(-given.id) = result,
    name(given.id) = label,
    name(-given.id) = format!("{label}-{} {shout}", given.id),
    names(given.id) = BTreeMap::from([(shout.to_owned(), vec![label, text.clone()])])
)]
async fn save(given: Row, label: String, shout: &str, text: &String) -> Result<Row, Failed> {
    drop(label);
    Ok(Row { serial: 7, ..given })
}

#[tokio::test]
async fn values_of_every_kind() {
    let cache = Cache::in_memory();
    let given = Row { id: 5, serial: 1 };
    let text = "text".to_owned();
    let saving = save(given.clone(), "Ada".to_owned(), "hey", &text);
    let saved = cache.scope(saving).await.unwrap();
    assert_eq!(saved, Row { id: 5, serial: 7 });
    assert_eq!(stored(&cache, &get_key(&5)).await, Some(saved.clone()));
    assert_eq!(stored(&cache, &get_key(&-5)).await, Some(saved.clone()));
    assert_eq!(stored(&cache, &find_key(&5)).await, Some(Some(saved)));
    assert_eq!(stored(&cache, &find_key(&6)).await, None, "it is not stored that there is none");
    assert_eq!(stored(&cache, &shared_key(&5)).await, Some(Arc::new(given)));
    assert_eq!(stored(&cache, &name_key(&5)).await.as_deref(), Some("Ada"));
    assert_eq!(stored(&cache, &name_key(&-5)).await.as_deref(), Some("Ada-5 hey"));
    let names = stored(&cache, &names_key(&5)).await.unwrap();
    assert_eq!(names, BTreeMap::from([("hey".into(), vec!["Ada".into(), "text".into()])]));
}

#[cached(key = "by-type:<T>:<id>", ttl = 3600)]
async fn by_type<T: Serialize + DeserializeOwned + From<Row>>(id: i64) -> T {
    row(id).into()
}

#[write_through(by_type::<T>(id))]
async fn save_by_type<T: Serialize + DeserializeOwned + From<Row>>(
    id: i64,
    value: T,
) -> Result<T, Failed> {
    _ = id;
    Ok(value)
}

fn moved(_: Row) {}

#[derive(Debug)]
struct Repository {
    tenant: i64,
    writes: AtomicU64,
}

impl Repository {
    #[cached(key = "tenant:<self.tenant>:<id>", ttl = 3600)]
    async fn get(&self, id: i64) -> Row {
        row(self.tenant + id)
    }

    #[cached(key = "writes", ttl = 3600)]
    async fn writes() -> u64 {
        _ = Self::writes_key;
        0
    }

    /// What `self` says after the body.
    #[write_through(self.get(given.id) = given, Self::writes() = self.writes.load(Ordering::SeqCst))]
    async fn save(&self, given: Row) {
        moved(given);
        self.writes.fetch_add(1, Ordering::SeqCst);
    }

    #[write_through(self.get(id))]
    async fn save_alone(&mut self, id: i64) -> Row {
        self.tenant += 1;
        Row { id, serial: 3 }
    }
}

#[async_trait::async_trait]
trait Boxed: Send + Sync {
    async fn rename(&self, id: i64, name: String) -> Result<Row, Failed>;
}

#[async_trait::async_trait]
impl Boxed for Repository {
    #[write_through(get(id), name(id) = name, self.get(id) = result.clone())]
    async fn rename(&self, id: i64, name: String) -> Result<Row, Failed> {
        drop(name);
        Ok(row(id))
    }
}

#[tokio::test]
async fn methods() {
    let cache = Cache::in_memory();
    let mut repository = Repository { tenant: 5, writes: AtomicU64::new(0) };
    let given = Row { id: 1, serial: 2 };
    cache.scope(repository.save(given.clone())).await;
    assert_eq!(stored(&cache, &repository.get_key(&1)).await, Some(given));
    assert_eq!(stored(&cache, &Repository::writes_key()).await, Some(1));

    let key = repository.get_key(&1);
    let saved = cache.scope(repository.save_alone(1)).await;
    assert_eq!(stored(&cache, &key).await, Some(saved), "the entry as it was named before");

    let boxed: &dyn Boxed = &repository;
    let renamed = cache.scope(boxed.rename(2, "Ada".to_owned())).await.unwrap();
    assert_eq!(stored(&cache, &get_key(&2)).await, Some(renamed.clone()));
    assert_eq!(stored(&cache, &repository.get_key(&2)).await, Some(renamed));
    assert_eq!(stored(&cache, &name_key(&2)).await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn generics() {
    let cache = Cache::in_memory();
    let saved = cache.scope(save_by_type(3_i64, row(3))).await.unwrap();
    assert_eq!(stored(&cache, &by_type_key::<Row>(&3)).await, Some(saved));
}

#[cached(key = "coded:<id>", ttl = 3600, codec = MessagePack, version = 3)]
async fn coded(id: i64) -> Row {
    row(id)
}

#[write_through(coded(id))]
async fn save_coded(id: i64) -> Row {
    row(id)
}

/// As the function would have stored it.
#[tokio::test]
async fn codec_and_version_are_those_of_the_function() {
    let cache = Cache::in_memory();
    let saved = cache.scope(save_coded(1)).await;
    assert_eq!(cache.scope(coded(1)).await, saved);
    assert_eq!(cache.stats().function("coded").unwrap().hits(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_ttl_is_that_of_the_function() {
    let cache = Cache::in_memory();
    cache.scope(save_coded(1)).await;
    tokio::time::advance(Duration::from_secs(3_599)).await;
    assert!(stored(&cache, &coded_key(&1)).await.is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(stored(&cache, &coded_key(&1)).await.is_none());
}

#[cached(
    key = "picky:<id>",
    ttl = |row: &Row| Duration::from_secs(row.serial),
    unless = |row| row.id == 13,
    tags = ["picky"]
)]
async fn picky(id: i64) -> Row {
    row(id)
}

#[cached(key = "plain:<id>", ttl = 60, unless = |row| row.id == 13)]
async fn plain(id: i64) -> Row {
    row(id)
}

#[cached(key = "in-call:<id>", ttl = |row| Duration::from_secs(row.serial), unless = |row| row.id == limit, skip(limit))]
async fn in_call(id: i64, limit: i64) -> Row {
    row(id + limit - limit)
}

#[write_through(picky(id), plain(id), in_call(id))]
async fn save_picky(id: i64) -> Row {
    row(id)
}

/// A function's `unless` binds writes as well; one that needs the call's arguments lets no write
/// store.
#[tokio::test]
async fn what_a_function_excludes_is_not_stored_by_others() {
    let cache = Cache::in_memory();
    for (id, kept) in [(1, true), (13, false)] {
        cache.scope(save_picky(id)).await;
        assert_eq!(stored(&cache, &picky_key(&id)).await.is_some(), kept, "{id}");
        assert_eq!(stored(&cache, &plain_key(&id)).await.is_some(), kept, "{id}");
        assert_eq!(stored(&cache, &in_call_key(&id)).await, None, "{id}");
        // And loads as ever.
        cache.scope(async { (picky(id).await, plain(id).await, in_call(id, 13).await) }).await;
        assert_eq!(stored(&cache, &picky_key(&id)).await.is_some(), kept, "{id}");
        assert_eq!(stored(&cache, &plain_key(&id)).await.is_some(), kept, "{id}");
        assert_eq!(stored(&cache, &in_call_key(&id)).await.is_some(), kept, "{id}");
    }
}
