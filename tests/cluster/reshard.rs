//! Slots that move, with readers and writers on them.

use crate::database::ROWS;
use crate::driver::Driver;
use crate::support::redis::RedisCluster;

/// How often the nodes have answered with an error.
async fn errors(cluster: &RedisCluster, code: &str) -> u64 {
    let mut count = 0;
    for node in cluster.primaries() {
        let stats: String = node.client().await.run(&["INFO", "errorstats"]).await;
        let prefix = format!("errorstat_{code}:count=");
        let line = stats.lines().find_map(|line| line.strip_prefix(&prefix));
        count += line.map_or(0, |count| count.parse::<u64>().expect("a number"));
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_move_with_their_slots() {
    let cluster = RedisCluster::start().await;
    let driver = Driver::at(&cluster.url());
    driver.hits().await;
    driver.fault();
    for round in 0..2 {
        for id in 0..ROWS {
            let key = format!("row:{id}");
            let (slot, home) = (cluster.slot(&key).await, cluster.home(&key).await);
            let (from, to) = ((home + round) % 3, (home + round + 1) % 3);
            cluster.begin_move(slot, from, to).await;
            // Half-way, calls are told to ask the other node.
            driver.calls(200).await;
            while cluster.move_keys(slot, from, to).await > 0 {}
            cluster.end_move(slot, from, to).await;
            driver.calls(20).await;
        }
    }
    let (asked, moved) = (errors(&cluster, "ASK").await, errors(&cluster, "MOVED").await);
    assert!(asked > 0 && moved > 0, "{asked} ASK, {moved} MOVED");
    println!("{asked} ASK, {moved} MOVED");
    driver.healed().await;
    assert_eq!(driver.counted(|f| f.store_refused), 0, "every redirection was followed");
    driver.end("slots moved from node to node").await;
}

/// Patterns find what is under way, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_hides_from_a_pattern_by_moving() {
    let cluster = RedisCluster::start().await;
    let driver = Driver::at(&cluster.url());
    driver.hits().await;
    for id in 0..ROWS {
        let key = format!("row:{id}");
        let (slot, home) = (cluster.slot(&key).await, cluster.home(&key).await);
        let there = (home + 1) % 3;
        tokio::join!(cluster.move_slot(slot, home, there), async {
            for _ in 0..3 {
                driver.write_all().await;
            }
        });
    }
    driver.healed().await;
    driver.end("patterns while slots move").await;
}
