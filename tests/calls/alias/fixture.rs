//! Users, who are found by their ids and by their addresses.

use cache_fixtures::stores::{OnStore, Store};
pub use cache_fixtures::table::{Refused, Table};
use cache_runtime::{Cache, cached, invalidates, tag};
use serde::{Deserialize, Serialize};

/// A row of the table: its hundreds are the address.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct User {
    pub id: u64,
    pub address: u64,
    pub name: u64,
}

impl User {
    pub fn of(id: u64, row: u64) -> Self {
        Self { id, address: row / 100, name: row % 100 }
    }
}

/// The users that there can be.
const IDS: std::ops::Range<u64> = 1..400;

/// A load that reads the user with this address, if there is one.
pub async fn select(db: &Table, address: u64) -> Option<User> {
    let has_it = |id: &u64| db.get(*id).is_some_and(|row| row / 100 == address);
    let id = IDS.into_iter().find(has_it).unwrap_or_default();
    db.select(id).await.map(|row| User::of(id, row))
}

#[cached(
    key = "user:<id>",
    ttl = 3600,
    skip(db),
    tags = ["users", |user: &Option<User>| user.map(|user| tag!("named:<user.name>"))],
)]
pub async fn user(db: &Table, id: u64) -> Result<Option<User>, Refused> {
    Ok(db.select(id).await.map(|row| User::of(id, row)))
}

#[cached(
    key = "at:<address>",
    ttl = 3600,
    none_ttl = 3600,
    skip(db),
    entry = |user: &User| user_key(&user.id),
)]
pub async fn user_at(db: &Table, address: u64) -> Result<Option<User>, Refused> {
    Ok(select(db, address).await)
}

#[invalidates(user(id))]
pub async fn write(db: &Table, id: u64, row: u64) {
    db.update(id, row).await;
}

#[invalidates(user(id), fence = "off")]
pub async fn write_unfenced(db: &Table, id: u64, row: u64) {
    db.update(id, row).await;
}

#[invalidates(tag = "users")]
pub async fn write_by_tag(db: &Table, id: u64, row: u64) {
    db.update(id, row).await;
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    /// That of another process, where the store can be shared.
    pub there: Cache,
    pub db: Table,
    pub store: Store,
}

impl OnStore for Fixture {
    const KEY: &str = "user:1";

    fn on(store: Store) -> Self {
        let cache = store.cache();
        let there = if store.is_shared() { store.cache() } else { cache.clone() };
        Self { cache, there, db: Table::default(), store }
    }
}

impl Fixture {
    pub async fn user(&self, id: u64) -> Option<User> {
        self.cache.scope(user(&self.db, id)).await.unwrap()
    }

    pub async fn user_at(&self, address: u64) -> Option<User> {
        self.cache.scope(user_at(&self.db, address)).await.unwrap()
    }

    /// What is found at an address without a load.
    pub async fn stored_at(&self, address: u64) -> Option<User> {
        self.cache.get(&user_at_key(&address)).await.unwrap().flatten()
    }

    pub async fn stored(&self, id: u64) -> Option<User> {
        self.cache.get(&user_key(&id)).await.unwrap().flatten()
    }

    /// The same in the other process.
    pub async fn user_at_there(&self, address: u64) -> Option<User> {
        self.there.scope(user_at(&self.db, address)).await.unwrap()
    }

    /// Starts a call in a task of its own.
    pub fn spawn<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        tokio::spawn(self.cache.scope(call))
    }

    pub fn spawn_user_at(&self, address: u64) -> tokio::task::JoinHandle<Option<User>> {
        let db = self.db.clone();
        self.spawn(async move { user_at(&db, address).await.unwrap() })
    }

    pub fn hinted(&self) -> u64 {
        self.cache.stats().function("alias::fixture::user_at").map_or(0, |it| it.fills_hinted)
    }
}

/// How a user is invalidated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Invalidation {
    Macro,
    Unfenced,
    ByTag,
    ByToldTag,
    ByHand,
    ByPattern,
    /// By a client that knows nothing of the cache.
    Del,
}

impl Invalidation {
    /// Those that there are on a store.
    pub fn on(store: &Store) -> Vec<Self> {
        let mut all = vec![
            Self::Macro,
            Self::Unfenced,
            Self::ByTag,
            Self::ByToldTag,
            Self::ByHand,
            Self::ByPattern,
        ];
        all.extend(store.is_shared().then_some(Self::Del));
        all
    }

    /// Writes the row of a user, who had the name `1` before, and invalidates.
    pub async fn write(self, fixture: &Fixture, id: u64, row: u64) {
        let (cache, db) = (&fixture.cache, &fixture.db);
        match self {
            Self::Macro => cache.scope(write(db, id, row)).await,
            Self::Unfenced => cache.scope(write_unfenced(db, id, row)).await,
            Self::ByTag => cache.scope(write_by_tag(db, id, row)).await,
            Self::ByToldTag => {
                db.set(id, row);
                let name = 1_u64;
                cache.invalidate_tag(tag!("named:<name>")).await.unwrap();
            }
            Self::ByHand => {
                db.set(id, row);
                cache.invalidate(&user_key(&id)).await.unwrap();
            }
            Self::ByPattern => {
                db.set(id, row);
                cache.invalidate_matching("user:*").await.unwrap();
            }
            Self::Del => {
                db.set(id, row);
                fixture.del(&format!("user:{id}")).await;
            }
        }
    }
}

impl Fixture {
    /// A plain `DEL`, on the node that has the key.
    pub async fn del(&self, key: &str) {
        self.store.server().client(key).await.del(key).await;
    }
}
