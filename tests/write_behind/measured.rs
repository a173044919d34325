//! How much a queue holds, as the counters tell it: looked up in the background, and never when
//! somebody asks.

use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_runtime::Cache;
use cache_runtime::stats::{QueueLength, QueueStats};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;

use crate::fixture::{Ledger, Running, queue, step, worker};

static MEASURED: QueueSite =
    QueueSite::new("measured::measured", "measured").partitions(2).keep_all();

fn of_queue(cache: &Cache) -> Option<QueueStats> {
    cache.stats().queue("measured").cloned()
}

fn length(cache: &Cache) -> Option<QueueLength> {
    of_queue(cache)?.length.map(|measured| measured.length)
}

/// How often the server was asked to run a script, which is how a queue is looked at.
async fn scripts(server: &RedisServer) -> u64 {
    server.commandstats().await.get("evalsha").copied().unwrap_or_default()
}

#[tokio::test]
async fn a_process_looks_by_itself_as_often_as_it_is_told() {
    let server = RedisServer::start().await;
    let often = patient().measure_queues(Duration::from_millis(10)).connect(&server.url()).unwrap();
    queue(&MEASURED, &often).push(step(1, 0)).await.unwrap();
    server.reset_commandstats().await;
    // Nobody asks for its counters, and nothing is pushed.
    eventually!(scripts(&server).await >= 20);

    // It tells what others do to the queue, too.
    let other = patient().connect(&server.url()).unwrap();
    queue(&MEASURED, &other).push(step(2, 0)).await.unwrap();
    eventually!(length(&often).is_some_and(|length| length.waiting == 2));
    let running = Running::start(worker(&MEASURED, &other, &Ledger::default()));
    eventually!(length(&often).is_some_and(|length| length.depth() == 0));
    eventually!(of_queue(&other).is_some_and(|queue| queue.partitions_owned == 2));
    assert_eq!(of_queue(&often).unwrap().partitions_owned, 0, "those of this process");
    running.stop().await;
}

#[tokio::test]
async fn who_asks_for_the_counters_asks_the_server_for_nothing() {
    let server = RedisServer::start().await;
    let never = patient().measure_queues(Duration::MAX).connect(&server.url()).unwrap();
    let queue = queue(&MEASURED, &never);
    queue.push(step(1, 0)).await.unwrap();
    // The list of queues learns of this one in the background.
    eventually!(never.queues().await.unwrap().len() == 1);
    let each = {
        server.reset_commandstats().await;
        queue.length().await.unwrap();
        scripts(&server).await
    };
    assert!(each > 0);
    server.reset_commandstats().await;
    for _ in 0..100 {
        assert_eq!(length(&never).map(|length| length.waiting), Some(1), "as it was asked for");
        tokio::task::yield_now().await;
    }
    queue.length().await.unwrap();
    assert_eq!(scripts(&server).await, each);
}

#[tokio::test]
async fn a_server_that_stands_still_keeps_nobody_from_the_counters() {
    let server = RedisServer::start().await;
    let cache = patient().measure_queues(Duration::from_millis(10)).connect(&server.url()).unwrap();
    queue(&MEASURED, &cache).push(step(1, 0)).await.unwrap();
    eventually!(length(&cache).is_some());
    server.stop();
    // What was seen last stays, and grows older.
    let age = || of_queue(&cache).unwrap().length.unwrap().age;
    eventually!(age() > Duration::from_millis(200));
    assert_eq!(length(&cache).map(|length| length.waiting), Some(1));
    server.cont();
    eventually!(age() < Duration::from_millis(200));
}
