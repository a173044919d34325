//! Primaries whose replicas take over.

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::{Database, ROWS, Record, row, row_key, write};
use cache_fixtures::patient;
use cache_runtime::{Cache, Failover};
use cache_testing::barrier::eventually;
use cache_testing::redis::{RedisCluster, RedisServer};
use cache_testing::{LIMIT, within_limit};
use tokio::runtime::Runtime;

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
        cluster.fail_over(replica).await;
        is_cached(&driver.cache, id).await;
        // Nothing is left of the node that has left.
        let former = cluster.node(primary).client().await;
        eventually!(!former.run::<String>(&["CLIENT", "LIST"]).await.contains(" name=cache "));
    }
    driver.healed().await;
    driver.end("failovers of a cluster by hand").await;
}

/// The replica that is promoted had not been told of an acknowledged invalidation. Nobody calls;
/// still the process that invalidated notices, and invalidates once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failover_has_lost_is_invalidated_again() {
    let cluster = RedisCluster::with_replicas().await;
    let id = row_of_the_first(&cluster).await;
    let db = Database::default();
    let [writer, trusting, distrusting] = [Failover::Replay, Failover::Trust, Failover::Distrust]
        .map(|mode| patient().failover(mode).connect(&cluster.url()).expect("a valid URL"));
    assert_eq!(writer.scope(row(&db, id)).await, Ok(Record::new(id, 0)));
    let (primary, replica) = (cluster.node(0).client().await, cluster.node(3).client().await);
    let key = format!("row:{id}");
    replica.run::<()>(&["READONLY"]).await;
    eventually!(replica.get(&key).await.is_some());

    // From here on the replica hears nothing: it is not let in again.
    primary.config_set("requirepass", "secret").await;
    primary.run::<u64>(&["CLIENT", "KILL", "TYPE", "replica"]).await;
    eventually!(!primary.run::<String>(&["INFO", "replication"]).await.contains("state=online"));
    writer.scope(write(&db, id)).await.unwrap();
    assert_eq!(writer.stats().journal_depth, 0, "the primary has acknowledged it");
    assert!(replica.get(&key).await.is_some(), "the replica has not");

    replica.run::<()>(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await;
    eventually!(is_primary(cluster.node(3)).await);
    eventually!(cluster.node(3).client().await.get(&key).await.is_none());
    writer.flush(LIMIT).await.unwrap();
    for cache in [writer, trusting, distrusting] {
        let read = within_limit("a read returns", cache.scope(row(&db, id))).await;
        assert_eq!(read, Ok(Record::new(id, 1)));
    }
}

/// What another process could not deliver, the promoted replica does not know. With such a budget
/// nothing is stored in it for longer than it takes to look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_stored_at_first_in_a_promoted_replica() {
    let cluster = RedisCluster::with_replicas().await;
    let (id, db) = (row_of_the_first(&cluster).await, Database::default());
    let (cache, key) = (patient().connect(&cluster.url()).unwrap(), format!("row:{id}"));
    let read = async || {
        let read = within_limit("a read returns", cache.scope(row(&db, id))).await;
        assert_eq!(read, Ok(Record::new(id, 0)));
    };
    read().await;
    is_cached(&cache, id).await;
    cluster.fail_over(3).await;
    let promoted = cluster.node(3).client().await;
    promoted.flush_all().await;
    read().await;
    assert_eq!(promoted.get(&key).await, None);
    eventually!({
        read().await;
        promoted.get(&key).await.is_some()
    });
}

/// The task that follows the cluster's changes moves on when its runtime ends.
#[test]
fn another_runtime_takes_over() {
    let runtime = Runtime::new().unwrap();
    let cluster = runtime.block_on(RedisCluster::with_replicas());
    let id = runtime.block_on(row_of_the_first(&cluster));
    let cache = patient().connect(&cluster.url()).unwrap();
    let db = Database::default();
    let short = Runtime::new().unwrap();
    short.block_on(async {
        assert_eq!(cache.scope(row(&db, id)).await, Ok(Record::new(id, 0)));
        is_cached(&cache, id).await;
    });
    drop(short);
    runtime.block_on(async {
        cluster.node(0).kill();
        eventually!(is_primary(cluster.node(3)).await);
        eventually!({
            cache.scope(row(&db, id)).await.unwrap();
            cache.get(&row_key(&id)).await.is_ok_and(|stored| stored.is_some())
        });
    });
}
