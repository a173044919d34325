//! Entries and their tags on different nodes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::{Cache, cached, invalidates, tag};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisCluster;

const MEMBERS: u64 = 24;

#[cached(key = "member:<id>", ttl = 3600, tags = ["group:<group>", "members"], skip(group, db))]
async fn member(db: &AtomicU64, group: u64, id: u64) -> u64 {
    db.fetch_add(1, Ordering::SeqCst) + 1000 * id
}

#[cached(key = "{<group>}:member:<id>", ttl = 3600, tags = ["{<group>}"])]
async fn neighbour(group: u64, id: u64) -> u64 {
    group + id
}

#[invalidates(tag = "group:<group>")]
async fn write_group(group: u64) {
    _ = group;
}

/// Loads of all members: those of even number are in group 0, the others in group 1.
async fn loads(cache: &Cache, db: &AtomicU64) -> u64 {
    let before = db.load(Ordering::SeqCst);
    for id in 0..MEMBERS {
        cache.scope(member(db, id % 2, id)).await;
    }
    db.load(Ordering::SeqCst) - before
}

#[tokio::test]
async fn a_tag_reaches_the_entries_of_all_nodes() {
    let cluster = RedisCluster::start().await;
    let [writer, reader] = [(); 2].map(|()| patient().connect(&cluster.url()).unwrap());
    let db = AtomicU64::default();
    assert_eq!(loads(&reader, &db).await, MEMBERS);
    assert_eq!(loads(&reader, &db).await, 0);
    let mut homes = BTreeSet::new();
    for id in 0..MEMBERS {
        homes.insert(cluster.home(&format!("member:{id}")).await);
    }
    assert_eq!(homes.len(), 3, "all nodes have some");

    writer.scope(write_group(1)).await;
    assert_eq!(loads(&reader, &db).await, MEMBERS / 2);
    assert_eq!(loads(&reader, &db).await, 0);
    writer.invalidate_tag("members").await.unwrap();
    assert_eq!(loads(&reader, &db).await, MEMBERS);
    let home = cluster.node(cluster.home("~tag:members").await);
    assert!(home.client().await.del("~tag:members").await);
    assert_eq!(loads(&reader, &db).await, MEMBERS, "a stamp that is lost is a miss");
    for node in cluster.primaries() {
        let errors: String = node.client().await.run(&["INFO", "errorstats"]).await;
        assert!(!errors.contains("CROSSSLOT") && !errors.contains("MOVED"), "{errors}");
    }
}

/// The epoch is on one node, and the tag on another: as long as the epoch has not been invalidated,
/// the tag is not, for those that wait for the acknowledgement. It is removed all the same.
#[tokio::test]
async fn a_tag_is_acknowledged_when_its_epoch_is() {
    let cluster = RedisCluster::start().await;
    let writer =
        Cache::builder().budget(Duration::from_millis(500)).connect(&cluster.url()).unwrap();
    let db = AtomicU64::default();
    let frozen = cluster.home("~tags").await;
    let mut elsewhere = None;
    for group in 0..100_u64 {
        if cluster.home(&format!("~tag:group:{group}")).await != frozen {
            elsewhere = Some(group);
        }
    }
    let group = elsewhere.unwrap();
    let tag = || tag!("group:<group>");
    // The first connections may take longer than that.
    eventually!(writer.invalidate_tag(tag()).await.is_ok());
    writer.flush(Duration::from_secs(60)).await.unwrap();

    writer.scope(member(&db, group, 1)).await;
    let text = format!("~tag:group:{group}");
    let home = cluster.node(cluster.home(&text).await).client().await;
    cluster.node(frozen).stop();
    writer.invalidate_tag(tag()).await.unwrap_err();
    assert_eq!(writer.stats().journal_depth, 1);
    assert!(!home.del(&text).await, "it is gone");
    cluster.node(frozen).cont();
    writer.flush(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn with_one_hash_tag_all_is_on_one_node() {
    let cluster = RedisCluster::start().await;
    let cache = patient().connect(&cluster.url()).unwrap();
    cache.scope(neighbour(7, 1)).await;
    cluster.reset_commandstats().await;
    assert_eq!(cache.scope(neighbour(7, 1)).await, 8);
    let home = cluster.home("{7}:member:1").await;
    assert_eq!(cluster.home("~tag:{7}").await, home);
    for (number, sent) in cluster.commandstats().await.into_iter().enumerate() {
        let reads = sent.get("mget").or(sent.get("get")).copied().unwrap_or_default();
        assert_eq!(reads > 0, number == home, "{sent:?}");
    }
}
