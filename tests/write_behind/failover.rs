//! Primaries that are replaced while items are pushed and delivered.

use cache_testing::barrier::eventually;
use cache_testing::redis::{Data, RedisCluster, RedisServer};

use crate::watch::Watch;

async fn is_primary(server: &RedisServer) -> bool {
    server.client().await.run::<String>(&["INFO", "replication"]).await.contains("role:master")
}

/// What a replica had before the push was acknowledged survives its primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_replicas_take_over() {
    let cluster = RedisCluster::with_replicas().await;
    let mut watch = Watch::start(&cluster.url());
    watch.progress().await;

    // One that has partitions, and its replica.
    let primary = cluster.home("wb:{watched:0}").await;
    let replica = primary + cluster.primaries().len();
    cluster.node(primary).kill();
    eventually!(is_primary(cluster.node(replica)).await);
    // There is a replica again, or nothing more would be acknowledged.
    cluster.node(primary).restart(Data::Lost).await;
    cluster.is_ok().await;
    watch.progress_anew().await;

    cluster.fail_over(primary).await;
    watch.progress_anew().await;
    watch.end().await;
}
