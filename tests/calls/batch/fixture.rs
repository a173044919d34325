//! What every test of batches needs: a database that answers for many rows at once, functions over
//! it, and a cache.

use std::collections::{BTreeMap, HashMap, HashSet};

use cache_fixtures::stores::{OnStore, Store};
pub use cache_fixtures::table::Table;
use cache_runtime::{Cache, CallExt as _, cached, invalidates};
use tokio::task::JoinHandle;

/// A failed load. Can be shared with those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused;

impl From<cache_fixtures::table::Refused> for Refused {
    fn from(_: cache_fixtures::table::Refused) -> Self {
        Self
    }
}

impl From<cache_runtime::Error> for Refused {
    fn from(_: cache_runtime::Error) -> Self {
        Self
    }
}

/// One row.
#[cached(key = "row:<id>", ttl = 3600, skip(db))]
pub async fn row(db: &Table, id: u64) -> Result<Option<u64>, Refused> {
    Ok(db.select_all([id]).await?.remove(&id))
}

/// The same entries, many at once.
#[cached(batch(id in ids), key = row_key(id), ttl = 3600, skip(db))]
pub async fn rows(db: &Table, ids: &[u64]) -> Result<HashMap<u64, u64>, Refused> {
    Ok(db.select_all(ids.iter().copied()).await?.into_iter().collect())
}

/// The same entries once more; those that are not there are remembered.
#[cached(batch(id in ids), key = row_key(id), ttl = 3600, none_ttl = 60, lock, skip(db))]
pub async fn rows_or_none(db: &Table, ids: Vec<u64>) -> Result<Vec<(u64, u64)>, Refused> {
    Ok(db.select_all(ids).await?.into_iter().collect())
}

/// Entries of its own.
#[cached(batch(id in ids), key = "own:<id>", ttl = 3600, lock, skip(db))]
pub async fn own_rows(db: &Table, ids: HashSet<u64>) -> BTreeMap<u64, u64> {
    db.select_all(ids).await.unwrap_or_default()
}

#[invalidates(row(id))]
pub async fn write(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.set(id, value);
    Ok(())
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    pub db: Table,
    pub store: Store,
}

impl OnStore for Fixture {
    fn on(store: Store) -> Self {
        Self { cache: store.cache(), db: Table::of(0..10), store }
    }
}

impl Fixture {
    /// The cache of another process over the same store, if it can be shared.
    pub fn other(&self) -> Option<Cache> {
        self.store.is_shared().then(|| self.store.cache())
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
        match self.store.remote() {
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

pub fn sorted(rows: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_unstable();
    rows
}

/// What the rows of these ids are at first.
pub fn tens<const N: usize>(ids: [u64; N]) -> Vec<(u64, u64)> {
    ids.map(|id| (id, 10 * id)).into()
}
