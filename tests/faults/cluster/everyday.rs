//! Nothing is the matter.

use std::collections::BTreeSet;

use cache_fixtures::driver::database::{Database, ROWS, Record, row, row_key, write, write_all};
use cache_fixtures::patient;
use cache_runtime::{Cache, ErrorKind};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisCluster;
use tokio::runtime::Handle;

async fn read_all(cache: &Cache, db: &Database) {
    for id in 0..ROWS {
        let version = db.ceiling(id);
        assert_eq!(cache.scope(row(db, id)).await, Ok(Record::new(id, version)));
    }
}

/// How many rows are in the store.
async fn stored(cache: &Cache) -> u64 {
    let mut stored = 0;
    for id in 0..ROWS {
        stored += u64::from(cache.get(&row_key(&id)).await.unwrap().is_some());
    }
    stored
}

#[tokio::test]
async fn entries_live_on_the_nodes_of_their_slots() {
    let cluster = RedisCluster::start().await;
    let cache = patient().connect(&cluster.url()).unwrap();
    let db = Database::default();
    read_all(&cache, &db).await;
    read_all(&cache, &db).await;
    let mut homes = BTreeSet::new();
    for id in 0..ROWS {
        let key = format!("row:{id}");
        let home = cluster.home(&key).await;
        assert!(cluster.node(home).client().await.get(&key).await.is_some());
        homes.insert(home);
    }
    assert_eq!(homes.len(), 3, "all nodes have some");
    let stats = cache.stats();
    let row = stats.function("row").unwrap();
    assert_eq!((row.hits(), row.misses()), (ROWS, ROWS));
    assert_eq!(stats.connections, 3);
    for node in cluster.primaries() {
        let errors: String = node.client().await.run(&["INFO", "errorstats"]).await;
        assert!(!errors.contains("MOVED") && !errors.contains("ASK"), "{errors}");
    }
}

#[tokio::test]
async fn writes_reach_the_other_processes() {
    let cluster = RedisCluster::start().await;
    let [writer, reader] = [(); 2].map(|()| patient().connect(&cluster.url()).unwrap());
    let db = Database::default();
    for _ in 0..3 {
        read_all(&reader, &db).await;
        for id in 0..ROWS {
            writer.scope(write(&db, id)).await.unwrap();
        }
        assert_eq!(stored(&reader).await, 0);
    }
    assert_eq!(reader.stats().function("row").unwrap().hits(), 0);
}

#[tokio::test]
async fn many_keys_are_invalidated_on_all_nodes() {
    let cluster = RedisCluster::start().await;
    let cache = patient().connect(&cluster.url()).unwrap();
    let db = Database::default();
    read_all(&cache, &db).await;
    assert_eq!(stored(&cache).await, ROWS);
    cluster.reset_commandstats().await;
    let keys: Vec<_> = (0..ROWS).map(|id| row_key(&id)).collect();
    cache.invalidate(&keys).await.unwrap();
    let sent = cluster.commandstats().await;
    assert!(sent.iter().all(|commands| commands.contains_key("evalsha")), "{sent:?}");
    assert_eq!(stored(&cache).await, 0);
}

#[tokio::test]
async fn a_pattern_is_looked_for_on_all_nodes() {
    let cluster = RedisCluster::start().await;
    let cache = patient().connect(&cluster.url()).unwrap();
    let db = Database::default();
    read_all(&cache, &db).await;
    cache.scope(write_all(&db)).await;
    assert_eq!(stored(&cache).await, 0);
    read_all(&cache, &db).await;
    assert_eq!(cache.invalidate_matching("row:*").await.unwrap(), ROWS);
    assert_eq!(stored(&cache).await, 0);
}

#[tokio::test]
async fn nothing_is_left_of_a_cache_that_is_dropped() {
    let cluster = RedisCluster::start().await;
    // Of the clients that have started it.
    eventually!(Handle::current().metrics().num_alive_tasks() == 0);
    let cache = patient().connect(&cluster.url()).unwrap();
    read_all(&cache, &Database::default()).await;
    assert!(Handle::current().metrics().num_alive_tasks() > 0);
    drop(cache);
    eventually!(Handle::current().metrics().num_alive_tasks() == 0);
    for node in cluster.primaries() {
        let client = node.client().await;
        eventually!(!client.run::<String>(&["CLIENT", "LIST"]).await.contains(" name=cache "));
    }
}

/// Who connects to one node as if it were alone is told what to write.
#[tokio::test]
async fn a_node_is_no_single_server() {
    let cluster = RedisCluster::start().await;
    let id = 1;
    let home = cluster.home(&format!("row:{id}")).await;
    let other = cluster.node((home + 1) % 3);
    let cache = patient().connect(&other.url()).unwrap();
    let db = Database::default();
    assert_eq!(cache.scope(row(&db, id)).await, Ok(Record::new(id, 0)));
    let error = cache.get(&row_key(&id)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("`redis+cluster://`"), "{error}");
}
