//! The server has no more memory to give.

use cache_fixtures::driver::Driver;
use cache_testing::barrier::eventually;
use cache_testing::redis::{Client, RedisServer};

async fn used(client: &Client) -> u64 {
    let info: String = client.run(&["INFO", "memory"]).await;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("INFO");
    used.trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_memory_with_noeviction() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let mut driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    // Values that stand are served.
    driver.pause().await;
    for id in 0..4 {
        driver.read(id).await.expect("a row");
    }
    admin.config_set("maxmemory", "1").await;
    let cache = driver.cache.clone();
    let row = || cache.stats().function("row").cloned().unwrap_or_default();
    let before = row();
    for id in 0..4 {
        driver.read(id).await.expect("a row");
    }
    let hits = row().hits() - before.hits();
    assert!(hits > 0, "reads are served under -OOM");
    driver.resume();
    // New ones are not stored; old ones are removed all the same.
    driver.calls(2_000).await;
    assert!(row().store_refused > before.store_refused, "{:?}", row());
    driver.pause().await;
    eventually!(admin.keys().await.is_empty());
    eventually!(cache.stats().journal_depth == 0);
    driver.resume();
    admin.config_set("maxmemory", "0").await;
    driver.healed().await;
    driver.end("-OOM, noeviction").await;
}

/// Others fill the memory, so that our values, leases and fences are thrown out at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evictions_with_allkeys_lru() {
    let server = RedisServer::builder().setting("maxmemory-policy allkeys-lru").start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    admin.config_set("maxmemory", &(used(&admin).await + 400_000).to_string()).await;
    let others = tokio::spawn(async move {
        for number in 0.. {
            admin.set(&format!("other:{number}"), vec![b'x'; 40_000]).await;
        }
    });
    let evicted = async || {
        let info: String = server.client().await.run(&["INFO", "stats"]).await;
        let evicted = info.lines().find_map(|line| line.strip_prefix("evicted_keys:"));
        evicted.expect("INFO").trim().parse::<u64>().expect("a number")
    };
    eventually!(evicted().await > 1_000);
    driver.calls(2_000).await;
    others.abort();
    driver.healed().await;
    driver.end("evictions, allkeys-lru").await;
}
