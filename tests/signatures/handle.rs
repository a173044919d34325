//! The handle: scopes, the installed and the default cache, namespaces, and entries by hand.

use cache_runtime::{Cache, ErrorKind, Key, cached};

use crate::once::{Row, row, stored};

#[cached(key = "row:<id>", ttl = 60)]
async fn find(id: i64) -> Row {
    row(id)
}

#[cached(key = "other:<id>", ttl = 60)]
async fn other(id: i64) -> String {
    row(id).serial.to_string()
}

#[tokio::test]
async fn scopes_are_apart() {
    let (one, two) = (Cache::in_memory(), Cache::in_memory());
    let (first, second) = (one.scope(find(1)).await, two.scope(find(1)).await);
    assert_ne!(first, second);
    assert_eq!(one.scope(find(1)).await, first);
    // The inner scope is the one that counts, and the outer one is there again after it.
    let nested = one.scope(async { (two.scope(find(1)).await, find(1).await) }).await;
    assert_eq!(nested, (second, first));
}

#[tokio::test]
async fn a_disabled_cache_runs_every_body() {
    let cache = Cache::disabled();
    let calls = async {
        assert_ne!(find(1).await, find(1).await);
        cache.put(&find_key(&1), &row(1)).await.unwrap();
        assert_eq!(cache.get(&find_key(&1)).await.unwrap(), None);
        cache.invalidate(&find_key(&1)).await.unwrap();
        assert_eq!(cache.invalidate_matching("*").await.unwrap(), 0);
        assert_eq!(cache.clear().await.unwrap(), 0);
    };
    cache.scope(calls).await;
}

/// One test, because what is installed is installed for the whole program. All other tests have a
/// scope of their own.
#[tokio::test]
async fn the_embedded_cache_until_one_is_installed() {
    #[cached(key = "ambient:<id>", ttl = 60)]
    async fn ambient(id: i64) -> Row {
        row(id)
    }
    let embedded = ambient(1).await;
    assert_eq!(ambient(1).await, embedded);
    let cache = Cache::in_memory();
    cache.install();
    let first = ambient(1).await;
    assert_ne!(first, embedded);
    assert_eq!(tokio::spawn(ambient(1)).await.unwrap(), first, "in every task");
    assert_eq!(cache.get(&ambient_key(&1)).await.unwrap(), Some(first.clone()));
    let scoped = Cache::in_memory().scope(ambient(1)).await;
    assert_ne!(scoped, first, "a scope goes first");
    let next = Cache::in_memory();
    next.install();
    assert_ne!(ambient(1).await, first, "a later one replaces it");
}

#[tokio::test]
async fn a_namespace_stands_before_every_key() {
    let cache = Cache::builder().namespace("shop").in_memory().unwrap();
    let first = cache.scope(find(1)).await;
    assert_eq!(cache.get(&find_key(&1)).await.unwrap(), Some(first.clone()));
    assert_eq!(find_key(&1).as_str(), "row:1", "it is the cache's, not the key's");
    assert_eq!(cache.invalidate_matching("shop:row:*").await.unwrap(), 0);
    assert_eq!(cache.invalidate_matching("row:*").await.unwrap(), 1);
    assert_ne!(cache.scope(find(1)).await, first);
}

#[tokio::test]
async fn a_namespace_is_plain_text() {
    for odd in ["a b", "a*", "{a}", "a[", "a?", "a\\", "a\n", "<a>", "a%"] {
        let refused = Cache::builder().namespace(odd).in_memory().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{odd}");
    }
    for fine in ["", "a", "a:b", "a-b_c.d", "ü"] {
        assert!(Cache::builder().namespace(fine).in_memory().is_ok(), "{fine}");
    }
}

#[tokio::test]
async fn entries_by_hand() {
    let cache = Cache::in_memory();
    assert_eq!(cache.get(&find_key(&1)).await.unwrap(), None);
    let put = row(1);
    cache.put(&find_key(&1), &put).await.unwrap();
    assert_eq!(cache.get(&find_key(&1)).await.unwrap().as_ref(), Some(&put));
    assert_eq!(cache.scope(find(1)).await, put, "the function serves it");
    cache.invalidate(&find_key(&1)).await.unwrap();
    assert_eq!(cache.get(&find_key(&1)).await.unwrap(), None);
    assert_ne!(cache.scope(find(1)).await, put);
}

#[tokio::test]
async fn many_keys_at_once() {
    let cache = Cache::in_memory();
    let fill = || async {
        for id in 0..6 {
            find(id).await;
        }
        other(1).await;
    };
    let left = async || {
        let mut left = Vec::new();
        for id in 0..6 {
            if cache.get(&find_key(&id)).await.unwrap().is_some() {
                left.push(id);
            }
        }
        left
    };
    cache.scope(fill()).await;
    cache.invalidate([find_key(&0), find_key(&1)]).await.unwrap();
    assert_eq!(left().await, [2, 3, 4, 5]);
    let keys: Vec<Key<Row>> = vec![find_key(&2)];
    cache.invalidate(&keys).await.unwrap();
    cache.invalidate(&keys[..]).await.unwrap();
    assert_eq!(left().await, [3, 4, 5]);
    // Keys of different types.
    cache.invalidate((find_key(&3), other_key(&1), vec![find_key(&4)])).await.unwrap();
    assert_eq!(left().await, [5]);
    assert_eq!(stored(&cache, "other:1").await, None);
    cache.invalidate(Vec::<Key<Row>>::new()).await.unwrap();
    assert_eq!(left().await, [5]);
}

#[tokio::test]
async fn entries_by_pattern() {
    let cache = Cache::in_memory();
    let fill = async {
        for id in [1, 10, 11, 2] {
            find(id).await;
        }
        other(1).await;
    };
    cache.scope(fill).await;
    assert_eq!(cache.invalidate_matching("row:1?").await.unwrap(), 2);
    assert_eq!(cache.invalidate_matching("row:[2-9]").await.unwrap(), 1);
    assert_eq!(cache.invalidate_matching("nothing:*").await.unwrap(), 0);
    assert!(stored(&cache, "row:1").await.is_some());
    assert_eq!(cache.invalidate_matching("*:1").await.unwrap(), 2);
}

#[tokio::test]
async fn everything() {
    let cache = Cache::builder().namespace("shop").in_memory().unwrap();
    let fill = async {
        find(1).await;
        other(1).await;
    };
    cache.scope(fill).await;
    assert_eq!(cache.clear().await.unwrap(), 2);
    assert_eq!(stored(&cache, "row:1").await, None);
    assert_eq!(cache.clear().await.unwrap(), 0);
}

/// On a server that others may use as well, `clear` wants to know what is ours.
#[tokio::test]
async fn clear_needs_a_namespace_on_a_server() {
    // Nobody listens there, and nobody is asked.
    let cache = Cache::connect("redis://127.0.0.1:1").unwrap();
    assert_eq!(cache.clear().await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn urls() {
    assert!(Cache::connect("memory:").is_ok());
    for malformed in ["", "redis", "http://127.0.0.1", "redis://127.0.0.1:port"] {
        assert_eq!(Cache::connect(malformed).unwrap_err().kind(), ErrorKind::Config, "{malformed}");
    }
}
