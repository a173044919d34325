//! The origin: rows whose versions only grow, and functions over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use cache_runtime::{cached, invalidates};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// Rows that exist. One more is read that does not.
pub const ROWS: u64 = 12;

/// How long a body takes at most, on an idle machine.
pub const BODY: Duration = Duration::from_millis(2);

/// A database. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Database(Arc<[Row; 12]>);

#[derive(Debug, Default)]
struct Row {
    /// The version that is committed.
    committed: AtomicU64,
    /// The highest version whose write has returned.
    returned: AtomicU64,
}

/// What is cached. It says whose it is, so that a mixed-up reply shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub id: u64,
    pub version: u64,
    pub text: String,
}

impl Record {
    pub fn new(id: u64, version: u64) -> Self {
        Self { id, version, text: format!("{id}@{version} ").repeat(8) }
    }
}

/// The database's own error. There is no way to make one of an error of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchRow;

/// The error of a write that was committed all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedAllTheSame(pub u64);

impl Database {
    /// What every read that begins now must at least return.
    pub fn floor(&self, id: u64) -> u64 {
        self.row(id).map_or(0, |row| row.returned.load(SeqCst))
    }

    /// What no read that has ended by now can have gone beyond.
    pub fn ceiling(&self, id: u64) -> u64 {
        self.row(id).map_or(0, |row| row.committed.load(SeqCst))
    }

    /// The write of `version` has returned.
    pub fn returned(&self, id: u64, version: u64) {
        if let Some(row) = self.row(id) {
            row.returned.fetch_max(version, SeqCst);
        }
    }

    async fn select(&self, id: u64) -> Result<Record, NoSuchRow> {
        let version = self.row(id).ok_or(NoSuchRow)?.committed.load(SeqCst);
        // Time in which a write can overtake the load.
        sleep(BODY / 2).await;
        Ok(Record::new(id, version))
    }

    /// Commits a change.
    pub fn commit(&self, id: u64) -> u64 {
        self.row(id).map_or(0, |row| row.committed.fetch_add(1, SeqCst) + 1)
    }

    async fn update(&self, id: u64) -> u64 {
        sleep(BODY / 4).await;
        let version = self.commit(id);
        sleep(BODY / 4).await;
        version
    }

    fn row(&self, id: u64) -> Option<&Row> {
        self.0.get(usize::try_from(id).ok()?)
    }
}

#[cached(key = "row:<id>", ttl = 3600, skip(db))]
pub async fn row(db: &Database, id: u64) -> Result<Record, NoSuchRow> {
    db.select(id).await
}

/// The same entries under a lock.
#[cached(key = row_key(&id), ttl = 3600, lock(wait = "200ms"), skip(db))]
pub async fn locked_row(db: &Database, id: u64) -> Result<Record, NoSuchRow> {
    db.select(id).await
}

#[invalidates(row(id))]
pub async fn write(db: &Database, id: u64) -> Result<u64, NoSuchRow> {
    Ok(db.update(id).await)
}

#[invalidates(row(id), fence = "off")]
pub async fn write_unfenced(db: &Database, id: u64) -> Result<u64, NoSuchRow> {
    Ok(db.update(id).await)
}

/// A write whose error hides its commit.
#[invalidates(row(id))]
pub async fn write_and_fail(db: &Database, id: u64) -> Result<u64, CommittedAllTheSame> {
    Err(CommittedAllTheSame(db.update(id).await))
}

/// A write of all rows; their versions.
#[invalidates(pattern = "row:*")]
pub async fn write_all(db: &Database) -> Vec<u64> {
    (0..ROWS).map(|id| db.commit(id)).collect()
}
