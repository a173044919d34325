//! The runtime ends, and another takes its place.

use cache_fixtures::driver::Driver;
use cache_testing::barrier::eventually;
use cache_testing::redis::{Data, RedisServer};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn one_runtime_after_another() {
    let servers = runtime();
    let server = servers.block_on(RedisServer::start());
    let mut driver = runtime().block_on(async { Driver::at(&server.url()) });
    for _ in 0..3 {
        let short = runtime();
        short.block_on(async {
            driver.resume();
            driver.hits().await;
        });
        driver.fault();
        // In the middle of everything.
        drop(short);
    }
    runtime().block_on(async {
        driver.resume();
        driver.healed().await;
        driver.end("runtime replaced").await;
    });
}

/// What could not be delivered on one runtime is delivered on the next, though nobody writes there.
#[test]
fn a_journal_outlives_its_runtime() {
    let servers = runtime();
    let server = servers.block_on(RedisServer::builder().durable().start());
    let mut driver = runtime().block_on(async { Driver::at(&server.url()) });
    let short = runtime();
    short.block_on(async {
        driver.resume();
        driver.hits().await;
        driver.fault();
        server.kill();
        driver.calls(1_000).await;
        driver.pause().await;
        assert!(driver.cache.stats().journal_depth > 0);
    });
    drop(short);
    let next = runtime();
    next.block_on(async {
        server.restart(Data::Kept).await;
        eventually!({
            driver.read(1).await.expect("a row");
            driver.cache.stats().journal_depth == 0
        });
        driver.resume();
        driver.healed().await;
        driver.end("runtime replaced with a journal").await;
    });
}
