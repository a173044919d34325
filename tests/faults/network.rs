//! The way to the server is broken.

use std::time::Duration;

use cache_fixtures::driver::Driver;
use cache_testing::log;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;
use tokio::time::sleep;

const NO_ANSWER: Option<&str> = Some("no answer in time; going without it");

/// A link that is broken for as long as it takes to be called often, then whole again.
async fn broken(link: Link, what: &str, logged: Option<&str>) {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::at(&server.url_at(proxy.port()));
    driver.hits().await;
    driver.fault();
    proxy.set(link).await;
    sleep(Duration::from_secs(2)).await;
    driver.calls(500).await;
    proxy.set(Link::Pass).await;
    driver.healed().await;
    assert!(driver.counted(|f| f.store_timeouts) > 0);
    if let Some(logged) = logged {
        assert!(driver.counted(|f| f.store_down) > 50);
        log::says(proxy.port(), logged);
    }
    driver.end(what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole() {
    broken(Link::BlackHole, "black hole", NO_ANSWER).await;
}

/// The server does everything that it is asked, and nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_are_lost() {
    broken(Link::HoldReplies, "replies held back", NO_ANSWER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_of_200_ms() {
    broken(Link::Delay(Duration::from_millis(200)), "200 ms latency", NO_ANSWER).await;
}

/// Within the budget, but only just.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_of_40_ms() {
    broken(Link::Delay(Duration::from_millis(40)), "40 ms latency", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_byte_per_50_ms() {
    broken(Link::Trickle(Duration::from_millis(50)), "1 byte per 50 ms", NO_ANSWER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_in_the_middle_of_a_reply() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::at(&server.url_at(proxy.port()));
    driver.hits().await;
    driver.fault();
    // In the log-in, which takes some 6 kB, and in calls after it.
    for bytes in [0, 1, 3, 100, 5_000, 9_000, 20_000, 50_001] {
        proxy.set(Link::ResetAfter(bytes)).await;
        driver.calls(300).await;
        proxy.set(Link::Pass).await;
        driver.hits().await;
    }
    driver.healed().await;
    log::says(proxy.port(), "connection lost; going without it");
    driver.end("reset in the middle of a reply").await;
}

/// Open connections are forgotten by a router in between; new ones work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::at(&server.url_at(proxy.port()));
    for _ in 0..3 {
        driver.hits().await;
        driver.fault();
        proxy.freeze_connections();
        driver.calls(100).await;
    }
    driver.healed().await;
    log::says(proxy.port(), "no answer in time; going without it");
    driver.end("half-open connection").await;
}
