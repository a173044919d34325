//! Pushes and a worker that go on whatever becomes of the primary, and what must have come of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::__private::{self, QueueSite};
use cache_runtime::queue::Position;
use cache_runtime::stats::QueueLength;
use cache_runtime::{Batch, Cache, ErrorKind, Queue};
use cache_testing::barrier::eventually;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::fixture::{Running, Step, queue, step};

const PARTITIONS: u32 = 6;
const COUNTERS: u64 = 12;

static WATCHED: QueueSite = QueueSite::new("watch::watched", "watched")
    .partitions(PARTITIONS)
    .linger_ms(1)
    .lease_ms(1000)
    .push_timeout_ms(60_000)
    .replicas(1)
    .unavailable_is_error()
    .keep_all();

fn watched(cache: &Cache) -> Queue<Step> {
    queue(&WATCHED, cache)
}

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
        let (partition, len) = (batch.partition(), batch.pushed());
        let stored = rows.positions.get(&partition).copied();
        let batch = batch.after(stored);
        rows.again += len - batch.pushed();
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

/// One process that pushes steps of many counters, and another one that delivers them.
#[derive(Debug)]
pub struct Watch {
    queue: Queue<Step>,
    tables: Tables,
    pushes: JoinSet<(u64, Told)>,
    ends: Arc<AtomicBool>,
    failovers: usize,
    running: Running,
}

impl Watch {
    pub fn start(url: &str) -> Self {
        let [here, there] = [(); 2].map(|()| Cache::connect(url).unwrap());
        let (queue, tables) = (watched(&here), Tables::default());
        let (mut pushes, ends) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for counter in 0..COUNTERS {
            let pushing = push(queue.clone(), counter, Arc::clone(&ends));
            pushes.spawn(async move { (counter, pushing.await) });
        }
        let worker = __private::worker(watched(&there), tables.clone(), Tables::take);
        Self { queue, tables, pushes, ends, failovers: 0, running: Running::start(worker) }
    }

    /// Waits until more has come of every counter.
    pub async fn progress(&self) {
        self.tables.progress().await;
    }

    /// Waits likewise, after a failover.
    pub async fn progress_anew(&mut self) {
        self.failovers += 1;
        self.progress().await;
    }

    /// Ends when everything is delivered: what was acknowledged, in its order, and once. But for
    /// the step that was under way when a primary was lost: if it had been delivered, and the
    /// replica had not heard of it, it has come once more.
    pub async fn end(self) {
        self.ends.store(true, Ordering::Relaxed);
        let told: BTreeMap<u64, Told> = self.pushes.join_all().await.into_iter().collect();
        eventually!(self.queue.length().await.is_ok_and(|length| length == QueueLength::default()));
        self.running.stop().await;
        let again = self.tables.0.lock().unwrap().again;
        println!("{again} items came again");
        for (counter, Told { acknowledged, in_doubt, refused }) in told {
            let mut steps = self.tables.of(counter);
            let count = steps.len();
            println!("{counter}: {count} steps, in doubt {in_doubt:?}, refused {refused}");
            steps.dedup();
            assert!(
                count - steps.len() <= self.failovers,
                "{counter}: {:?}",
                self.tables.of(counter)
            );
            assert!(steps.is_sorted_by(|one, other| one < other), "{counter}: {steps:?}");
            let certain: Vec<_> =
                steps.into_iter().filter(|number| !in_doubt.contains(number)).collect();
            assert_eq!(certain, acknowledged, "{counter}");
        }
    }
}
