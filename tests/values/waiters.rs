//! Callers that wait for another one's load get what that one gets.

use std::time::Duration;

use cache_fixtures::origin::Origin;
use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore as _, on_both_stores};
use cache_runtime::{Cache, cached};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use serde::{Deserialize, Serialize};

use crate::altered::Account;
use crate::fixture::{Fixture, begun, going_on};

fn ada() -> Account {
    Account { name: "Ada".to_owned(), password: Some("secret".to_owned()) }
}

#[cached(key = "plain", ttl = 3600, skip(origin))]
async fn plain(origin: &Origin) -> Account {
    origin.load().await;
    ada()
}

#[cached(key = "tagged", ttl = 3600, skip(origin), tags = ["accounts"], lock)]
async fn tagged(origin: &Origin) -> Result<Account, String> {
    origin.load().await;
    Ok(ada())
}

#[cached(key = "lossy", ttl = 3600, skip(origin), lossy_values)]
async fn lossy(origin: &Origin) -> Option<Account> {
    origin.load().await;
    Some(ada())
}

#[cached(key = "excluded", ttl = 3600, skip(origin), unless = |account| account.name == "Ada")]
async fn excluded(origin: &Origin) -> Account {
    origin.load().await;
    ada()
}

#[cached(key = "unencodable", ttl = 3600, skip(origin))]
async fn unencodable(origin: &Origin) -> std::collections::BTreeMap<(u8, u8), u8> {
    origin.load().await;
    [((1, 2), 3)].into()
}

#[cached(key = "stale", ttl = "1ms", stale_if_error = "1h", skip(origin), lossy_values)]
async fn by_age(origin: &Origin) -> Result<Account, String> {
    origin.load().await;
    Ok(ada())
}

struct Service {
    id: u64,
    origin: Origin,
}

impl Service {
    #[cached(key = "method:<self.id>", ttl = 3600)]
    async fn method(&self) -> Account {
        self.origin.load().await;
        ada()
    }
}

#[cached(key = "generic:<T>", ttl = 3600, skip(origin))]
async fn generic<T>(origin: &Origin) -> T
where
    T: From<Account> + Clone + Send + Sync + Serialize + serde::de::DeserializeOwned + 'static,
{
    origin.load().await;
    ada().into()
}

/// Ten callers of a cold key: one answer. One load if its value is stored; else those that came
/// while it ran share another, which has begun after their calls.
macro_rules! ten_callers {
    ($fixture:ident: $($call:expr => $value:expr, $runs:expr;)*) => {$({
        let origin = Origin::default();
        let call = || $fixture.cache.scope($call(&origin));
        let mut leader = begun(call()).await;
        going_on!(origin.gate.entered(1); leader);
        let mut waiters = Vec::new();
        for _ in 0..9 {
            waiters.push(begun(call()).await);
        }
        origin.gate.open();
        assert_eq!(within_limit("the leader", leader).await, $value, "{}", stringify!($call));
        for waiter in waiters {
            assert_eq!(within_limit("a waiter", waiter).await, $value, "{}", stringify!($call));
        }
        assert_eq!(origin.runs.get(), $runs, "{}", stringify!($call));
    })*};
}

async fn all_callers_have_the_original(fixture: Fixture) {
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    ten_callers! { fixture:
        plain => ada(), 2;
        tagged => Ok(ada()), 2;
        lossy => Some(ada()), 1;
        excluded => ada(), 2;
        unencodable => map, 2;
        by_age => Ok(ada()), 1;
        generic::<Account> => ada(), 1;
        |origin: &Origin| {
            let service = Service { id: 1, origin: origin.clone() };
            async move { service.method().await }
        } => ada(), 2;
    }
    // From the store comes what serde makes of it.
    let stored = fixture.cache.scope(lossy(&Origin::default())).await.unwrap();
    assert_eq!(stored.password, None);
}

/// Without a store nothing is encoded at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_down_all_callers_have_the_original() {
    let server = RedisServer::builder().down();
    let mut fixture = Fixture::embedded();
    fixture.cache = patient().connect(&server.url()).unwrap();
    // The first call finds out.
    fixture.cache.scope(async { _ = fixture.cache.get(&plain_key()).await }).await;
    ten_callers! { fixture:
        plain => ada(), 2;
        tagged => Ok(ada()), 2;
        lossy => Some(ada()), 2;
        excluded => ada(), 2;
        by_age => Ok(ada()), 2;
    }
}

/// A stale value that is being replaced: who waits for the new one has the new one.
async fn a_refresh_is_shared(fixture: Fixture) {
    let origin = Origin::default();
    let call = || fixture.cache.scope(by_age(&origin));
    origin.gate.release(1);
    call().await.unwrap();
    eventually!(fixture.cache.get(&by_age_key()).await.unwrap().is_none());
    let mut leader = begun(call()).await;
    going_on!(origin.gate.entered(2); leader);
    let waiter = begun(call()).await;
    origin.gate.open();
    assert_eq!(within_limit("the leader", leader).await, Ok(ada()));
    assert_eq!(within_limit("a waiter", waiter).await, Ok(ada()));
    assert_eq!(origin.runs.get(), 2);
}

/// A type that cannot be cloned, or not sent to other threads, is decoded for each waiter.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unique(String);

#[cached(key = "unique", ttl = 3600, skip(origin))]
async fn unique(origin: &Origin) -> Unique {
    origin.load().await;
    Unique("Ada".to_owned())
}

#[cached(key = "cell", ttl = 3600, skip(origin))]
async fn cell(origin: &Origin) -> std::cell::Cell<u8> {
    origin.load().await;
    std::cell::Cell::new(7)
}

/// A type parameter that may borrow from anything.
#[cached(key = "open:<T>", ttl = 3600, skip(origin))]
async fn open<T: From<Account> + Clone + Send + Sync + Serialize + serde::de::DeserializeOwned>(
    origin: &Origin,
) -> T {
    origin.load().await;
    T::from(Account { password: None, ..ada() })
}

struct Repository<T> {
    id: u64,
    make: fn(Account) -> T,
}

impl<T: Clone + Serialize + serde::de::DeserializeOwned> Repository<T> {
    #[cached(key = "repository:<self.id>", ttl = 3600, skip(origin))]
    async fn find(&self, origin: &Origin) -> Result<T, String> {
        origin.load().await;
        Ok((self.make)(Account { password: None, ..ada() }))
    }
}

async fn what_cannot_be_cloned_is_decoded(fixture: Fixture) {
    let without = Account { password: None, ..ada() };
    let repository = Repository { id: 1, make: std::convert::identity::<Account> };
    ten_callers! { fixture:
        unique => Unique("Ada".to_owned()), 1;
        cell => std::cell::Cell::new(7), 1;
        open::<Account> => without, 1;
        |origin| repository.find(origin) => Ok(without.clone()), 1;
    }
}

/// What cannot be cloned and does not come back is loaded by each caller; those that wait do not
/// get what is wrong.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct UniqueModel {
    #[serde(skip_deserializing)]
    id: u64,
}

#[cached(key = "altered", ttl = 3600, skip(origin))]
async fn altered(origin: &Origin) -> UniqueModel {
    origin.load().await;
    UniqueModel { id: 7 }
}

async fn what_is_altered_is_not_shared(fixture: Fixture) {
    ten_callers! { fixture: altered => UniqueModel { id: 7 }, 10; }
}

/// A clone that panics costs nobody an answer.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Brittle(u8);

impl Clone for Brittle {
    fn clone(&self) -> Self {
        panic!("clone panics, as part of a test");
    }
}

#[cached(key = "brittle", ttl = 3600, skip(origin))]
async fn brittle(origin: &Origin) -> Brittle {
    origin.load().await;
    Brittle(7)
}

async fn a_clone_that_panics_is_decoded(fixture: Fixture) {
    ten_callers! { fixture: brittle => Brittle(7), 1; }
}

/// Two versions of a type under one key: a waiter of the other version does not get the value.
#[cached(key = "versions", ttl = 3600, skip(origin), version = 1)]
async fn first_version(origin: &Origin) -> String {
    origin.load().await;
    "1".to_owned()
}

#[cached(key = "versions", ttl = 3600, skip(origin), version = 2)]
async fn second_version(origin: &Origin) -> String {
    origin.load().await;
    "2".to_owned()
}

async fn another_version_is_not_shared(fixture: Fixture) {
    let origin = Origin::default();
    let mut first = begun(fixture.cache.scope(first_version(&origin))).await;
    going_on!(origin.gate.entered(1); first);
    let second = begun(fixture.cache.scope(second_version(&origin))).await;
    origin.gate.open();
    let both = async { tokio::join!(first, second) };
    assert_eq!(within_limit("both", both).await, ("1".to_owned(), "2".to_owned()));
}

/// The rule for who may have a value is unchanged: not who calls after an invalidation.
async fn a_caller_after_an_invalidation_loads_again(fixture: Fixture) {
    let origin = Origin::default();
    let call = || fixture.cache.scope(plain(&origin));
    let mut early = begun(call()).await;
    going_on!(origin.gate.entered(1); early);
    fixture.cache.invalidate(&plain_key()).await.unwrap();
    let mut late = begun(call()).await;
    going_on!(origin.gate.entered(2); late);
    origin.gate.open();
    assert_eq!(within_limit("the first", early).await, ada());
    assert_eq!(within_limit("the second", late).await, ada());
    assert_eq!(origin.runs.get(), 2);
}

on_both_stores! {
    all_callers_have_the_original
    a_refresh_is_shared
    what_cannot_be_cloned_is_decoded
    what_is_altered_is_not_shared
    a_clone_that_panics_is_decoded
    another_version_is_not_shared
    a_caller_after_an_invalidation_loads_again
}

/// On another thread too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiters_on_other_threads() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let mut calls = Vec::new();
    for _ in 0..20 {
        let (cache, origin) = (cache.clone(), origin.clone());
        calls.push(tokio::spawn(async move {
            tokio::time::timeout(Duration::from_secs(100), cache.scope(plain(&origin))).await
        }));
    }
    origin.gate.entered(1).await;
    origin.gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(ada()));
    }
}
