//! Many entries in one call, on all nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use cache_fixtures::patient;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::redis::RedisCluster;

/// Rows whose value is how often they were changed, and the ids of each load, sorted.
#[derive(Debug, Default)]
struct Table {
    changes: Mutex<HashMap<u64, u64>>,
    loads: Mutex<Vec<Vec<u64>>>,
}

impl Table {
    fn select(&self, ids: &[u64]) -> BTreeMap<u64, u64> {
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        self.loads.lock().unwrap().push(sorted);
        let changes = self.changes.lock().unwrap();
        ids.iter().map(|id| (*id, changes.get(id).copied().unwrap_or_default())).collect()
    }

    /// The loads so far; forgets them.
    fn loads(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut *self.loads.lock().unwrap())
    }
}

#[cached(batch(id in ids), key = "item:<id>", ttl = 3600, skip(table))]
async fn items(table: &Table, ids: &[u64]) -> BTreeMap<u64, u64> {
    table.select(ids)
}

#[invalidates(each(id in ids) key = "item:<id>")]
async fn change(table: &Table, ids: &[u64]) {
    for id in ids {
        *table.changes.lock().unwrap().entry(*id).or_default() += 1;
    }
}

/// Reads all at once; how often they were changed, as the cache tells, in order of their ids.
async fn read(cache: &Cache, table: &Table, ids: &[u64]) -> Vec<u64> {
    let found = cache.scope(items(table, ids)).await;
    assert!(found.keys().eq(ids), "each id once");
    found.into_values().collect()
}

#[tokio::test]
async fn a_batch_reaches_all_nodes() {
    let cluster = RedisCluster::start().await;
    let [writer, reader] = [(); 2].map(|()| patient().connect(&cluster.url()).unwrap());
    let table = Table::default();
    let ids: Vec<u64> = (0..100).collect();
    let mut slots = BTreeMap::<usize, BTreeSet<usize>>::new();
    for id in &ids {
        let key = format!("item:{id}");
        slots.entry(cluster.home(&key).await).or_default().insert(cluster.slot(&key).await);
    }
    assert!(slots.len() == 3 && slots.values().all(|slots| slots.len() > 10), "{slots:?}");

    assert_eq!(read(&reader, &table, &ids).await, [0; 100]);
    assert_eq!(table.loads(), [&*ids], "one load for all nodes");
    cluster.reset_commandstats().await;
    assert_eq!(read(&reader, &table, &ids).await, [0; 100]);
    assert_eq!(table.loads(), [[0; 0]; 0]);
    let mut hits = 0;
    for sent in cluster.commandstats().await {
        assert!(sent.keys().eq(["get"]), "a pipeline of reads on each: {sent:?}");
        hits += sent["get"];
    }
    assert_eq!(hits, 100);

    let changed: Vec<u64> = ids.iter().copied().filter(|id| id % 7 == 0).collect();
    writer.scope(change(&table, &changed)).await;
    let expected: Vec<u64> = ids.iter().map(|id| u64::from(id % 7 == 0)).collect();
    assert_eq!(read(&reader, &table, &ids).await, expected);
    assert_eq!(read(&writer, &table, &ids).await, expected);
    assert_eq!(table.loads(), [changed], "these and no others, and once");
    for node in cluster.primaries() {
        let errors: String = node.client().await.run(&["INFO", "errorstats"]).await;
        assert!(!errors.contains("CROSSSLOT") && !errors.contains("MOVED"), "{errors}");
    }
}
