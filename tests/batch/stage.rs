//! What every test of batches needs: a database that answers for many rows at once, functions over it, and a cache.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use cache_fixtures::patient;
use cache_runtime::stats::FunctionStats;
use cache_runtime::{Cache, CallExt as _, cached, invalidates};
use cache_testing::barrier::Gate;
use cache_testing::redis::{Client, RedisServer};
use tokio::task::JoinHandle;

/// Rows by id, what was asked of them, and a gate at which loads are held.
#[derive(Clone, Debug, Default)]
pub struct Database(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rows: Mutex<BTreeMap<u64, u64>>,
    /// The ids of each load, sorted.
    loads: Mutex<Vec<Vec<u64>>>,
    /// Held after the rows were read, before the load returns.
    gate: Mutex<Option<Gate>>,
    failing: Mutex<bool>,
}

/// A failed load. Can be shared with those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused;

impl From<cache_runtime::Error> for Refused {
    fn from(_: cache_runtime::Error) -> Self {
        Self
    }
}

impl Database {
    /// With a row for each of these, whose value is ten times its id.
    pub fn of(ids: impl IntoIterator<Item = u64>) -> Self {
        let db = Self::default();
        ids.into_iter().for_each(|id| db.set(id, 10 * id));
        db
    }

    pub fn set(&self, id: u64, value: u64) {
        self.0.rows.lock().unwrap().insert(id, value);
    }

    /// The ids of each load so far; forgets them.
    pub fn loads(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut *self.0.loads.lock().unwrap())
    }

    /// Holds every load from now on, until the gate is opened.
    pub fn hold(&self) -> Gate {
        let gate = Gate::new();
        *self.0.gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// Lets loads run again; those that are held stay held.
    pub fn let_run(&self) {
        *self.0.gate.lock().unwrap() = None;
    }

    pub fn fail(&self, failing: bool) {
        *self.0.failing.lock().unwrap() = failing;
    }

    pub async fn select(
        &self,
        ids: impl IntoIterator<Item = u64>,
    ) -> Result<BTreeMap<u64, u64>, Refused> {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_unstable();
        let rows = self.0.rows.lock().unwrap().clone();
        let failing = *self.0.failing.lock().unwrap();
        let gate = self.0.gate.lock().unwrap().clone();
        self.0.loads.lock().unwrap().push(ids.clone());
        if let Some(gate) = gate {
            gate.pass().await;
        }
        if failing {
            return Err(Refused);
        }
        Ok(ids.into_iter().filter_map(|id| Some((id, *rows.get(&id)?))).collect())
    }
}

/// One row.
#[cached(key = "row:<id>", ttl = 3600, skip(db))]
pub async fn row(db: &Database, id: u64) -> Result<Option<u64>, Refused> {
    db.select([id]).await.map(|rows| rows.get(&id).copied())
}

/// The same entries, many at once.
#[cached(batch(id in ids), key = row_key(id), ttl = 3600, skip(db))]
pub async fn rows(db: &Database, ids: &[u64]) -> Result<HashMap<u64, u64>, Refused> {
    Ok(db.select(ids.iter().copied()).await?.into_iter().collect())
}

/// The same entries once more; those that are not there are remembered.
#[cached(batch(id in ids), key = row_key(id), ttl = 3600, none_ttl = 60, lock, skip(db))]
pub async fn rows_or_none(db: &Database, ids: Vec<u64>) -> Result<Vec<(u64, u64)>, Refused> {
    Ok(db.select(ids).await?.into_iter().collect())
}

/// Entries of its own.
#[cached(batch(id in ids), key = "own:<id>", ttl = 3600, lock, skip(db))]
pub async fn own_rows(db: &Database, ids: HashSet<u64>) -> BTreeMap<u64, u64> {
    db.select(ids).await.unwrap_or_default()
}

#[invalidates(row(id))]
pub async fn write(db: &Database, id: u64, value: u64) -> Result<(), Refused> {
    db.set(id, value);
    Ok(())
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Stage {
    pub cache: Cache,
    pub db: Database,
    /// None with the embedded store.
    pub server: Option<(RedisServer, Client)>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self { cache: patient().in_memory().unwrap(), db: Database::of(0..10), server: None }
    }

    pub async fn redis() -> Self {
        let server = RedisServer::start().await;
        let client = server.client().await;
        Self {
            cache: connect(&server.url()),
            db: Database::of(0..10),
            server: Some((server, client)),
        }
    }

    /// Another process over the same store, if it can be shared.
    pub fn other(&self) -> Option<Self> {
        let (server, _) = self.server.as_ref()?;
        Some(Self { cache: connect(&server.url()), db: self.db.clone(), server: None })
    }

    /// Starts a call in a task of its own.
    pub fn spawn<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        tokio::spawn(self.cache.scope(call))
    }

    /// Starts a batch in a task of its own.
    pub fn start<const N: usize>(
        &self,
        ids: [u64; N],
    ) -> JoinHandle<Result<HashMap<u64, u64>, Refused>> {
        let db = self.db.clone();
        self.spawn(async move { rows(&db, &ids).await })
    }

    /// Starts a read of one in a task of its own.
    pub fn start_one(&self, id: u64) -> JoinHandle<Result<Option<u64>, Refused>> {
        let db = self.db.clone();
        self.spawn(async move { row(&db, id).await })
    }

    /// Reads a batch here and now, sorted.
    pub async fn get<const N: usize>(&self, ids: [u64; N]) -> Vec<(u64, u64)> {
        sorted(self.cache.scope(rows(&self.db, &ids)).await.unwrap())
    }

    /// The same past the cache's values.
    pub async fn refresh<const N: usize>(&self, ids: [u64; N]) -> Vec<(u64, u64)> {
        sorted(self.cache.scope(rows(&self.db, &ids).refresh()).await.unwrap())
    }

    /// What is stored for each of these, with `Some(None)` for one that is known not to be there.
    pub async fn stored<const N: usize>(&self, ids: [u64; N]) -> [Option<Option<u64>>; N] {
        let mut stored = [None; N];
        for (place, id) in stored.iter_mut().zip(ids) {
            *place = self.cache.get(&row_key(&id)).await.unwrap();
        }
        stored
    }

    /// Nothing stands in the way of the next caller: no lease, and nobody's lead.
    pub async fn is_free<const N: usize>(&self, ids: [u64; N]) -> bool {
        match &self.server {
            None => true,
            Some((_, client)) => {
                let keys = client.keys().await;
                let mut free = true;
                for id in ids {
                    free &= self.stored([id]).await[0].is_some()
                        || !keys.contains(&format!("row:{id}"));
                }
                free
            }
        }
    }
}

/// A cache as one process has it.
pub fn connect(url: &str) -> Cache {
    patient().connect(url).unwrap()
}

pub fn sorted(rows: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_unstable();
    rows
}

/// What the rows of these ids are at first.
pub fn tens<const N: usize>(ids: [u64; N]) -> Vec<(u64, u64)> {
    ids.map(|id| (id, 10 * id)).into()
}

/// What the calls of a function came to; zeros before the first.
pub fn stats(cache: &Cache, function: &str) -> FunctionStats {
    cache.stats().function(function).cloned().unwrap_or_default()
}
