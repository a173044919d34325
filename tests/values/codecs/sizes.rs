//! The bound on encoded values.

use std::collections::BTreeMap;

use cache_fixtures::{patient, stats};
use cache_runtime::{Cache, ErrorKind, cached};
use cache_testing::barrier::{Counter, eventually};

use crate::codecs::fixture::Fixture;

#[cached(key = "text:<length>", ttl = 3600, skip(runs))]
async fn text(runs: &Counter, length: usize) -> String {
    runs.count();
    "x".repeat(length)
}

/// With its quotes, a text of 98 bytes is a payload of 100.
#[tokio::test]
async fn a_value_above_the_limit_is_not_stored() {
    let fixture = Fixture::start().await;
    let cache = fixture.connect(patient().max_value_bytes(100));
    for (length, loads) in [(98, 1), (99, 2), (10_000, 2)] {
        let before = fixture.runs.get();
        for _ in 0..2 {
            assert_eq!(cache.scope(text(&fixture.runs, length)).await.len(), length);
        }
        assert_eq!(fixture.runs.get(), before + loads, "{length}");
    }
    let stats = stats(&cache, "text");
    assert_eq!((stats.fills_oversized, stats.fills_stored, stats.hits()), (4, 1, 1));
    assert_eq!(fixture.client.get("text:98").await.map(|record| record.len()), Some(164));
    // Nor is a lease left.
    eventually!(fixture.client.get("text:10000").await.is_none());
    let refused = cache.put(&text_key(&99), &"x".repeat(99)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Codec);
}

/// A limit that was lowered, or another process's.
#[tokio::test]
async fn a_stored_value_above_the_limit_is_a_miss() {
    let fixture = Fixture::start().await;
    let small = fixture.connect(patient().max_value_bytes(100));
    fixture.cache.scope(text(&fixture.runs, 99)).await;
    assert_eq!(small.get(&text_key(&99)).await.unwrap(), None, "nor is it read by hand");
    for round in 1..=2 {
        assert_eq!(small.scope(text(&fixture.runs, 99)).await.len(), 99);
        assert_eq!(fixture.runs.get(), 1 + round);
        // It is gone now, because its place was asked for, and so is the lease.
        eventually!(fixture.client.get("text:99").await.is_none());
    }
    let stats = stats(&small, "text");
    assert_eq!((stats.misses(), stats.hits(), stats.fills_oversized), (2, 0, 2));
    assert_eq!(stats.misses.oversized, 1);
}

/// JSON has no such maps.
#[tokio::test]
async fn a_value_that_does_not_encode_is_returned() {
    #[cached(key = "map", ttl = 3600, skip(runs))]
    async fn map(runs: &Counter) -> BTreeMap<(u8, u8), u8> {
        runs.count();
        BTreeMap::from([((1, 2), 3)])
    }
    let (cache, runs) = (Cache::in_memory(), Counter::new());
    for _ in 0..2 {
        assert_eq!(cache.scope(map(&runs)).await[&(1, 2)], 3);
    }
    assert_eq!(runs.get(), 2);
    assert_eq!(stats(&cache, "map").fills_unencodable, 2);
    let refused = cache.put(&map_key(), &BTreeMap::from([((1, 2), 3)])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Codec);
}
