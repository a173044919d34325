//! Slots that move, with readers and writers on them.

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::{Database, ROWS, row, row_key, write};
use cache_fixtures::patient;
use cache_testing::redis::RedisCluster;

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

/// How often the nodes were asked who serves which slots.
async fn asked(cluster: &RedisCluster) -> u64 {
    let mut count = 0;
    for node in cluster.primaries() {
        count += node.commandstats().await.get("cluster|slots").copied().unwrap_or_default();
    }
    count
}

/// A node that imports slots has their keys, and is no successor of a lost one. On that, with such
/// a budget, nothing would be stored for longer than the test takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_imports_slots_is_stored_to_at_once() {
    const KEY: &str = "row:1";
    let cluster = RedisCluster::start().await;
    let (cache, db) = (patient().connect(&cluster.url()).expect("a URL"), Database::default());
    for id in 0..ROWS {
        cache.scope(row(&db, id)).await.expect("a row");
    }
    let home = cluster.home(KEY).await;
    // The last node has the highest epoch already; another one raises its own when it imports.
    let to = usize::from(home == 0);
    let client = cluster.node(to).client().await;
    cluster.move_slot_at_once(KEY, home, to).await;
    let (before, mut rounds) = (asked(&cluster).await, 0);
    // Told by a node that the slot has moved, the cache asks who serves it.
    while rounds < 50 {
        cache.scope(write(&db, 1)).await.expect("a row");
        let version = cache.scope(row(&db, 1)).await.expect("a row").version;
        let stored = cache.get(&row_key(&1)).await.expect("it answers");
        assert_eq!(stored.map(|row| row.version), Some(version), "round {rounds}");
        assert!(client.run_here::<bool>(&["EXISTS", KEY]).await.expect("it has the slot"));
        rounds += u64::from(asked(&cluster).await > before);
    }
}
