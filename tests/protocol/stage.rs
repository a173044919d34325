//! What every interleaving needs: a database of one column, functions over it, and a cache.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::{Counter, Gate};
use cache_testing::redis::{Backend, Client, RedisCluster, RedisServer};

/// Rows by id, and gates at which loads and writes are held.
#[derive(Clone, Debug, Default)]
pub struct Database(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rows: Mutex<HashMap<u64, u64>>,
    /// Held after the row was read, before the load returns.
    loading: Mutex<Option<Gate>>,
    /// Held after the row was written, before the write returns.
    writing: Mutex<Option<Gate>>,
    loads: Counter,
}

/// A database that fails. Not `Clone`, as most errors are not.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

impl From<cache_runtime::Error> for Refused {
    fn from(_: cache_runtime::Error) -> Self {
        Self
    }
}

impl Database {
    pub fn set(&self, id: u64, value: u64) {
        self.0.rows.lock().unwrap().insert(id, value);
    }

    pub fn get(&self, id: u64) -> Option<u64> {
        self.0.rows.lock().unwrap().get(&id).copied()
    }

    pub fn loads(&self) -> usize {
        self.0.loads.get()
    }

    /// Holds every load from now on, until the gate is opened.
    pub fn hold_loads(&self) -> Gate {
        let gate = Gate::new();
        *self.0.loading.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// Lets loads run again; those that are held stay held.
    pub fn let_loads_run(&self) {
        *self.0.loading.lock().unwrap() = None;
    }

    /// Holds every write from now on, until the gate is opened.
    pub fn hold_writes(&self) -> Gate {
        let gate = Gate::new();
        *self.0.writing.lock().unwrap() = Some(gate.clone());
        gate
    }

    pub fn let_writes_run(&self) {
        *self.0.writing.lock().unwrap() = None;
    }

    pub async fn select(&self, id: u64) -> Option<u64> {
        self.0.loads.count();
        let row = self.get(id);
        let gate = self.0.loading.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.pass().await;
        }
        row
    }

    /// Adds to a row; what it is then.
    pub async fn add(&self, id: u64, by: u64) -> Result<u64, Refused> {
        let value = self.get(id).ok_or(Refused)? + by;
        self.update(id, value).await;
        Ok(value)
    }

    pub async fn update(&self, id: u64, value: u64) {
        self.set(id, value);
        let gate = self.0.writing.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.pass().await;
        }
    }
}

#[cached(key = "row:<id>", ttl = 3600, skip(db))]
pub async fn row(db: &Database, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

/// The same entry under a lock.
#[cached(key = row_key(&id), ttl = 3600, lock, skip(db))]
pub async fn locked_row(db: &Database, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

#[invalidates(row(id))]
pub async fn write(db: &Database, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

#[invalidates(row(id), fence = "off")]
pub async fn write_unfenced(db: &Database, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

#[invalidates(row(id))]
pub async fn write_and_fail(db: &Database, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Err(Refused)
}

#[invalidates(row(id), only_ok, fence = "off")]
pub async fn fail_without_writing(db: &Database, id: u64) -> Result<(), Refused> {
    _ = (db, id);
    Err(Refused)
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Stage {
    pub cache: Cache,
    pub db: Database,
    /// None with the embedded store. In a cluster the client is one of the node that has `row:1`.
    pub server: Option<(Backend, Client)>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self { cache: patient().in_memory().unwrap(), db: Database::default(), server: None }
    }

    pub async fn redis() -> Self {
        let server = RedisServer::start().await;
        let client = server.client().await;
        let cache = patient().connect(&server.url()).unwrap();
        Self { cache, db: Database::default(), server: Some((Backend::Single(server), client)) }
    }

    /// A cluster that others have used before, but not any more.
    pub async fn cluster(cluster: &RedisCluster) -> Self {
        let (server, client) = cluster.anew("row:1").await;
        let cache = patient().connect(&server.url()).unwrap();
        Self { cache, db: Database::default(), server: Some((server, client)) }
    }

    /// Starts a call in a task of its own.
    pub fn spawn<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        tokio::spawn(self.cache.scope(call))
    }

    /// Starts a read in a task of its own.
    pub fn read(&self, id: u64) -> tokio::task::JoinHandle<Result<u64, Refused>> {
        let db = self.db.clone();
        self.spawn(async move { row(&db, id).await })
    }

    /// Starts a write in a task of its own.
    pub fn write(&self, id: u64, value: u64) -> tokio::task::JoinHandle<Result<(), Refused>> {
        let db = self.db.clone();
        self.spawn(async move { write(&db, id, value).await })
    }

    /// Reads here and now.
    pub async fn get(&self, id: u64) -> u64 {
        self.cache.scope(row(&self.db, id)).await.unwrap()
    }

    /// Reads, again and again, what is in the database, and stores nothing of it.
    pub async fn is_not_stored(&self, id: u64, value: u64) {
        for _ in 0..20 {
            assert_eq!((self.get(id).await, self.stored(id).await), (value, None));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The value that is stored, if any.
    pub async fn stored(&self, id: u64) -> Option<u64> {
        self.cache.get(&row_key(&id)).await.unwrap()
    }
}
