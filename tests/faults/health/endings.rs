//! A program that ends normally has nothing to warn of.

use cache_fixtures::patient;
use cache_runtime::stats::BreakerState;
use cache_runtime::{Cache, cached};
use cache_testing::barrier::eventually;
use cache_testing::children::{self, Children, Parent, this_test};
use cache_testing::log;
use cache_testing::redis::RedisServer;
use tokio::runtime::{Builder, Runtime};

/// In each process, so many times.
const ROUNDS: usize = 16;
/// Connected in each round.
const CACHES: usize = 4;

#[cached(key = "cube:<n>", ttl = 60)]
async fn cube(n: u64) -> u64 {
    n * n * n
}

/// A runtime that is dropped drops the tasks of its connections, in whatever order: that is no
/// loss. In processes of their own, whose logs are nobody else's.
#[tokio::test]
async fn a_runtime_that_ends_loses_no_connection() {
    if let Some(parent) = children::parent() {
        return end(parent).await;
    }
    let server = RedisServer::start().await;
    let mut children = Children::spawn(&this_test!(), 2, &server.url());
    let told: Vec<(usize, Vec<String>)> = children.hear_from_all().await;
    children.finish().await;
    for (connections, warnings) in told {
        assert_eq!(connections, ROUNDS * CACHES);
        assert_eq!(warnings, [] as [String; 0]);
    }
}

async fn end(parent: Parent) {
    log::capture();
    let (url, is_multi_threaded) = (parent.setup::<String>(), parent.index() == 0);
    let rounds = std::thread::spawn(move || {
        (0..ROUNDS).map(|round| one_round(&url, is_multi_threaded, round)).sum::<usize>()
    });
    let connections = tokio::task::spawn_blocking(|| rounds.join()).await.unwrap().unwrap();
    parent.say(&(connections, log::warnings(None)));
}

/// How many caches were connected when their runtime ended.
fn one_round(url: &str, is_multi_threaded: bool, round: usize) -> usize {
    let runtime: Runtime = if is_multi_threaded {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    } else {
        Builder::new_current_thread().enable_all().build().unwrap()
    };
    let caches = runtime.block_on(async {
        let mut caches = Vec::new();
        for _ in 0..CACHES {
            let cache = patient().connect(url).unwrap();
            assert_eq!(cache.scope(cube(2)).await, 8);
            if round.is_multiple_of(4) {
                cache.shutdown().await.unwrap();
            }
            caches.push(cache);
        }
        caches
    });
    let connected = |cache: &&Cache| cache.stats().breaker == Some(BreakerState::Closed);
    let connections = caches.iter().filter(connected).count();
    // An installed cache outlives the runtime; others go before it.
    if round.is_multiple_of(2) {
        drop(runtime);
    }
    connections
}

/// That the server goes away together with the program is told, and is no warning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_end_after_a_shutdown() {
    log::capture();
    let server = RedisServer::start().await;
    let (ending, other) = (patient().connect(&server.url()), patient().connect(&server.url()));
    let (ending, other) = (ending.unwrap(), other.unwrap());
    for cache in [&ending, &other] {
        assert_eq!(cache.scope(cube(2)).await, 8);
    }
    ending.shutdown().await.unwrap();
    server.kill();
    let lines = |level: &str| {
        let lost = |line: &&String| line.starts_with(level) && line.contains("connection lost");
        log::about(server.port()).iter().filter(lost).count()
    };
    eventually!((lines("INFO"), lines("WARN")) == (1, 1));
}
