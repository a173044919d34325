//! While Redis is down, many push at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cache_runtime::__private::{self, QueueSite};
use cache_runtime::queue::SinkError;
use cache_runtime::{Batch, Cache, ErrorKind};
use cache_testing::redis::RedisServer;
use tokio::task::{JoinSet, yield_now};

use crate::stage::{Step, queue, step};

static DOWN: QueueSite = QueueSite::new("detour::down", "down")
    .partitions(4)
    .batch(100)
    .linger_ms(50)
    .push_timeout_ms(100);

/// Calls of a sink: how many in all, at once, and the most at once.
#[derive(Debug, Default)]
struct Calls {
    all: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

const PUSHES: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_share_the_calls_of_the_sink() {
    let server = RedisServer::builder().down();
    let cache = Cache::connect(&server.url()).unwrap();
    let calls = Arc::new(Calls::default());
    let sink = |calls: Arc<Calls>, batch: Batch<Step>| async move {
        assert!(batch.pushed() <= 100 && batch.position().is_none());
        calls.all.fetch_add(1, Ordering::SeqCst);
        let now = calls.now.fetch_add(1, Ordering::SeqCst) + 1;
        calls.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..100 {
            yield_now().await;
        }
        calls.now.fetch_sub(1, Ordering::SeqCst);
        match batch.into_items().iter().find(|step| step.counter == 7) {
            Some(_) => Err(SinkError::permanent("no seven")),
            None => Ok(()),
        }
    };
    let _worker = __private::worker(queue(&DOWN, &cache), Arc::clone(&calls), sink);
    let mut tasks = JoinSet::new();
    for counter in 0..PUSHES {
        let items = queue(&DOWN, &cache);
        tasks.spawn(async move { (counter, items.push(step(counter, 0)).await) });
    }
    while let Some(ended) = tasks.join_next().await {
        let (counter, pushed) = ended.unwrap();
        match pushed {
            Ok(()) => assert_ne!(counter, 7),
            Err(error) => {
                assert_eq!((counter, error.kind()), (7, ErrorKind::Sink), "{error}");
                assert!(error.to_string().contains("no seven"), "{error}");
            }
        }
    }
    let [all, most] = [&calls.all, &calls.most].map(|count| count.load(Ordering::SeqCst));
    assert!(most <= 4, "one at a time for each partition, but {most}");
    assert!(all <= 200, "{all} calls");
    let stats = cache.stats();
    assert_eq!(stats.queue("down").unwrap().direct, PUSHES - 1);
}
