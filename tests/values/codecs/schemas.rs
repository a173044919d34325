//! Entries of another type: each function misses the others' and stores its own. For those of
//! another codec or version see [`releases`](crate::codecs::releases).

use cache_fixtures::stats;
use cache_runtime::{Cache, cached};
use cache_testing::barrier::Counter;
use serde::{Deserialize, Serialize};

use crate::codecs::fixture::{ada, packed, packed_key, posted, posted_key, user, user_key};

/// Another type than `User`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    id: u64,
    email: String,
}

fn account(id: u64) -> Account {
    Account { id, email: "ada@example.org".to_owned() }
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs))]
async fn other_type(runs: &Counter, id: u64) -> Account {
    runs.count();
    account(id)
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs), codec = MessagePack)]
async fn other_packed_type(runs: &Counter, id: u64) -> Account {
    runs.count();
    account(id)
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs), version = 2)]
async fn newer(runs: &Counter, id: u64) -> crate::codecs::fixture::User {
    runs.count();
    ada(id)
}

/// `$first` and `$second` take turns: each misses once what the other has stored, and then hits.
macro_rules! misses_each_other {
    ($test:ident, $first:ident => $one:expr, $second:ident => $two:expr) => {
        #[tokio::test]
        async fn $test() {
            let (cache, runs) = (Cache::in_memory(), Counter::new());
            assert_eq!(cache.scope($first(&runs, 1)).await, $one);
            for round in 1..=3 {
                assert_eq!(cache.scope($second(&runs, 1)).await, $two);
                assert_eq!(runs.get(), 2 * round, "a miss");
                assert_eq!(cache.scope($second(&runs, 1)).await, $two);
                assert_eq!(runs.get(), 2 * round, "and a hit");
                assert_eq!(cache.scope($first(&runs, 1)).await, $one);
                assert_eq!(runs.get(), 2 * round + 1, "the other one misses in its turn");
            }
            let stats = stats(&cache, stringify!($second));
            let unusable = stats.misses.undecodable + stats.misses.version_or_codec;
            assert_eq!((stats.misses(), stats.hits(), unusable), (3, 3, 3));
            assert_eq!(stats.fills_stored, 3);
        }
    };
}
misses_each_other!(another_type_is_a_miss, user => ada(1), other_type => account(1));
misses_each_other!(another_packed_type_is_a_miss, packed => ada(1), other_packed_type => account(1));

/// The typed key carries codec and version: by hand, entries are what the function makes of them.
#[tokio::test]
async fn a_key_carries_codec_and_version() {
    let (cache, runs) = (Cache::in_memory(), Counter::new());
    cache.put(&packed_key(&1), &ada(1)).await.unwrap();
    assert_eq!(cache.scope(packed(&runs, 1)).await, ada(1));
    cache.put(&posted_key(&1), &ada(1)).await.unwrap();
    assert_eq!(cache.scope(posted(&runs, 1)).await, ada(1));
    cache.put(&newer_key(&1), &ada(1)).await.unwrap();
    assert_eq!(cache.scope(newer(&runs, 1)).await, ada(1));
    assert_eq!(runs.get(), 0);
    for wrong in [user_key(&1), packed_key(&1), posted_key(&1)] {
        assert_eq!(cache.get(&wrong).await.unwrap(), None);
    }
    assert_eq!(cache.get(&newer_key(&1)).await.unwrap(), Some(ada(1)));
}

/// As a rolling deploy adds a field that has a default, and later removes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Grown {
    id: u64,
    name: String,
    #[serde(default)]
    nickname: Option<String>,
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs))]
async fn grown(runs: &Counter, id: u64) -> Grown {
    runs.count();
    Grown { id, name: "Ada".to_owned(), nickname: Some("A.".to_owned()) }
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs), codec = MessagePack)]
async fn grown_packed(runs: &Counter, id: u64) -> Grown {
    runs.count();
    Grown { id, name: "Ada".to_owned(), nickname: Some("A.".to_owned()) }
}

#[tokio::test]
async fn json_and_message_pack_tolerate_added_and_removed_fields() {
    let (cache, runs) = (Cache::in_memory(), Counter::new());
    let old = Grown { id: 1, name: "Ada".to_owned(), nickname: None };
    cache.scope(user(&runs, 1)).await;
    assert_eq!(cache.scope(grown(&runs, 1)).await, old);
    cache.scope(grown(&runs, 2)).await;
    assert_eq!(cache.scope(user(&runs, 2)).await, ada(2));
    cache.scope(packed(&runs, 3)).await;
    assert_eq!(cache.scope(grown_packed(&runs, 3)).await, Grown { id: 3, ..old });
    cache.scope(grown_packed(&runs, 4)).await;
    assert_eq!(cache.scope(packed(&runs, 4)).await, ada(4));
    assert_eq!(runs.get(), 4);
}

/// Postcard cannot read what needs to be told its own type.
#[tokio::test]
async fn a_type_that_the_codec_cannot_read_back_is_never_a_hit() {
    #[cached(key = "any", ttl = 3600, codec = Postcard, skip(runs))]
    async fn any(runs: &Counter) -> serde_json::Value {
        runs.count();
        serde_json::json!({ "a": [1, null] })
    }
    let (cache, runs) = (Cache::in_memory(), Counter::new());
    for _ in 0..3 {
        assert_eq!(cache.scope(any(&runs)).await, serde_json::json!({ "a": [1, null] }));
    }
    assert_eq!(runs.get(), 3);
    assert_eq!(stats(&cache, "any").hits(), 0);
}
