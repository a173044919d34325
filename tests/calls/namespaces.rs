//! Caches that share a server and differ in their namespace: no key, pattern or `clear` of one
//! reaches another.

use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::{Cache, ErrorKind, Key, Tag, cached, invalidates};
use cache_testing::barrier::eventually;
use cache_testing::redis::{RedisCluster, RedisServer};

/// Those that could be mistaken for one another where keys only had a prefix.
const NAMES: [&str; 6] = ["", "a", "a:b", "a:b:c", "b", "@a"];

const HOUR: Duration = Duration::from_secs(3600);

/// Keys that begin with what could be a namespace, or a part of one; the last one has a tag.
fn keys() -> Vec<Key<String>> {
    let text = |text: &'static str| Key::<String>::builder().text(text);
    vec![
        text("a:b:c:row:1").done(),
        text("b:c:row:1").done(),
        text("c:row:1").done(),
        text("@a:row:1").done(),
        text("@a%3Ab:row:1").done(),
        text("").part("@b").text(":row:1").done(),
        text(":row:1").done(),
        text("row:1").done().tag("rows"),
    ]
}

async fn connected(url: &str) -> Vec<(&'static str, Cache)> {
    let mut caches = Vec::new();
    for name in NAMES {
        let cache = patient().namespace(name).connect(url).unwrap();
        eventually!(cache.get(&keys()[0]).await.is_ok());
        caches.push((name, cache));
    }
    caches
}

/// Fills every entry of every cache with a value of its own.
async fn fill(caches: &[(&'static str, Cache)]) {
    for (name, cache) in caches {
        for key in &keys() {
            cache.put(&key.clone().ttl(HOUR), &format!("{name}/{key}")).await.unwrap();
        }
    }
}

/// Which caches still have all their entries, and which have none.
async fn standing(caches: &[(&'static str, Cache)]) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    for (name, cache) in caches {
        let keys = keys();
        let mut left = 0;
        for key in &keys {
            if let Some(value) = cache.get(key).await.unwrap() {
                assert_eq!(value, format!("{name}/{key}"), "somebody else's");
                left += 1;
            }
        }
        if left == keys.len() {
            full.push(*name);
        }
        if left == 0 {
            empty.push(*name);
        }
    }
    (full, empty)
}

fn others(name: &str) -> Vec<&'static str> {
    NAMES.into_iter().filter(|other| *other != name).collect()
}

async fn are_apart(url: &str) {
    let caches = connected(url).await;
    fill(&caches).await;
    assert_eq!(standing(&caches).await, (NAMES.to_vec(), vec![]));
    for (name, cache) in &caches {
        fill(&caches).await;
        match *name {
            "" => {
                assert_eq!(cache.clear().await.unwrap_err().kind(), ErrorKind::Config);
                cache.invalidate_matching("*").await.unwrap();
            }
            _ => assert!(cache.clear().await.unwrap() > 0),
        }
        assert_eq!(standing(&caches).await, (others(name), vec![*name]));

        fill(&caches).await;
        for pattern in
            ["*row:1", "?*", "[@abcr:]*", "a:*", "@*", r"\@*", r"\a*", "b*", ":*", "r*", "c*"]
        {
            cache.invalidate_matching(pattern).await.unwrap();
            assert_eq!(standing(&caches).await.0, others(name), "{pattern} of {name:?}");
        }
        assert_eq!(standing(&caches).await.1, [*name]);

        fill(&caches).await;
        cache.invalidate_tag("rows").await.unwrap();
        cache.invalidate(&Tag::from("a:rows")).await.unwrap();
        cache.invalidate(&keys()[..2]).await.unwrap();
        assert_eq!(standing(&caches).await, (others(name), vec![]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cache_reaches_another_namespace() {
    let server = RedisServer::start().await;
    are_apart(&server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cache_reaches_another_namespace_of_a_cluster() {
    let cluster = RedisCluster::start().await;
    are_apart(&cluster.url()).await;
}

#[cached(key = "b:row:<id>", ttl = 60)]
async fn outer(id: u64) -> String {
    format!("outer {id}")
}

#[cached(key = "row:<id>", ttl = 60)]
async fn inner(id: u64) -> String {
    format!("inner {id}")
}

#[invalidates(pattern = "*")]
async fn write_all() {}

/// The keys of annotated functions, and what they look like to other clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_and_their_keys() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = |name: &str| patient().namespace(name).connect(&server.url()).unwrap();
    let (root, a, b) = (cache(""), cache("a"), cache("a:b"));
    for cache in [&root, &a, &b] {
        eventually!(cache.get(&inner_key(&1)).await.is_ok());
    }
    let calls = async || {
        assert_eq!(a.scope(outer(1)).await, "outer 1");
        assert_eq!(b.scope(inner(1)).await, "inner 1");
        assert_eq!(root.scope(inner(1)).await, "inner 1");
    };
    calls().await;
    let keys = ["@a%3Ab:row:1", "@a:b:row:1", "row:1"];
    assert_eq!(client.keys().await, keys);

    // By hand, from another language.
    assert!(client.del("@a%3Ab:row:1").await);
    assert_eq!(b.get(&inner_key(&1)).await.unwrap(), None);
    assert!(a.get(&outer_key(&1)).await.unwrap().is_some());

    calls().await;
    root.scope(write_all()).await;
    assert_eq!(client.keys().await, keys[..2]);
    calls().await;
    a.scope(write_all()).await;
    assert_eq!(client.keys().await, [keys[0], keys[2]]);
}

#[cached(key = "pair:<id>", ttl = 3600)]
async fn pair(id: u64) -> (u64, String) {
    (id, "Ada".to_owned())
}

#[cached(key = "tagged:<name>", ttl = 3600, tags = ["pairs", "tagged"])]
async fn tagged(name: &str) -> (u64, String) {
    (name.len() as u64, name.to_owned())
}

#[invalidates(pair(id))]
async fn look_inside(id: u64, client: &cache_testing::redis::Client, key: &str) -> String {
    client.run(&["GETRANGE", key, "3", "3"]).await
}

/// As the guide `operations` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_looked_at_with_redis_cli() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = patient().namespace("shop").connect(&server.url()).unwrap();
    cache.scope(pair(7)).await;
    let read = async |words: &[&str]| client.run::<String>(words).await;
    assert_eq!(read(&["GETRANGE", "@shop:pair:7", "64", "-1"]).await, r#"[7,"Ada"]"#);
    assert_eq!(read(&["GETRANGE", "@shop:pair:7", "3", "3"]).await, "V");
    let left = client.pttl("@shop:pair:7").await.unwrap();
    assert!(left <= Duration::from_secs(3600), "{left:?}");

    cache.scope(tagged("a b")).await;
    assert_eq!(tagged_key("a b").as_str(), "tagged:a%20b");
    assert_eq!(read(&["GETRANGE", "@shop:tagged:a%20b", "112", "-1"]).await, r#"[3,"a b"]"#);

    assert_eq!(cache.scope(look_inside(7, &client, "@shop:pair:7")).await, "F");
    cache.scope(pair(7)).await;
    assert!(client.unlink("@shop:pair:7").await);
    assert_eq!(cache.get(&pair_key(&7)).await.unwrap(), None);

    let clients = read(&["CLIENT", "LIST"]).await;
    assert_eq!(clients.matches(" name=cache ").count(), 1, "one connection\n{clients}");
}
