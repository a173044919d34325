//! Bodies that are given a part of the ids at a time.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use cache_fixtures::patient;
use cache_runtime::cached;
use cache_testing::barrier::{Gate, eventually};
use cache_testing::redis::RedisServer;

use crate::stage::stats;

/// A database that tells which ids it was asked for, and how many of its queries ran at once.
#[derive(Clone, Debug, Default)]
struct Database(Arc<Queries>);

#[derive(Debug, Default)]
struct Queries {
    asked: Mutex<Vec<Vec<u64>>>,
    running: AtomicUsize,
    most: AtomicUsize,
    gate: Option<Gate>,
    /// The id that cannot be read.
    broken: Option<u64>,
}

impl Database {
    async fn load(&self, ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
        let Queries { asked, running, most, gate, broken } = &*self.0;
        asked.lock().unwrap().push(ids.to_vec());
        most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
        if let Some(gate) = gate {
            gate.pass().await;
        }
        running.fetch_sub(1, SeqCst);
        if broken.is_some_and(|broken| ids.contains(&broken)) {
            return Err("broken".to_owned());
        }
        Ok(ids.iter().map(|id| (*id, id * 10)).collect())
    }

    fn asked(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut *self.0.asked.lock().unwrap())
    }
}

#[cached(batch(id in ids, chunk = 4, concurrent = 2), key = "tenfold:<id>", ttl = 3600, skip(database))]
async fn tenfold(database: &Database, ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
    database.load(ids).await
}

#[cached(batch(id in ids, chunk = 4), key = "one-by-one:<id>", ttl = 3600, skip(database))]
async fn one_after_the_other(
    database: Database,
    ids: HashSet<u64>,
) -> Result<Vec<(u64, u64)>, String> {
    let ids: Vec<_> = ids.into_iter().collect();
    Ok(database.load(&ids).await?.into_iter().collect())
}

fn all(ids: impl IntoIterator<Item = u64>) -> HashMap<u64, u64> {
    ids.into_iter().map(|id| (id, id * 10)).collect()
}

#[tokio::test]
async fn the_body_is_given_a_part_of_what_is_missing_at_a_time() {
    let gate = Gate::new();
    let database = Database(Arc::new(Queries { gate: Some(gate.clone()), ..Queries::default() }));
    let cache = patient().in_memory().unwrap();
    gate.release(1);
    assert_eq!(cache.scope(tenfold(&database, &[3])).await, Ok(all([3])));
    assert_eq!(database.asked(), [[3]]);

    let call = {
        let database = database.clone();
        cache.scope(async move { tenfold(&database, &(0..11).collect::<Vec<_>>()).await })
    };
    let call = tokio::spawn(call);
    gate.entered(3).await;
    tokio::task::yield_now().await;
    assert_eq!(gate.inside(), 2, "so many at once");
    gate.release(1);
    gate.entered(4).await;
    gate.open();
    assert_eq!(call.await.unwrap(), Ok(all(0..11)));
    assert_eq!(database.asked(), [vec![0, 1, 2, 4], vec![5, 6, 7, 8], vec![9, 10]]);
    assert_eq!(database.0.most.load(SeqCst), 2);
    assert_eq!(stats(&cache, "tenfold").loads_ok, 4);

    assert_eq!(cache.scope(tenfold(&database, &(0..11).collect::<Vec<_>>())).await, Ok(all(0..11)));
    assert_eq!(database.asked(), [[0; 0]; 0]);
}

#[tokio::test]
async fn without_more_it_is_one_at_a_time() {
    let (cache, database) = (patient().in_memory().unwrap(), Database::default());
    let call = one_after_the_other(database.clone(), (0..10).collect());
    let found: HashMap<_, _> = cache.scope(call).await.unwrap().into_iter().collect();
    assert_eq!(found, all(0..10));
    assert_eq!(database.asked().iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!(database.0.most.load(SeqCst), 1);
}

/// It fails as one without chunks, but what was loaded before is stored.
#[tokio::test]
async fn the_first_error_is_that_of_the_batch() {
    let server = RedisServer::start().await;
    for cache in [patient().in_memory().unwrap(), patient().connect(&server.url()).unwrap()] {
        let broken = Database(Arc::new(Queries { broken: Some(9), ..Queries::default() }));
        let ids: Vec<_> = (0..40).collect();
        let failed = cache.scope(tenfold(&broken, &ids)).await;
        assert_eq!(failed, Err("broken".to_owned()));
        assert!(broken.asked().len() <= 4, "no further chunk is begun");
        let stored = async || {
            let database = Database::default();
            assert_eq!(cache.scope(tenfold(&database, &ids[..8])).await, Ok(all(0..8)));
            database.asked().is_empty()
        };
        eventually!(stats(&cache, "tenfold").fills_stored >= 4);
        eventually!(stored().await);
        let database = Database::default();
        assert_eq!(cache.scope(tenfold(&database, &ids)).await, Ok(all(0..40)));
        assert!(!database.asked().concat().contains(&0));
    }
}
