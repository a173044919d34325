//! Primaries whose replicas take over.

use cache_runtime::Cache;

use crate::database::{ROWS, row_key};
use crate::driver::Driver;
use crate::support::barrier::eventually;
use crate::support::redis::{RedisCluster, RedisServer};

/// A row that node 0 has.
async fn row_of_the_first(cluster: &RedisCluster) -> u64 {
    for id in 0..ROWS {
        if cluster.home(&format!("row:{id}")).await == 0 {
            return id;
        }
    }
    panic!("node 0 has none of the rows");
}

async fn is_primary(server: &RedisServer) -> bool {
    server.client().await.run::<String>(&["INFO", "replication"]).await.contains("role:master")
}

/// Waits until a row that the first node had is cached again.
async fn is_cached(cache: &Cache, id: u64) {
    eventually!(cache.get(&row_key(&id)).await.is_ok_and(|stored| stored.is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_is_replaced_by_its_replica() {
    let cluster = RedisCluster::with_replicas().await;
    let id = row_of_the_first(&cluster).await;
    let driver = Driver::at(&cluster.url());
    driver.hits().await;
    driver.fault();
    cluster.node(0).kill();
    eventually!(is_primary(cluster.node(3)).await);
    is_cached(&driver.cache, id).await;
    driver.healed().await;
    assert!(driver.counted(|f| f.store_down) > 0, "meanwhile calls went past the cache");
    driver.end("a primary of a cluster killed, its replica promoted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_primary_is_replaced_and_not_gone_back_to() {
    let cluster = RedisCluster::with_replicas().await;
    let id = row_of_the_first(&cluster).await;
    let driver = Driver::at(&cluster.url());
    driver.hits().await;
    driver.fault();
    cluster.node(0).stop();
    eventually!(is_primary(cluster.node(3)).await);
    is_cached(&driver.cache, id).await;
    cluster.node(0).cont();
    driver.healed().await;
    eventually!(!is_primary(cluster.node(0)).await);
    is_cached(&driver.cache, id).await;
    driver.end("a primary of a cluster frozen, its replica promoted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_by_hand_is_followed_at_once() {
    let cluster = RedisCluster::with_replicas().await;
    let id = row_of_the_first(&cluster).await;
    let driver = Driver::at(&cluster.url());
    for (replica, primary) in [(3, 0), (0, 3)] {
        driver.hits().await;
        driver.fault();
        cluster.is_ok().await;
        cluster.node(replica).client().await.run::<()>(&["CLUSTER", "FAILOVER"]).await;
        eventually!(is_primary(cluster.node(replica)).await);
        is_cached(&driver.cache, id).await;
        // Nothing is left of the node that has left.
        let former = cluster.node(primary).client().await;
        eventually!(!former.run::<String>(&["CLIENT", "LIST"]).await.contains(" name=cache "));
    }
    driver.healed().await;
    driver.end("failovers of a cluster by hand").await;
}
