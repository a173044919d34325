//! What every interleaving needs: functions over a table, and a cache.

use std::time::Duration;

use cache_fixtures::stores::{OnStore, Store};
pub use cache_fixtures::table::{Refused, Table};
use cache_runtime::{Cache, cached, invalidates};

#[cached(key = "row:<id>", ttl = 3600, skip(db))]
pub async fn row(db: &Table, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

/// The same entry under a lock.
#[cached(key = row_key(&id), ttl = 3600, lock, skip(db))]
pub async fn locked_row(db: &Table, id: u64) -> Result<u64, Refused> {
    db.select(id).await.ok_or(Refused)
}

#[invalidates(row(id))]
pub async fn write(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

#[invalidates(row(id), fence = "off")]
pub async fn write_unfenced(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

#[invalidates(row(id))]
pub async fn write_and_fail(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Err(Refused)
}

#[invalidates(row(id), only_ok, fence = "off")]
pub async fn fail_without_writing(db: &Table, id: u64) -> Result<(), Refused> {
    _ = (db, id);
    Err(Refused)
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    pub db: Table,
    pub store: Store,
}

impl OnStore for Fixture {
    const KEY: &str = "row:1";

    fn on(store: Store) -> Self {
        Self { cache: store.cache(), db: Table::default(), store }
    }
}

impl Fixture {
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
