//! `#[invalidates(each(id in ids) ..)]`, and many keys by hand.

use std::collections::{BTreeMap, HashSet};

use cache_fixtures::patient;
use cache_runtime::{Cache, Key, cached, invalidates};
use cache_testing::barrier::Gate;
use cache_testing::redis::RedisServer;

#[cached(key = "square:<n>", ttl = 3600)]
async fn square(n: u64) -> u64 {
    n * n
}

#[cached(key = "of:<org>:<name>", ttl = 3600)]
async fn of(org: u64, name: &str) -> u64 {
    org + name.len() as u64
}

#[derive(Clone, Debug)]
struct User {
    org: u64,
    name: String,
}

fn users() -> Vec<User> {
    [(1, "Ada"), (2, "Grace")].map(|(org, name)| User { org, name: name.to_owned() }).into()
}

#[invalidates(each(n in numbers) square(n))]
async fn write_slice(numbers: &[u64]) {
    _ = numbers;
}

#[invalidates(each(n in numbers) square(n))]
async fn write_vec(numbers: Vec<u64>) {
    drop(numbers);
}

#[invalidates(each(n in numbers) key = "square:<n>")]
async fn write_set(numbers: &HashSet<u64>) {
    _ = numbers;
}

#[invalidates(each(pair in numbers) square(pair.1), each(n in more.iter().flatten()) square(n))]
async fn write_map(numbers: BTreeMap<&str, u64>, more: Option<[u64; 2]>) {
    drop((numbers, more));
}

#[invalidates(each(user in result) of(user.org, &user.name), only_ok)]
async fn write_by_result(users: Vec<User>) -> Result<Vec<User>, String> {
    Ok(users)
}

#[invalidates(each(name in names) of(org, name), each(name in names) key = "of:<result>:<name>")]
async fn write_by_both(org: u64, names: Vec<String>) -> u64 {
    drop(names);
    org + 1
}

#[invalidates(each(n in numbers) square(n), fence = "strict")]
async fn write_at(gate: &Gate, numbers: [u64; 3]) -> Result<u64, cache_runtime::Error> {
    gate.pass().await;
    Ok(numbers[0])
}

/// A function that invalidates, and has the name of the target for many.
#[cached(key = "each:<n>", ttl = 3600)]
async fn each(n: u64) -> u64 {
    n
}

#[invalidates(each(n))]
async fn write_each(n: u64) -> u64 {
    n
}

async fn stored(cache: &Cache) -> Vec<u64> {
    let mut stored = Vec::new();
    for n in 0..6 {
        stored.extend(cache.get(&square_key(&n)).await.unwrap().map(|_| n));
    }
    stored
}

async fn warm_up(cache: &Cache) {
    for n in 0..6 {
        cache.scope(square(n)).await;
    }
}

#[tokio::test]
async fn every_item_is_invalidated_whatever_holds_it() {
    let cache = Cache::in_memory();
    warm_up(&cache).await;
    cache.scope(write_slice(&[0, 1])).await;
    assert_eq!(stored(&cache).await, [2, 3, 4, 5]);
    cache.scope(write_vec(vec![2])).await;
    assert_eq!(stored(&cache).await, [3, 4, 5]);
    cache.scope(write_set(&HashSet::from([3, 4]))).await;
    assert_eq!(stored(&cache).await, [5]);

    warm_up(&cache).await;
    cache.scope(write_map(BTreeMap::from([("two", 2)]), Some([0, 5]))).await;
    assert_eq!(stored(&cache).await, [1, 3, 4]);
    cache.scope(write_slice(&[])).await;
    assert_eq!(stored(&cache).await, [1, 3, 4]);

    cache.scope(each(7)).await;
    cache.scope(write_each(7)).await;
    assert_eq!(cache.get(&each_key(&7)).await.unwrap(), None);
}

#[tokio::test]
async fn items_of_the_result_are_invalidated() {
    let cache = Cache::in_memory();
    let keys = [of_key(&1, "Ada"), of_key(&2, "Grace"), of_key(&2, "Ada")];
    let warm_up = async {
        for key in &keys {
            cache.put(key, &1).await.unwrap();
        }
    };
    warm_up.await;
    cache.scope(write_by_result(users())).await.unwrap();
    assert_eq!(cache.get(&keys[0]).await.unwrap(), None);
    assert_eq!(cache.get(&keys[1]).await.unwrap(), None);
    assert_eq!(cache.get(&keys[2]).await.unwrap(), Some(1));

    cache.put(&keys[0], &1).await.unwrap();
    let names = vec!["Ada".to_owned()];
    assert_eq!(cache.scope(write_by_both(1, names)).await, 2);
    assert_eq!(cache.get(&keys[0]).await.unwrap(), None, "by its own organisation");
    assert_eq!(cache.get(&keys[2]).await.unwrap(), None, "by the result's");
}

#[tokio::test]
async fn every_item_is_fenced_before_the_body() {
    let (cache, gate) = (Cache::in_memory(), Gate::new());
    warm_up(&cache).await;
    let held = gate.clone();
    let write = tokio::spawn(cache.scope(async move { write_at(&held, [1, 2, 3]).await }));
    gate.entered(1).await;
    cache.scope(square(2)).await;
    assert_eq!(stored(&cache).await, [0, 4, 5], "nothing is stored behind the fence");
    gate.open();
    write.await.unwrap().unwrap();
    warm_up(&cache).await;
    assert_eq!(stored(&cache).await, [0, 1, 2, 3, 4, 5]);
}

/// Begin and end, and nothing else, however many there are.
#[tokio::test]
async fn a_hundred_items_are_a_pipeline() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache.scope(write_slice(&[0])).await;
    let numbers: Vec<u64> = (0..100).collect();
    server.reset_commandstats().await;
    cache.scope(write_slice(&numbers)).await;
    let sent = server.commandstats().await;
    assert_eq!(sent.get("evalsha"), Some(&200), "{sent:?}");

    let keys: Vec<Key<u64>> = numbers.iter().map(square_key).collect();
    cache.invalidate(&keys[..1]).await.unwrap();
    for n in 0..3 {
        cache.scope(square(n)).await;
    }
    server.reset_commandstats().await;
    cache.invalidate((keys, &of_key(&1, "Ada"))).await.unwrap();
    let sent = server.commandstats().await;
    assert_eq!(sent.get("evalsha"), Some(&101), "{sent:?}");
    assert_eq!(stored(&cache).await, [0; 0]);
}
