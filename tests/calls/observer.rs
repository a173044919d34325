//! Code of the program that is told what happens: `Cache::builder().observer(..)`.

use std::sync::{Mutex, mpsc};

use cache_fixtures::patient;
use cache_runtime::stats::{BreakerState, Observation, OutcomeKind};
use cache_runtime::{Cache, CallExt as _, cached, invalidates};
use cache_testing::barrier::until;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// As many observations may wait.
const WAITING: u64 = 8192;

#[cached(key = "half:<n>", ttl = 60)]
async fn half(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
}

#[invalidates(half(n))]
async fn change(n: u64) {
    _ = n;
}

/// An observer that hands on what it is told.
fn telling() -> (impl Fn(Observation) + Send + Sync + 'static, UnboundedReceiver<Observation>) {
    let (tell, told) = unbounded_channel();
    (move |observation| _ = tell.send(observation), told)
}

async fn next(told: &mut UnboundedReceiver<Observation>) -> Observation {
    within_limit("something is observed", told.recv()).await.expect("an observation")
}

fn outcome(observation: &Observation) -> OutcomeKind {
    match observation {
        Observation::Called { function, outcome, .. } => {
            assert!(function.ends_with("observer::half"), "{function}");
            *outcome
        }
        other => panic!("no call: {other:?}"),
    }
}

#[tokio::test]
async fn each_call_and_each_invalidation_is_told_in_its_order() {
    let (observer, mut told) = telling();
    let cache = Cache::builder().observer(observer).in_memory().unwrap();
    cache
        .scope(async {
            half(8).await.unwrap();
            half(8).await.unwrap();
            half(7).await.unwrap_err();
            half(8).bypass().await.unwrap();
            change(8).await;
        })
        .await;
    let calls = [OutcomeKind::Loaded, OutcomeKind::Hit, OutcomeKind::Loaded, OutcomeKind::Bypassed];
    for call in calls {
        assert_eq!(outcome(&next(&mut told).await), call);
    }
    let Observation::Invalidated { is_pattern, is_acknowledged, .. } = next(&mut told).await else {
        panic!("an invalidation is told");
    };
    assert!(!is_pattern && is_acknowledged);
    // The thread ends with the cache, and takes the observer with it.
    drop(cache);
    assert_eq!(within_limit("the observer ends", told.recv()).await, None);
}

#[tokio::test]
async fn a_breaker_that_opens_is_told_with_its_server() {
    let server = RedisServer::start().await;
    let (observer, mut told) = telling();
    let cache = patient().observer(observer).connect(&server.url()).unwrap();
    _ = cache.scope(half(8)).await;
    server.kill();
    until("the breaker opens", async || {
        _ = cache.scope(half(8)).await;
        cache.stats().breaker == Some(BreakerState::Open)
    })
    .await;
    let mut states = Vec::new();
    while states.last() != Some(&BreakerState::Open) {
        if let Observation::Breaker { server: told, state, .. } = next(&mut told).await {
            assert!(told.ends_with(&server.port().to_string()), "{told}");
            states.push(state);
        }
    }
    assert_eq!(states[..2], [BreakerState::Connecting, BreakerState::Closed]);
}

#[tokio::test]
async fn an_observer_that_panics_breaks_nothing_and_goes_on() {
    let (tell, mut told) = telling();
    let observer = move |observation: Observation| {
        assert_ne!(outcome(&observation), OutcomeKind::Loaded, "as it should");
        tell(observation);
    };
    let cache = Cache::builder().observer(observer).in_memory().unwrap();
    cache
        .scope(async {
            assert_eq!(half(8).await, Ok(4));
            assert_eq!(half(8).await, Ok(4));
        })
        .await;
    assert_eq!(outcome(&next(&mut told).await), OutcomeKind::Hit);
}

#[tokio::test]
async fn an_observer_that_blocks_delays_no_call_and_learns_what_it_has_lost() {
    let calls = 3 * WAITING;
    let (tell, mut told) = telling();
    // Blocks until the other end is gone.
    let (gate, closed) = mpsc::channel::<()>();
    let closed = Mutex::new(closed);
    let observer = move |observation| {
        _ = closed.lock().unwrap().recv();
        tell(observation);
    };
    let cache = Cache::builder().observer(observer).in_memory().unwrap();
    for _ in 0..calls {
        assert_eq!(cache.scope(half(8)).await, Ok(4));
    }
    drop(gate);
    let (mut seen, mut lost) = (0, 0);
    while seen + lost < calls {
        match next(&mut told).await {
            Observation::Lost(count) => lost += count,
            _ => seen += 1,
        }
    }
    assert_eq!(seen + lost, calls);
    assert!((WAITING..=WAITING + 1).contains(&seen), "{seen}");
    assert!(told.try_recv().is_err());
}
