//! Code of the user's that panics beside the body. Its caller has its value all the same.

use std::time::Duration;

use cache_fixtures::stats;
use cache_runtime::{Cache, cached};
use cache_testing::barrier::Counter;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Unwritable(u64);

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("serialize panics, as part of a test");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Unreadable(u64);

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("deserialize panics, as part of a test");
    }
}

#[cached(key = "unwritable", ttl = 3600, lock, skip(runs))]
async fn unwritable(runs: &Counter) -> Unwritable {
    runs.count();
    tokio::task::yield_now().await;
    Unwritable(7)
}

#[cached(key = "unreadable", ttl = 3600, lock, skip(runs))]
async fn unreadable(runs: &Counter) -> Unreadable {
    runs.count();
    tokio::task::yield_now().await;
    Unreadable(7)
}

#[cached(key = "unless", ttl = 3600, lock, skip(runs), unless = |_| panic!("as part of a test"))]
async fn unless(runs: &Counter) -> u64 {
    runs.count();
    tokio::task::yield_now().await;
    7
}

#[cached(key = "ttl", ttl = |_| no_duration(), lock, skip(runs))]
async fn ttl(runs: &Counter) -> u64 {
    runs.count();
    tokio::task::yield_now().await;
    7
}

fn no_duration() -> Duration {
    panic!("the time to live panics, as part of a test");
}

/// Ten callers at once, and one more, all have what the body returned.
macro_rules! gives_its_value {
    ($($name:ident $value:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let (cache, runs) = (Cache::in_memory(), Counter::new());
            let calls = (0..10).map(|_| {
                let runs = runs.clone();
                tokio::spawn(cache.scope(async move { super::$name(&runs).await }))
            });
            for call in calls.collect::<Vec<_>>() {
                assert_eq!(call.await.unwrap(), $value);
            }
            assert_eq!(cache.scope(super::$name(&runs)).await, $value);
            let stats = stats(&cache, stringify!($name));
            assert_eq!((stats.loads_cancelled, stats.hits()), (0, 0));
            assert!(stats.loads_ok >= 2);
        }
    )*};
}

mod callers_have_their_value {
    use super::{Cache, Counter, Unreadable, Unwritable, stats};

    gives_its_value! {
        unwritable Unwritable(7);
        unreadable Unreadable(7);
        unless 7;
        ttl 7;
    }
}
