//! Queues in a cluster.

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisCluster;

use crate::fixture::{LEASE_MS, Ledger, Running, queue, step, worker};

const COUNTERS: u64 = 4;
const ROUNDS: u64 = 3;

static ROAMING: QueueSite = QueueSite::new("cluster::roaming", "roaming")
    .partitions(2)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .unavailable_is_error()
    .keep_all();

/// Partitions move to another node while items are pushed and delivered: none is lost, and none
/// overtakes another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_move_with_their_slots() {
    let cluster = RedisCluster::start().await;
    let [here, there] = [(); 2].map(|()| patient().connect(&cluster.url()).unwrap());
    let (queue, ledger) = (queue(&ROAMING, &here), Ledger::default());
    let running = Running::start(worker(&ROAMING, &there, &ledger));
    let mut pushed = 0;
    let mut push = async || {
        for counter in 0..COUNTERS {
            // Refused while the keys of its partition are on two nodes: then it is not stored.
            eventually!(queue.push(step(counter, pushed)).await.is_ok());
        }
        pushed += 1;
        pushed
    };
    push().await;
    for round in 0..ROUNDS {
        for partition in 0..2 {
            let stream = format!("wb:{{roaming:{partition}}}");
            let (slot, home) = (cluster.slot(&stream).await, cluster.home(&stream).await);
            let node = |round| (home + usize::try_from(round).unwrap()) % 3;
            let (from, to) = (node(round), node(round + 1));
            push().await;
            cluster.begin_move(slot, from, to).await;
            while cluster.move_keys(slot, from, to).await > 0 {}
            cluster.end_move(slot, from, to).await;
            let pushed = push().await;
            let arrived = |counter| ledger.of(counter).contains(&(pushed - 1));
            eventually!((0..COUNTERS).all(arrived));
        }
    }
    let all: Vec<_> = (0..push().await).collect();
    for counter in 0..COUNTERS {
        eventually!(once(ledger.of(counter)).len() == all.len());
        assert_eq!(once(ledger.of(counter)), all);
    }
    running.stop().await;
}

/// Each number when it came first: what was delivered but not acknowledged may come once more.
fn once(numbers: Vec<u64>) -> Vec<u64> {
    let mut seen = Vec::new();
    for number in numbers {
        if !seen.contains(&number) {
            seen.push(number);
        }
    }
    seen
}
