//! Replicas that take over without their primary's last items.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use cache_fixtures::patient;
use cache_runtime::__private;
use cache_runtime::queue::Position;
use cache_runtime::stats::QueueLength;
use cache_runtime::{Batch, Cache, Worker};
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;

use crate::stage::{CAREFUL, Ledger, Running, Step, queue, step, worker};

/// A sink as it should be: drops what it knows.
#[derive(Clone, Debug, Default)]
struct Exact(Arc<Mutex<(Option<Position>, Vec<u64>)>>);

impl Exact {
    async fn take(self, batch: Batch<Step>) -> Result<(), String> {
        std::future::ready(()).await;
        let mut stored = self.0.lock().unwrap();
        let batch = batch.after(stored.0);
        stored.0 = batch.position();
        stored.1.extend(batch.into_items().into_iter().map(|step| step.number));
        Ok(())
    }

    fn numbers(&self) -> Vec<u64> {
        self.0.lock().unwrap().1.clone()
    }
}

/// A primary that has delivered eight items, and a replica that has heard of three of them.
struct Torn {
    old: RedisServer,
    new: RedisServer,
    /// From the one to the other; nothing gets through any more.
    link: Proxy,
    here: Cache,
    exact: Exact,
}

impl Torn {
    async fn start() -> Self {
        let (old, link, new) = pair().await;
        let here = patient().connect(&old.url()).unwrap();
        let torn = Self { old, new, link, here, exact: Exact::default() };
        torn.push(&torn.here, 0..3).await;
        let replica = torn.new.client().await;
        eventually!(replica.run::<u64>(&["XLEN", "wb:{careful:0}"]).await == 3);
        torn.link.set(Link::BlackHole).await;
        torn.push(&torn.here, 3..8).await;
        let running = Running::start(torn.worker(&torn.here));
        eventually!(torn.exact.numbers().len() == 8);
        running.stop().await;
        torn
    }

    async fn push(&self, cache: &Cache, numbers: Range<u64>) {
        for number in numbers {
            queue(&CAREFUL, cache).push(step(0, number)).await.unwrap();
        }
    }

    fn worker(&self, cache: &Cache) -> Worker {
        __private::worker(queue(&CAREFUL, cache), self.exact.clone(), Exact::take)
    }

    /// Items that come now are delivered, and all have been, once each and in their order.
    async fn goes_on(&self, cache: &Cache) {
        self.push(cache, 8..11).await;
        let running = Running::start(self.worker(cache));
        eventually!(queue(&CAREFUL, cache).length().await.unwrap() == QueueLength::default());
        running.stop().await;
        assert_eq!(self.exact.numbers(), (0..11).collect::<Vec<_>>());
    }
}

/// A primary, and its replica behind a link.
async fn pair() -> (RedisServer, Proxy, RedisServer) {
    let at_once = RedisServer::builder().setting("repl-diskless-sync-delay 0");
    let old = at_once.clone().start().await;
    let link = Proxy::to(&old).await;
    let of = format!("replicaof 127.0.0.1 {}", link.port());
    let new = at_once.setting(&of).start().await;
    (old, link, new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_grow_over_a_failover_that_loses_items() {
    let torn = Torn::start().await;
    torn.old.kill();
    // Of all that the replica knows as little as of the acknowledgements.
    torn.new.client().await.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    torn.goes_on(&patient().connect(&torn.new.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_grow_where_a_primary_comes_back_without_its_last_items() {
    let torn = Torn::start().await;
    let (primary, replica) = (torn.old.client().await, torn.new.client().await);
    replica.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    primary.run::<()>(&["REPLICAOF", "127.0.0.1", &torn.new.port().to_string()]).await;
    eventually!(
        primary.run::<String>(&["INFO", "replication"]).await.contains("master_link_status:up")
    );
    primary.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    torn.goes_on(&torn.here).await;
}

/// The replica that takes over knows that an item was read, and not that it was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_to_the_former_primary_alone_comes_again() {
    let (old, link, new) = pair().await;
    let (replica, cache) = (new.client().await, patient().connect(&old.url()).unwrap());
    let (careful, ledger) = (queue(&CAREFUL, &cache), Ledger::default());
    let gate = ledger.hold();
    careful.push(step(0, 0)).await.unwrap();
    let running = Running::start(worker(&CAREFUL, &cache, &ledger));
    gate.entered(1).await;
    let there = queue(&CAREFUL, &patient().connect(&new.url()).unwrap());
    eventually!(there.length().await.is_ok_and(|length| length.pending == 1));
    link.set(Link::BlackHole).await;
    gate.open();
    // The worker knows that it was acknowledged.
    eventually!(cache.stats().queue("careful").is_some_and(|queue| queue.delivered == 1));

    old.kill();
    replica.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    replica.config_set("port", &old.port().to_string()).await;
    eventually!(careful.length().await.is_ok_and(|length| length == QueueLength::default()));
    assert!(ledger.len() > 1, "once from each");
    running.stop().await;
}
