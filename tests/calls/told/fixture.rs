//! Rows that say whose they are, in functions that are asked for them by their ids.

use cache_fixtures::stores::{OnStore, Store};
pub use cache_fixtures::table::{Refused, Table};
use cache_runtime::{Cache, Tag, cached, invalidates, tag, write_through};
use serde::{Deserialize, Serialize};

/// A row of the table: its hundreds are its owner.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    pub owner: u64,
    pub count: u64,
}

impl Row {
    pub fn of(value: u64) -> Self {
        Self { owner: value / 100, count: value % 100 }
    }
}

#[cached(
    key = "told:<id>",
    ttl = 3600,
    skip(db),
    tags = ["rows", |row: &Row| [tag!("owner:<row.owner>")]],
)]
pub async fn row(db: &Table, id: u64) -> Result<Row, Refused> {
    db.select(id).await.map(Row::of).ok_or(Refused)
}

#[invalidates(tag = "owner:<owner>")]
pub async fn write(db: &Table, owner: u64, id: u64, value: u64) {
    db.update(id, value).await;
}

#[invalidates(tag = "owner:<owner>", fence = "off")]
pub async fn write_unfenced(db: &Table, owner: u64, id: u64, value: u64) {
    db.update(id, value).await;
}

/// Finds out the owner from the row.
#[invalidates(tag = "owner:<result>")]
pub async fn write_and_tell(db: &Table, owner: u64, id: u64, value: u64) -> u64 {
    db.update(id, value).await;
    owner
}

#[write_through(row(id))]
pub async fn save(db: &Table, id: u64, value: u64) -> Result<Row, Refused> {
    db.update(id, value).await;
    Ok(Row::of(value))
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    pub db: Table,
    pub store: Store,
}

impl OnStore for Fixture {
    const KEY: &str = "told:1";

    fn on(store: Store) -> Self {
        Self { cache: store.cache(), db: Table::default(), store }
    }
}

impl Fixture {
    pub async fn row(&self, id: u64) -> Row {
        self.cache.scope(row(&self.db, id)).await.unwrap()
    }

    pub async fn stored(&self, id: u64) -> Option<Row> {
        self.cache.get(&row_key(&id)).await.unwrap()
    }

    /// Starts a call in a task of its own.
    pub fn spawn<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        tokio::spawn(self.cache.scope(call))
    }

    pub fn spawn_row(&self, id: u64) -> tokio::task::JoinHandle<Result<Row, Refused>> {
        let db = self.db.clone();
        self.spawn(async move { row(&db, id).await })
    }

    pub fn overlapped(&self) -> u64 {
        self.cache.stats().function("told::fixture::row").unwrap().fills_overlapped
    }
}

pub fn owner(id: u64) -> Tag {
    tag!("owner:<id>")
}

/// How a tag is invalidated.
#[derive(Clone, Copy, Debug)]
pub enum Invalidation {
    Macro,
    Unfenced,
    ByResult,
    ByHand,
    OfKey,
    ByPattern,
}

impl Invalidation {
    pub const ALL: [Self; 6] =
        [Self::Macro, Self::Unfenced, Self::ByResult, Self::ByHand, Self::OfKey, Self::ByPattern];

    /// Writes a row of owner 1, and invalidates.
    pub async fn write(self, fixture: &Fixture, id: u64, value: u64) {
        let (cache, db) = (&fixture.cache, &fixture.db);
        match self {
            Self::Macro => cache.scope(write(db, 1, id, value)).await,
            Self::Unfenced => cache.scope(write_unfenced(db, 1, id, value)).await,
            Self::ByResult => _ = cache.scope(write_and_tell(db, 1, id, value)).await,
            Self::ByHand => {
                db.set(id, value);
                cache.invalidate_tag(owner(1)).await.unwrap();
            }
            Self::OfKey => {
                db.set(id, value);
                cache.invalidate_tag("rows").await.unwrap();
            }
            Self::ByPattern => {
                db.set(id, value);
                cache.invalidate_matching("~tag:owner:*").await.unwrap();
            }
        }
    }
}
