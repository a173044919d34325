//! Associated functions in which nothing says that they are in an `impl` block.

use std::collections::HashMap;
use std::time::Duration;

use cache_runtime::{Cache, cached, invalidates};

use crate::once::{Failed, Row, once, once_ok, row, stored};

struct Users;

impl Users {
    #[cached(key = "users:<id>", ttl = 60)]
    async fn find(id: i64) -> Result<Row, Failed> {
        Ok(row(id))
    }

    #[cached(key = find_key(&id), ttl = 30)]
    async fn other(id: i64) -> Result<Row, Failed> {
        Ok(row(100 + id))
    }

    #[cached(ttl = 60)]
    async fn automatic(name: &str) -> String {
        name.to_owned()
    }

    #[cached(ttl = 60, companion = named_entry)]
    async fn named(name: &str) -> String {
        name.to_owned()
    }

    #[cached(key = "users:aged:<name>", ttl = expiry(*secs, name), skip(secs), tags = ["users"])]
    async fn aged(name: String, secs: u64) -> String {
        format!("{name} {secs}")
    }

    #[cached(batch(id in ids), key = "users:many:<id>", ttl = 60, none_ttl = 60)]
    async fn many(ids: &[i64]) -> HashMap<i64, Row> {
        ids.iter().map(|id| (*id, row(*id))).collect()
    }

    #[cached(key = "users:stale:<id>", ttl = 60, stale_while_revalidate = 60)]
    async fn stale(id: i64) -> Row {
        row(id)
    }

    #[cached(key = "users:of:<T>:<id>", ttl = |it: &Vec<T>| Duration::from_secs(60 + it.len() as u64), unless = Vec::is_empty)]
    async fn of<T>(id: T) -> Vec<T>
    where
        T: Clone
            + Send
            + Sync
            + 'static
            + cache_runtime::KeyPart
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        vec![id]
    }

    #[invalidates(Users::find(id), Users::automatic("a"), key = Users::named_entry("a"), Users::many(id))]
    async fn change(id: i64) {
        _ = id;
    }
}

fn expiry(secs: u64, name: &str) -> Duration {
    Duration::from_secs(secs + name.len() as u64)
}

/// A namesake outside, whose companion has the name of that inside.
#[cached(key = "outside:<id>", ttl = 60)]
async fn find(id: i64) -> Result<Row, Failed> {
    Ok(row(1000 + id))
}

#[tokio::test]
async fn each_is_cached_under_a_key_of_its_own() {
    assert_eq!(once_ok!("users:1", Users::find(1)).id, 1);
    assert_eq!(once_ok!("outside:1", find(1)).id, 1001);
    assert_eq!(once_ok!("outside:1", Users::other(1)).id, 101);
    once!("signatures::associated::Users::automatic:a", Users::automatic("a"));
    once!("signatures::associated::Users::named:a", Users::named("a"));
    once!("users:stale:1", Users::stale(1));
    once!("users:of:i64:1", Users::of(1_i64));
}

#[tokio::test]
async fn the_companion_makes_the_same_key_with_the_same_ttl() {
    for (of_function, of_companion) in
        [(find_key(&1), "outside:1"), (Users::find_key(&1), "users:1")]
    {
        assert_eq!(of_function.as_str(), of_companion);
    }
    assert_eq!(Users::automatic_key("a").as_str(), "signatures::associated::Users::automatic:a");
    assert_eq!(Users::named_entry("a").as_str(), "signatures::associated::Users::named:a");

    let cache = Cache::in_memory();
    let calls = async {
        Users::aged("a".to_owned(), 7).await;
        assert_eq!(cache.get(&Users::aged_key("a", &7)).await.unwrap().as_deref(), Some("a 7"));
        cache.put(&Users::aged_key("b", &7), &"put".to_owned()).await.unwrap();
        assert_eq!(Users::aged("b".to_owned(), 7).await, "put");
        cache.invalidate_tag("users").await.unwrap();
        assert_eq!(Users::aged("b".to_owned(), 7).await, "b 7");

        let many = Users::many(&[1, 2]).await;
        assert_eq!(cache.get(&Users::many_key(&1)).await.unwrap(), Some(many.get(&1).cloned()));
        assert_eq!(Users::many(&[2, 1]).await, many);
    };
    cache.scope(calls).await;
}

/// The key is made in two places, and counted in one.
#[tokio::test]
async fn writes_reach_them_and_statistics_know_them_once() {
    for companion_first in [true, false] {
        let cache = Cache::builder().panic_on_misuse(true).in_memory().unwrap();
        let calls = async {
            if companion_first {
                Users::change(1).await;
            }
            for _ in 0..2 {
                let before = (Users::find(1).await.unwrap(), Users::many(&[1]).await);
                assert_eq!((Users::find(1).await.unwrap(), Users::many(&[1]).await), before);
                Users::automatic("a").await;
                Users::named("a").await;
                Users::change(1).await;
                assert_ne!(Users::find(1).await.unwrap(), before.0);
                assert_ne!(Users::many(&[1]).await, before.1);
                Users::change(1).await;
                assert_eq!(
                    stored(&cache, "signatures::associated::Users::automatic:a").await,
                    None
                );
                assert_eq!(stored(&cache, "signatures::associated::Users::named:a").await, None);
            }
            cache.get(&Users::find_key(&1)).await.unwrap();
        };
        cache.scope(calls).await;
        let stats = cache.stats();
        let named = stats.functions.iter().filter(|it| it.function.ends_with("::find"));
        assert_eq!(named.count(), 1, "{stats}");
        assert_eq!(stats.loads("find"), 4, "{stats}");
    }
}
