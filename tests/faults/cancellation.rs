//! Futures dropped at every await.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::{ROWS, locked_row, row, row_key, write};
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;

/// Polls a future so many times, then drops it.
async fn polled<F: Future>(times: usize, future: F) {
    let mut future = pin!(future);
    for _ in 0..times {
        let ended = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if ended {
            return;
        }
        // The next poll is worth something when whatever it waits for has happened.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_calls_mix_up_nothing() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::at(&server.url_at(proxy.port()));
    driver.hits().await;
    driver.fault();
    proxy.set(Link::Delay(Duration::from_millis(2))).await;
    for polls in 0..12 {
        for id in 0..ROWS {
            let (cache, db) = (&driver.cache, &driver.db);
            tokio::join!(
                polled(polls, cache.scope(row(db, id))),
                polled(polls, cache.scope(locked_row(db, id))),
                polled(polls, cache.scope(write(db, id))),
                polled(polls, cache.scope(row(db, id))),
            );
        }
    }
    proxy.set(Link::Pass).await;
    driver.healed().await;
    let stats = driver.cache.stats();
    assert_eq!(stats.functions.iter().map(|f| f.misses.misplaced).sum::<u64>(), 0);
    assert!(stats.functions.iter().map(|f| f.loads_cancelled).sum::<u64>() > 0);
    // Dropped writes are ended in the background.
    for id in 0..ROWS {
        eventually!(match driver.cache.get(&row_key(&id)).await {
            Ok(stored) => stored.is_none_or(|stored| stored.version >= driver.db.floor(id)),
            Err(_) => false,
        });
    }
    driver.end("futures dropped").await;
}
