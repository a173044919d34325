//! More callers at once than a server is sent commands: they wait in line, and a healthy server
//! counts as healthy.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::stats::FunctionStats;
use cache_runtime::{Cache, ErrorKind, cached};
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;
use cache_testing::{log, within_limit};
use tokio::task::{JoinSet, yield_now};

/// Bodies of `number` that have run.
static BODIES: AtomicUsize = AtomicUsize::new(0);

#[cached(key = "number:<id>", ttl = 3600)]
async fn number(id: u64) -> u64 {
    BODIES.fetch_add(1, SeqCst);
    id
}

#[cached(batch(id in ids), key = number_key(id), ttl = 3600)]
async fn numbers(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn counted(cache: &Cache) -> FunctionStats {
    cache.stats().function("number").cloned().unwrap_or_default()
}

/// Stores the entries of all these ids.
async fn warm_up(cache: &Cache, count: u64) {
    let ids: Vec<_> = (0..count).collect();
    assert_eq!(cache.scope(numbers(&ids)).await.len(), ids.len());
}

/// Calls `number` for each of these ids, all at once.
fn crowd(cache: &Cache, ids: impl Iterator<Item = u64>) -> JoinSet<()> {
    ids.map(|id| cache.scope(async move { assert_eq!(number(id).await, id) })).collect()
}

async fn all(crowd: JoinSet<()>) {
    within_limit("all have their value", crowd.join_all()).await;
}

/// Lets everybody go as far as they get without a reply. Only on a runtime of one thread.
async fn settle() {
    for _ in 0..10 {
        yield_now().await;
    }
}

/// One test at a time: they count the same bodies.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_warm_keys_at_once_run_no_body() {
    let _alone = ALONE.lock().await;
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    warm_up(&cache, 10_000).await;
    let before = BODIES.load(SeqCst);
    all(crowd(&cache, 0..10_000)).await;
    assert_eq!(BODIES.load(SeqCst) - before, 0);
    let counted = counted(&cache);
    assert_eq!((counted.hits(), counted.store_down, counted.store_saturated), (10_000, 0, 0));
}

/// They read it once for all of them, as soon as nothing more is to be in flight.
#[tokio::test]
async fn thirty_thousand_callers_of_one_warm_key_run_no_body() {
    let _alone = ALONE.lock().await;
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let cache = patient().max_in_flight(1_000).connect(&server.url_at(proxy.port())).unwrap();
    warm_up(&cache, 8).await;
    let before = BODIES.load(SeqCst);
    server.reset_commandstats().await;
    proxy.set(Link::HoldReplies).await;
    let crowd = crowd(&cache, (0..30_000).map(|_| 7));
    settle().await;
    eventually!(server.commandstats().await.get("get") == Some(&1_000));
    proxy.set(Link::Pass).await;
    all(crowd).await;
    assert_eq!(BODIES.load(SeqCst) - before, 0);
    assert_eq!(server.commandstats().await.get("get"), Some(&1_001));
    let counted = counted(&cache);
    assert_eq!((counted.hits(), counted.store_down, counted.store_saturated), (30_000, 0, 0));
}

/// A caller that gives up passes its place on, and so does one that was about to read for others.
#[tokio::test]
async fn those_who_give_up_in_line_hold_up_nobody() {
    let _alone = ALONE.lock().await;
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let cache = patient().max_in_flight(1).connect(&server.url_at(proxy.port())).unwrap();
    warm_up(&cache, 8).await;
    let before = BODIES.load(SeqCst);
    proxy.set(Link::HoldReplies).await;
    let mut crowds = Vec::new();
    for ids in [[1, 2, 3, 3, 3], [4, 4, 5, 6, 3]] {
        crowds.push(crowd(&cache, ids.into_iter()));
        settle().await;
    }
    // All of the first, the one with the only turn among them.
    crowds.remove(0).shutdown().await;
    proxy.set(Link::Pass).await;
    for crowd in crowds {
        all(crowd).await;
    }
    assert_eq!(BODIES.load(SeqCst) - before, 0);
    all(crowd(&cache, 0..8)).await;
    assert_eq!(BODIES.load(SeqCst) - before, 0);
}

/// The clock stands still, so that all budgets end at the same moment.
#[tokio::test]
async fn a_stalled_server_costs_the_budget_and_nobody_takes_the_line_for_an_outage() {
    const CALLS: u64 = 500;
    const BOUND: u64 = 8;
    let _alone = ALONE.lock().await;
    log::capture();
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    warm_up(&patient().connect(&server.url()).unwrap(), CALLS).await;
    // Ends before the connection is asked for a sign of life.
    let settings = Cache::builder().budget(Duration::from_secs(5)).max_in_flight(8);
    let cache = settings.connect(&server.url_at(proxy.port())).unwrap();
    all(crowd(&cache, 0..1)).await;
    let before = BODIES.load(SeqCst);
    server.reset_commandstats().await;
    proxy.set(Link::HoldReplies).await;

    tokio::time::pause();
    let calls = crowd(&cache, 0..CALLS);
    let by_hand = {
        let cache = cache.clone();
        tokio::spawn(async move { cache.get(&number_key(&1)).await })
    };
    all(calls).await;
    assert_eq!(by_hand.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    tokio::time::resume();

    assert_eq!(BODIES.load(SeqCst) - before, usize::try_from(CALLS).unwrap());
    let counted = counted(&cache);
    assert_eq!((counted.store_timeouts, counted.store_saturated), (BOUND, CALLS - BOUND));
    assert_eq!((counted.store_down, counted.hits()), (0, 1));
    assert_eq!(server.commandstats().await.get("get"), Some(&BOUND), "the others sent nothing");
    // The line is empty again.
    proxy.set(Link::Pass).await;
    eventually!({
        let before = self::counted(&cache).hits();
        all(crowd(&cache, 0..100)).await;
        self::counted(&cache).hits() == before + 100
    });
    let lines = log::about(proxy.port());
    for line in ["no turn in time while 8 are in flight", "all have their turn again"] {
        assert_eq!(lines.iter().filter(|it| it.contains(line)).count(), 1, "{line}: {lines:#?}");
    }
}

#[test]
fn there_is_room_for_one_at_least() {
    let error = Cache::builder().max_in_flight(0).connect("redis://127.0.0.1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`max_in_flight` is 0"), "{error}");
}
