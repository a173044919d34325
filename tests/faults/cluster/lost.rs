//! Primaries without replicas that are lost, and come back.

use std::time::Duration;

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::{Database, ROWS, Record, row, row_key, write};
use cache_fixtures::patient;
use cache_runtime::Cache;
use cache_runtime::stats::{BreakerState, FunctionStats};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::{Data, RedisCluster};
use tokio::time::sleep;

/// The rows that node 0 has, and those that others have.
async fn rows(cluster: &RedisCluster) -> (Vec<u64>, Vec<u64>) {
    let (mut lost, mut others) = (Vec::new(), Vec::new());
    for id in 0..ROWS {
        let home = cluster.home(&format!("row:{id}")).await;
        if home == 0 { lost.push(id) } else { others.push(id) }
    }
    assert!(!lost.is_empty() && !others.is_empty());
    (lost, others)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_primary_costs_only_its_keys_the_budget() {
    let cluster = RedisCluster::start().await;
    let (lost, others) = rows(&cluster).await;
    // Enough for a busy machine.
    let budget = Duration::from_secs(3);
    let cache = Cache::builder().budget(budget).connect(&cluster.url()).unwrap();
    let db = Database::default();
    let read = async |id: u64| {
        assert_eq!(cache.scope(row(&db, id)).await, Ok(Record::new(id, 0)));
    };
    for id in 0..ROWS {
        read(id).await;
    }
    let row = || cache.stats().function("row").cloned().unwrap();
    let troubles = |row: &FunctionStats| row.store_timeouts + row.store_down + row.store_lost;

    cluster.node(0).stop();
    let before = row();
    for _ in 0..100 {
        for id in &others {
            read(*id).await;
        }
    }
    let after = row();
    assert_eq!(after.hits() - before.hits(), 100 * others.len() as u64);
    assert_eq!(troubles(&after), troubles(&before));

    // The first of its calls wait, until its breaker opens; no other one does meanwhile.
    eventually!({
        read(lost[0]).await;
        row().store_down > 0
    });
    assert!(row().store_timeouts > 0);
    for id in &others {
        read(*id).await;
    }
    assert_eq!(row().hits(), after.hits() + others.len() as u64);

    // Invalidated together, the others' rows are gone, and those of the lost node are remembered.
    let keys: Vec<_> = (0..ROWS).map(|id| row_key(&id)).collect();
    cache.invalidate(&keys).await.unwrap_err();
    for id in &others {
        assert_eq!(cache.get(&row_key(id)).await.unwrap(), None);
    }
    assert_eq!(cache.stats().journal_depth, lost.len());
    assert_ne!(cache.stats().breaker, Some(BreakerState::Closed));
    // So they are by a pattern, which can only say that it has not seen all.
    for id in &others {
        read(*id).await;
    }
    cache.invalidate_matching("row:*").await.unwrap_err();
    for id in &others {
        assert_eq!(cache.get(&row_key(id)).await.unwrap(), None);
    }
    cluster.node(0).cont();
    eventually!(cache.stats().journal_depth == 0);
    for id in &lost {
        assert_eq!(cache.get(&row_key(id)).await.unwrap(), None);
    }
}

/// What cannot be delivered to one node, however much, keeps nothing from another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undelivered_invalidations_do_not_wait_for_each_other() {
    let cluster = RedisCluster::start().await;
    let cache = Cache::connect(&cluster.url()).unwrap();
    // More than go at once.
    let (mut many, mut one, mut id) = (Vec::new(), None, 0);
    while many.len() < 300 {
        match cluster.home(&format!("row:{id}")).await {
            0 => many.push(row_key(&id)),
            1 => one = one.or_else(|| Some(row_key(&id))),
            _ => {}
        }
        id += 1;
    }
    let one = one.unwrap();
    eventually!(cache.invalidate(&one).await.is_ok());
    cluster.node(0).kill();
    eventually!(cache.invalidate(&many).await.is_err() && cache.stats().journal_depth == 300);
    cluster.node(1).stop();
    eventually!(cache.invalidate(&one).await.is_err());
    assert_eq!(cache.stats().journal_depth, 301);
    assert_eq!(cache.stats().breaker, Some(BreakerState::Open));
    cluster.node(1).cont();
    eventually!(cache.stats().journal_depth == 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_under_load() {
    let cluster = RedisCluster::start().await;
    let driver = Driver::at(&cluster.url());
    driver.hits().await;
    driver.fault();
    cluster.node(0).stop();
    driver.calls(2_000).await;
    assert!(driver.counted(|f| f.store_timeouts) > 0 && driver.counted(|f| f.store_down) > 0);
    cluster.node(0).cont();
    driver.healed().await;
    log::says(cluster.node(0).port(), "no answer in time; going without it");
    driver.end("a primary of a cluster frozen").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_empty() {
    let cluster = RedisCluster::start().await;
    let (lost, _) = rows(&cluster).await;
    let driver = Driver::at(&cluster.url());
    for _ in 0..2 {
        driver.hits().await;
        driver.fault();
        cluster.node(0).kill();
        driver.calls(1_000).await;
        assert!(driver.counted(|f| f.store_down) > 0);
        cluster.node(0).restart(Data::Lost).await;
    }
    driver.healed().await;
    eventually!(driver.cache.get(&row_key(&lost[0])).await.is_ok_and(|stored| stored.is_some()));
    driver.end("a primary of a cluster killed and restarted empty").await;
}

/// The supervisor's next attempt would be half a second later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_tries_a_lost_primary_at_once() {
    let cluster = RedisCluster::start().await;
    let (lost, _) = rows(&cluster).await;
    let (cache, db) = (patient().connect(&cluster.url()).unwrap(), Database::default());
    let admin = cluster.node(0).client().await;
    for _ in 0..3 {
        eventually!(cache.get(&row_key(&lost[0])).await.is_ok());
        admin.config_set("maxclients", "1").await;
        admin.run::<u64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        eventually!(cache.get(&row_key(&lost[0])).await.is_err());
        // Meanwhile the pauses grow.
        for _ in 0..1_000 {
            cache.scope(row(&db, lost[0])).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        admin.config_set("maxclients", "1000").await;
        cache.scope(write(&db, lost[0])).await.unwrap();
        assert_eq!(cache.stats().journal_depth, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_killed_and_restarted() {
    let cluster = RedisCluster::start().await;
    let driver = Driver::at(&cluster.url());
    driver.hits().await;
    driver.fault();
    for node in cluster.primaries() {
        node.kill();
    }
    driver.calls(1_000).await;
    for node in cluster.primaries() {
        node.restart(Data::Lost).await;
    }
    driver.healed().await;
    driver.end("all nodes of a cluster killed and restarted empty").await;
}
