//! Control of single calls.

use cache_runtime::{Cache, CallExt as _, cached};

use crate::once::{Row, row};

#[cached(key = "inner:<id>", ttl = 60)]
async fn inner(id: i64) -> Row {
    row(id)
}

#[cached(key = "outer:<id>", ttl = 60)]
async fn outer(id: i64) -> (Row, Row) {
    (row(id), inner(id).await)
}

#[tokio::test]
async fn a_refresh_stores_what_it_loads() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = inner(1).await;
        let second = inner(1).refresh().await;
        assert_ne!(second, first);
        assert_eq!(inner(1).await, second);
        let third = inner(2).refresh().await;
        assert_eq!(inner(2).await, third, "also where there was nothing");
    };
    cache.scope(calls).await;
}

#[tokio::test]
async fn a_bypass_neither_reads_nor_stores() {
    let cache = Cache::in_memory();
    let calls = async {
        let past = inner(1).bypass().await;
        let first = inner(1).await;
        assert_ne!(first, past);
        assert_ne!(inner(1).bypass().await, first);
        assert_eq!(inner(1).await, first);
    };
    cache.scope(calls).await;
    assert_eq!(cache.stats().function("control::inner").unwrap().outcomes.bypassed, 2);
}

/// Cached functions inside are called as ever.
#[tokio::test]
async fn nested_calls_are_unaffected() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = outer(1).await;
        let bypassed = outer(1).bypass().await;
        assert_ne!(bypassed.0, first.0);
        assert_eq!(bypassed.1, first.1);
        let refreshed = outer(1).refresh().await;
        assert_ne!(refreshed.0, first.0);
        assert_eq!(refreshed.1, first.1);
        assert_eq!(outer(1).await, refreshed);
        // The other way round: one call inside is refreshed.
        let mixed = async { (outer(1).await, inner(1).refresh().await, outer(1).await) }.await;
        assert_eq!(mixed.0, mixed.2);
        assert_ne!(mixed.1, first.1);
    };
    cache.scope(calls).await;
}

/// Calls that run at the same time are told apart.
#[tokio::test]
async fn concurrent_calls_are_unaffected() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = inner(1).await;
        let (read, past, again) = tokio::join!(inner(1), inner(1).bypass(), inner(1));
        assert_eq!((&read, &again), (&first, &first));
        assert_ne!(past, first);
        // A call that is never polled leaves nothing to the next.
        drop(inner(1).bypass());
        assert_eq!(inner(1).await, first);
    };
    cache.scope(calls).await;
}
