//! What a call tells about itself: `.outcome()`.

use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::stats::{MissReason, NotStored, Outcome, OutcomeKind, UncachedReason};
use cache_runtime::{Cache, CallExt as _, cached, invalidates, tag};
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::advance;

#[cached(key = "half:<n>", ttl = 60, tags = ["halves", |half: &u64| [tag!("half:<half>")]])]
async fn half(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
}

#[invalidates(half(n))]
async fn change(n: u64, end: oneshot::Receiver<()>) {
    _ = (n, end.await);
}

#[cached(key = "outer:<n>", ttl = 60)]
async fn outer(n: u64) -> u64 {
    let inner = half(n).outcome().await;
    assert_eq!(inner.1.kind(), OutcomeKind::Loaded);
    inner.0.unwrap_or_default()
}

#[cached(key = "kept:<n>", ttl = 10, stale_if_error = 100, skip(fails))]
async fn kept(n: u64, fails: bool) -> Result<u64, String> {
    if fails { Err("no".to_owned()) } else { Ok(n) }
}

#[cached(key = "large:<n>", ttl = 60, unless = |n: &u64| *n < 10)]
async fn large(n: u64) -> u64 {
    n
}

/// Begins to run, says so, and waits for a word.
#[cached(key = "slow:<n>", ttl = 60, skip(begun, end))]
async fn slow(n: u64, begun: oneshot::Sender<()>, end: oneshot::Receiver<()>) -> u64 {
    _ = begun.send(());
    _ = end.await;
    n
}

#[invalidates(key = "slow:<n>")]
async fn change_slow(n: u64) {
    _ = n;
}

#[cached(key = "panics", ttl = 60)]
async fn panics() -> u64 {
    panic!("as it should")
}

async fn of<T>(call: impl Future<Output = T>) -> Outcome {
    call.outcome().await.1
}

/// The seconds in `; ttl=48`.
fn ttl(header: &str) -> i64 {
    let (_, ttl) = header.split_once("; ttl=").expect(header);
    ttl.split(';').next().unwrap().parse().expect(header)
}

async fn loads_and_hits(cache: &Cache) {
    cache
        .scope(async {
            let loaded = of(half(8)).await;
            assert_eq!(
                (loaded.kind(), loaded.missed()),
                (OutcomeKind::Loaded, Some(MissReason::Absent))
            );
            assert_eq!((loaded.is_stored(), loaded.not_stored()), (true, None));
            assert_eq!(loaded.age(), Some(Duration::ZERO));
            assert_eq!(loaded.tags(), ["halves", "half:4"]);
            assert_eq!(loaded.cache_status(), "cache-runtime; fwd=miss; stored; ttl=60");

            let hit = of(half(8)).await;
            assert_eq!(
                (hit.kind(), hit.missed(), hit.is_stored()),
                (OutcomeKind::Hit, None, false)
            );
            assert!(hit.age().unwrap() < Duration::from_secs(60), "{hit}");
            assert!(hit.ttl_left().unwrap() <= Duration::from_secs(60), "{hit}");
            assert_eq!(hit.tags(), ["halves", "half:4"]);
            let header = hit.cache_status();
            assert!(header.starts_with("cache-runtime; hit; ttl="), "{header}");
            assert!((0..=60).contains(&ttl(&header)), "{header}");

            let failed = of(half(7)).await;
            assert_eq!(
                (failed.kind(), failed.not_stored()),
                (OutcomeKind::Loaded, Some(NotStored::Failed))
            );
            assert_eq!(failed.cache_status(), "cache-runtime; fwd=miss; detail=failed");

            let bypassed = of(half(8).bypass()).await;
            assert_eq!(
                (bypassed.kind(), bypassed.not_stored()),
                (OutcomeKind::Bypassed, Some(NotStored::NoRight))
            );
            assert_eq!(bypassed.cache_status(), "cache-runtime; fwd=bypass");

            let refreshed = of(half(8).refresh()).await;
            assert_eq!((refreshed.kind(), refreshed.is_stored()), (OutcomeKind::Loaded, true));

            let excluded = of(large(3)).await;
            assert_eq!(
                (excluded.kind(), excluded.not_stored()),
                (OutcomeKind::Loaded, Some(NotStored::Excluded))
            );
            assert!(of(large(30)).await.is_stored());
        })
        .await;
}

#[tokio::test]
async fn loads_and_hits_are_told_on_the_embedded_store() {
    loads_and_hits(&Cache::in_memory()).await;
}

#[tokio::test]
async fn loads_and_hits_are_told_on_redis() {
    let server = RedisServer::start().await;
    loads_and_hits(&patient().connect(&server.url()).unwrap()).await;
}

#[tokio::test]
async fn a_fence_and_a_server_that_is_gone_leave_a_call_uncached() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache
        .scope(async {
            half(8).await.unwrap();
            let (end, ended) = oneshot::channel();
            let mut write = Box::pin(change(8, ended));
            // Until its fence is up, and its body waits.
            let fenced = async {
                loop {
                    assert!(write.as_mut().now_or_never().is_none());
                    let read = tokio::spawn(cache.scope(of(half(8)))).await.unwrap();
                    if read.kind() == OutcomeKind::Uncached {
                        return read;
                    }
                }
            };
            let fenced = within_limit("the fence is up", fenced).await;
            assert_eq!(fenced.uncached(), Some(UncachedReason::Fenced));
            assert_eq!(fenced.not_stored(), Some(NotStored::NoRight));
            assert_eq!(fenced.cache_status(), "cache-runtime; fwd=miss; detail=fenced");
            _ = end.send(());
            write.await;
            server.kill();
            let alone = of(half(8)).await;
            assert_eq!(alone.uncached(), Some(UncachedReason::Unavailable), "{alone}");
            assert_eq!(alone.ttl_left(), None);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_told_with_how_long_it_has_been_stale() {
    Cache::in_memory()
        .scope(async {
            assert!(of(kept(1, false)).await.is_stored());
            advance(Duration::from_secs(4)).await;
            let hit = of(kept(1, true)).await;
            assert_eq!(hit.age(), Some(Duration::from_secs(4)));
            assert_eq!(
                (hit.ttl_left(), ttl(&hit.cache_status())),
                (Some(Duration::from_secs(6)), 6)
            );
            advance(Duration::from_secs(18)).await;
            let stale = of(kept(1, true)).await;
            assert_eq!(
                (stale.kind(), stale.missed()),
                (OutcomeKind::Stale, Some(MissReason::Expired))
            );
            assert_eq!(
                (stale.age(), stale.ttl_left()),
                (Some(Duration::from_secs(22)), Some(Duration::ZERO))
            );
            assert_eq!(stale.cache_status(), "cache-runtime; hit; ttl=-12");
        })
        .await;
}

/// A load that has begun, and what ends it.
async fn begun(cache: &Cache) -> (JoinHandle<Outcome>, oneshot::Sender<()>) {
    let ((begun, has_begun), (end, ended)) = (oneshot::channel(), oneshot::channel());
    let call = tokio::spawn(cache.scope(of(slow(1, begun, ended))));
    has_begun.await.unwrap();
    (call, end)
}

#[tokio::test]
async fn a_value_that_a_write_overtakes_is_told_to_be_unstored() {
    let cache = Cache::in_memory();
    let (call, end) = begun(&cache).await;
    cache.scope(change_slow(1)).await;
    end.send(()).unwrap();
    let overtaken = within_limit("the load ends", call).await.unwrap();
    assert_eq!(overtaken.kind(), OutcomeKind::Loaded);
    assert_eq!(overtaken.not_stored(), Some(NotStored::Invalidated));
    assert_eq!(overtaken.cache_status(), "cache-runtime; fwd=miss; detail=invalidated");
}

#[tokio::test]
async fn a_call_that_waits_for_another_is_told_so() {
    let cache = Cache::in_memory();
    let (call, end) = begun(&cache).await;
    // Would never end by itself.
    let (unused, never) = (oneshot::channel(), oneshot::channel());
    let mut waiter = Box::pin(cache.scope(of(slow(1, unused.0, never.1))));
    // It has joined the load.
    assert!(waiter.as_mut().now_or_never().is_none());
    end.send(()).unwrap();
    assert!(within_limit("the load ends", call).await.unwrap().is_stored());
    let waiter = within_limit("the waiter is served", waiter).await;
    assert_eq!((waiter.kind(), waiter.age()), (OutcomeKind::Coalesced, None));
    assert_eq!(waiter.cache_status(), "cache-runtime; fwd=miss; collapsed");
}

#[tokio::test]
async fn what_a_body_calls_has_outcomes_of_its_own() {
    let both = async {
        half(2).await.unwrap();
        half(2).await
    };
    let cache = Cache::in_memory();
    cache
        .scope(async {
            let outer = of(outer(8)).await;
            assert_eq!((outer.kind(), outer.is_stored()), (OutcomeKind::Loaded, true));
            assert!(outer.tags().is_empty(), "{outer}");
            // Of several calls it is the first.
            assert_eq!(of(both).await.kind(), OutcomeKind::Loaded);
            // And of none there is nothing to tell.
            assert_eq!(of(async {}).await.to_string(), "bypassed");
        })
        .await;
}

#[tokio::test]
async fn a_panic_leaves_nothing_to_the_next_call() {
    let cache = Cache::in_memory();
    let calls = async {
        let call = std::panic::AssertUnwindSafe(of(panics()));
        assert!(call.catch_unwind().await.is_err());
        half(4).await.unwrap();
        assert_eq!(of(half(4)).await.kind(), OutcomeKind::Hit);
    };
    cache.scope(calls).await;
}
