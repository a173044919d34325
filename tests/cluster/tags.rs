//! Entries and their tags on different nodes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_fixtures::patient;
use cache_runtime::{Cache, cached, invalidates};
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
