//! Invalidations that find nobody at home.

use std::time::{Duration, Instant};

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::row_key;
use cache_runtime::{ErrorKind, Key};
use cache_testing::LIMIT;
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, RedisServer};
use cache_testing::stalls;

fn key(number: u64) -> Key<u64> {
    Key::<u64>::builder().text("other:").part(&number).done().ttl(Duration::from_secs(3600))
}

/// More than is kept one by one. What does not fit is bypassed as well, and found by a scan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overflow_takes_a_scan_to_deliver() {
    let server = RedisServer::builder().durable().start().await;
    let mut driver = Driver::at(&server.url());
    driver.hits().await;
    driver.pause().await;
    driver.cache.flush(LIMIT).await.expect("Redis is up");
    let mut stored;
    eventually!({
        driver.read(1).await.expect("a row");
        stored = driver.cache.get(&row_key(&1)).await.ok().flatten();
        stored.is_some()
    });
    driver.cache.put(&key(100_000), &1).await.expect("Redis is up");
    server.kill();
    let keys: Vec<_> = (0..20_000).map(key).collect();
    driver.cache.invalidate((&keys, &row_key(&1))).await.expect_err("Redis is down");
    assert!(driver.cache.stats().journal_depth > 19_990, "{:?}", driver.cache.stats());
    let version = driver.db.commit(1);
    driver.fault();
    driver.resume();
    driver.calls(1_000).await;
    server.restart(Data::Kept).await;
    driver.healed().await;
    eventually!(driver.cache.stats().journal_depth == 0);
    assert!(stored.is_some_and(|stored| stored.version < version));
    assert!(driver.read(1).await.expect("a row").version >= version, "gone with the others");
    let untouched = driver.cache.get(&key(100_000)).await.expect("Redis is up");
    assert_eq!(untouched, Some(1), "nobody invalidated it");
    driver.end("journal overflow").await;
}

/// Before a program ends: all, or how many are left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_says_what_is_left() {
    let server = RedisServer::builder().down();
    let driver =
        Driver::idle(cache_fixtures::driver::settings().connect(&server.url()).expect("a URL"));
    for id in 0..3 {
        driver.write(id).await;
    }
    let left = driver.cache.flush(Duration::from_millis(50)).await.expect_err("Redis is down");
    assert_eq!(left.kind(), ErrorKind::Undelivered);
    assert!(left.to_string().starts_with("3 invalidations"), "{left}");
    server.restart(Data::Lost).await;
    driver.cache.flush(LIMIT).await.expect("Redis is up");
    driver.end("flush").await;
}

/// Patterns have limits of their own: a second for each step of a scan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_waits_for_a_second_at_most() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::at(&server.url_at(proxy.port()));
    for link in [Link::BlackHole, Link::Trickle(Duration::from_millis(50)), Link::HoldReplies] {
        driver.hits().await;
        driver.fault();
        proxy.set(link).await;
        let mut all = Vec::new();
        for _ in 0..5 {
            let begun = Instant::now();
            driver.write_all().await;
            let took = begun.elapsed();
            all.push(took.saturating_sub(stalls::within(begun, took)));
        }
        all.sort_unstable();
        println!("fault: {link:?}: writes with a pattern took {all:.1?}");
        // But for one, in whose way the machine may have been.
        assert!(all[3] < Duration::from_millis(1_600), "{all:?} under {link:?}");
        proxy.set(Link::Pass).await;
        driver.healed().await;
    }
    driver.end("patterns").await;
}
