//! Others change what is in the server.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::ROWS;
use cache_fixtures::patient;
use cache_runtime::{Failover, cached};
use cache_testing::redis::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn script_flush() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    for _ in 0..50 {
        admin.script_flush().await;
        driver.calls(20).await;
    }
    driver.healed().await;
    driver.end("SCRIPT FLUSH").await;
}

/// Values, leases and fences vanish together, at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_all() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    for _ in 0..200 {
        admin.flush_all().await;
        driver.calls(5).await;
    }
    driver.healed().await;
    assert!(driver.counted(|f| f.fills_refused) > 0);
    driver.end("FLUSHALL").await;
}

#[cached(key = "loaded:<id>", ttl = "1h", tags = ["loads"], skip(loads))]
async fn loaded(loads: &AtomicU64, id: u64) -> u64 {
    loads.fetch_add(1, SeqCst)
}

/// Records whose payload begins nowhere, in the key of an entry and in that of a tag.
#[tokio::test]
async fn a_damaged_record_is_replaced() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    for failover in [Failover::Replay, Failover::Distrust] {
        let cache = patient().failover(failover).connect(&server.url()).unwrap();
        admin.flush_all().await;
        let loads = AtomicU64::new(0);
        cache
            .scope(async {
                assert_eq!(loaded(&loads, 1).await, 0);
                let keys = admin.keys().await;
                assert_eq!(keys.len(), 2, "{keys:?}");
                for (key, value) in keys.iter().zip(1..) {
                    assert_eq!(loaded(&loads, 1).await, value - 1, "a hit");
                    admin.run::<u64>(&["SETRANGE", key, "62", "xx"]).await;
                    assert_eq!(loaded(&loads, 1).await, value, "a miss");
                    assert_eq!(loaded(&loads, 1).await, value, "{failover:?}: {key} has healed");
                }
            })
            .await;
    }
}

/// Somebody else's data in our keys: gone around, and never touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_type_in_our_keys() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    for id in 0..ROWS / 2 {
        let key = format!("row:{id}");
        admin
            .run::<()>(&[
                "EVAL",
                "redis.call('DEL', KEYS[1]); redis.call('SADD', KEYS[1], 'theirs')",
                "1",
                &key,
            ])
            .await;
    }
    for id in ROWS / 2..ROWS {
        admin.set(&format!("row:{id}"), "theirs").await;
    }
    driver.calls(2_000).await;
    let row = driver.cache.stats().function("row").cloned().expect("it was called");
    assert!(row.misses.foreign > 100, "{row:?}");
    for id in 0..ROWS / 2 {
        let members: Vec<String> = admin.run(&["SMEMBERS", &format!("row:{id}")]).await;
        assert_eq!(members, ["theirs"]);
    }
    for id in ROWS / 2..ROWS {
        assert_eq!(admin.get(&format!("row:{id}")).await.as_deref(), Some(&b"theirs"[..]));
    }
    admin.flush_all().await;
    driver.healed().await;
    driver.end("WRONGTYPE").await;
}
