//! Connections that no user's work can hold up.

use std::sync::mpsc;
use std::thread;

use cache_fixtures::patient;
use cache_runtime::{Cache, cached};
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use tokio::runtime::{Builder, Runtime};

#[cached(key = "quarter:<n>", ttl = 3600)]
async fn quarter(n: u64) -> u64 {
    n / 4
}

fn single() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The runtime of the first caller stands still, in the middle of somebody's computation: others go
/// on.
fn others_go_on(busy: Runtime, is_multi_threaded: bool) {
    let (servers, connections, others) = (single(), single(), single());
    let server = servers.block_on(RedisServer::start());
    let cache = patient().connections_on(connections.handle()).connect(&server.url()).unwrap();

    let (stands_still, standing) = mpsc::channel();
    let (over, end) = mpsc::channel::<()>();
    let first = cache.clone();
    let computing = thread::spawn(move || {
        let compute = async move {
            assert_eq!(first.scope(quarter(8)).await, 2);
            stands_still.send(()).unwrap();
            // Until the test is over.
            _ = end.recv();
        };
        if is_multi_threaded {
            // On its only worker.
            busy.block_on(busy.spawn(compute)).unwrap();
        } else {
            busy.block_on(compute);
        }
    });
    standing.recv().unwrap();
    others.block_on(hits(&cache));
    drop(over);
    computing.join().unwrap();
}

async fn hits(cache: &Cache) {
    for _ in 0..50 {
        assert_eq!(within_limit("a read", cache.scope(quarter(8))).await, 2);
    }
    let quarter = cache.stats().function("quarter").cloned().unwrap();
    assert_eq!((quarter.loads_ok, quarter.hits()), (1, 50));
    assert_eq!(cache.stats().connections, 1);
}

#[test]
fn beside_a_busy_runtime_with_one_thread() {
    others_go_on(Builder::new_current_thread().enable_all().build().unwrap(), false);
}

#[test]
fn beside_a_busy_runtime_with_workers() {
    others_go_on(single(), true);
}
