//! Primaries that are replaced while items are pushed and delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::__private::{self, QueueSite};
use cache_runtime::{Batch, Cache, ErrorKind, Position, Queue, QueueLength};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::stage::{Running, Step, queue, step};
use crate::support::barrier::eventually;
use crate::support::redis::{Data, RedisCluster, RedisServer};

const PARTITIONS: u32 = 6;
const COUNTERS: u64 = 12;

static WATCHED: QueueSite = QueueSite::new("failover::watched", "watched")
    .partitions(PARTITIONS)
    .linger_ms(1)
    .lease_ms(1000)
    .push_timeout_ms(60_000)
    .replicas(1)
    .unavailable_is_error()
    .keep_all();

/// A database that keeps the position of each partition beside its counters.
#[derive(Clone, Debug, Default)]
struct Tables(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    positions: BTreeMap<u32, Position>,
    /// Steps in the order in which they came, by counter.
    steps: BTreeMap<u64, Vec<u64>>,
    /// How many came that were there already.
    again: usize,
}

impl Tables {
    /// The sink.
    async fn take(self, batch: Batch<Step>) -> Result<(), String> {
        sleep(Duration::from_millis(1)).await;
        let mut rows = self.0.lock().unwrap();
        let (partition, len) = (batch.partition(), batch.len());
        let stored = rows.positions.get(&partition).copied();
        let batch = batch.after(stored);
        rows.again += len - batch.len();
        if let Some(position) = batch.position() {
            assert!(Some(position) >= stored, "a position goes back");
            rows.positions.insert(partition, position);
        }
        for Step { counter, number } in batch.into_items() {
            rows.steps.entry(counter).or_default().push(number);
        }
        Ok(())
    }

    fn of(&self, counter: u64) -> Vec<u64> {
        self.0.lock().unwrap().steps.get(&counter).cloned().unwrap_or_default()
    }

    /// Waits until more has come of every counter.
    async fn progress(&self) {
        let counts = || (0..COUNTERS).map(|counter| self.of(counter).len()).collect::<Vec<_>>();
        let before = counts();
        eventually!(counts().iter().zip(&before).all(|(now, before)| *now >= before + 5));
    }
}

/// What pushes of one counter came to.
#[derive(Debug, Default)]
struct Told {
    acknowledged: Vec<u64>,
    in_doubt: BTreeSet<u64>,
    /// Errors that say that the item is not in the queue, and was pushed again.
    refused: usize,
}

/// Pushes steps of a counter one after another, until it is told to end.
async fn push(queue: Queue<Step>, counter: u64, ends: Arc<AtomicBool>) -> Told {
    let (mut told, mut number) = (Told::default(), 0);
    while !ends.load(Ordering::Relaxed) {
        match queue.push(step(counter, number)).await {
            Ok(()) => told.acknowledged.push(number),
            Err(error) => match error.kind() {
                ErrorKind::Unavailable | ErrorKind::Refused => {
                    told.refused += 1;
                    sleep(Duration::from_millis(5)).await;
                    continue;
                }
                ErrorKind::InDoubt | ErrorKind::Unreplicated => _ = told.in_doubt.insert(number),
                _ => panic!("{error}"),
            },
        }
        number += 1;
        sleep(Duration::from_millis(2)).await;
    }
    told
}

async fn is_primary(server: &RedisServer) -> bool {
    server.client().await.run::<String>(&["INFO", "replication"]).await.contains("role:master")
}

/// What a replica had before the push was acknowledged survives its primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_replicas_take_over() {
    let cluster = RedisCluster::with_replicas().await;
    let [here, there] = [(); 2].map(|()| Cache::connect(&cluster.url()).unwrap());
    let (tables, ends) = (Tables::default(), Arc::new(AtomicBool::new(false)));
    let watched = queue(&WATCHED, &here);
    let mut pushes = JoinSet::new();
    for counter in 0..COUNTERS {
        let pushing = push(watched.clone(), counter, Arc::clone(&ends));
        pushes.spawn(async move { (counter, pushing.await) });
    }
    let worker = __private::worker(queue(&WATCHED, &there), tables.clone(), Tables::take);
    let running = Running::start(worker);
    tables.progress().await;

    // One that has partitions, and its replica.
    let primary = cluster.home("wb:{watched:0}").await;
    let replica = primary + cluster.primaries().len();
    cluster.node(primary).kill();
    eventually!(is_primary(cluster.node(replica)).await);
    // There is a replica again, or nothing more would be acknowledged.
    cluster.node(primary).restart(Data::Lost).await;
    cluster.is_ok().await;
    tables.progress().await;

    cluster.fail_over(primary).await;
    tables.progress().await;

    ends.store(true, Ordering::Relaxed);
    let told: BTreeMap<u64, Told> = pushes.join_all().await.into_iter().collect();
    eventually!(watched.length().await.is_ok_and(|length| length == QueueLength::default()));
    running.stop().await;
    let again = tables.0.lock().unwrap().again;
    println!("{again} items came again");
    for (counter, Told { acknowledged, in_doubt, refused }) in told {
        let steps = tables.of(counter);
        println!("{counter}: {} steps, in doubt {in_doubt:?}, refused {refused}", steps.len());
        assert!(steps.is_sorted_by(|one, other| one < other), "{counter}: {steps:?}");
        let certain: Vec<_> =
            steps.into_iter().filter(|number| !in_doubt.contains(number)).collect();
        assert_eq!(certain, acknowledged, "{counter}");
    }
}
