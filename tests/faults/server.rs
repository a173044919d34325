//! The server is down, frozen, or comes back.

use std::time::Duration;

use cache_fixtures::driver::Driver;
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, Program, RedisServer, requires};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_at_start() {
    let server = RedisServer::builder().down();
    let driver = Driver::at(&server.url());
    driver.fault();
    driver.calls(2_000).await;
    server.restart(Data::Lost).await;
    driver.healed().await;
    assert!(driver.counted(|f| f.store_down) > 100);
    log::says(server.port(), "connection refused; going without it");
    driver.end("refused at start").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_later() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::at(&server.url_at(proxy.port()));
    driver.hits().await;
    driver.fault();
    proxy.set(Link::Refuse).await;
    proxy.reset_connections();
    driver.calls(2_000).await;
    proxy.set(Link::Pass).await;
    driver.healed().await;
    log::says(proxy.port(), "going without it");
    driver.end("refused later").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_for_three_seconds() {
    let server = RedisServer::start().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    server.stop();
    sleep(Duration::from_secs(3)).await;
    // Some that time out, then many that are refused.
    let counted = || (driver.counted(|f| f.store_timeouts), driver.counted(|f| f.store_down));
    eventually!(matches!(counted(), (timeouts @ 1.., down) if down > 2 * timeouts));
    server.cont();
    driver.healed().await;
    log::says(server.port(), "no answer in time; going without it");
    driver.end("SIGSTOP for 3 s").await;
}

/// Stopped and continued in quick succession: each time some commands are executed late, after
/// their callers have gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_again_and_again() {
    let server = RedisServer::start().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    for pause in [20, 90, 110, 150, 300, 90, 110, 600] {
        server.stop();
        sleep(Duration::from_millis(pause)).await;
        server.cont();
        driver.hits().await;
    }
    driver.healed().await;
    driver.end("SIGSTOP, 20 to 600 ms, eight times").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_empty() {
    let server = RedisServer::start().await;
    let driver = Driver::at(&server.url());
    for _ in 0..3 {
        driver.hits().await;
        driver.fault();
        server.kill();
        driver.calls(1_000).await;
        server.restart(Data::Lost).await;
    }
    driver.healed().await;
    log::says(server.port(), "connection lost; going without it");
    driver.end("SIGKILL, restarted empty").await;
}

/// What was written meanwhile is outdated in the data that come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_with_its_data() {
    let server = RedisServer::builder().durable().start().await;
    let driver = Driver::at(&server.url());
    for _ in 0..3 {
        driver.hits().await;
        driver.fault();
        server.kill();
        driver.calls(1_000).await;
        eventually!(driver.cache.stats().journal_depth > 0);
        server.restart(Data::Kept).await;
    }
    driver.healed().await;
    assert!(driver.counted(|f| f.uncached.outdated) > 100);
    assert!(driver.counted(|f| f.invalidations_journalled) > 100);
    driver.end("SIGKILL, restarted with its data").await;
}

/// Killed in the middle of everything, and at once there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_back_at_once() {
    let server = RedisServer::builder().durable().start().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    for _ in 0..5 {
        server.restart(Data::Kept).await;
        driver.calls(200).await;
    }
    driver.healed().await;
    driver.end("SIGKILL and back at once, five times").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading() {
    requires!(Program::get().is_redis_from(7, 0), "settings that change while it loads");
    // A pause of 20 us for each key, and some 20 ms from one answer to the next.
    let server = RedisServer::builder().durable().setting("key-load-delay 20").start().await;
    let driver = Driver::patient_at(&server.url());
    let fill = "for number = 1, 400000 do redis.call('SET', number, '') end";
    server.client().await.run::<()>(&["EVAL", fill, "0"]).await;
    driver.hits().await;
    driver.fault();
    server.restart_loading().await;
    let refused = || driver.cache.stats().function("row").map_or(0, |row| row.store_refused);
    eventually!(refused() > 200);
    // However long such a pause really is on this machine: enough of them.
    server.client().await.config_set("key-load-delay", "0").await;
    driver.healed().await;
    driver.end("-LOADING").await;
}
