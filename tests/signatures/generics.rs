//! Generic functions and types.

use std::collections::HashMap;
use std::hash::Hash;

use cache_runtime::{Cache, Key, KeyPart, cached};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::once::{Failed, Pool, Row, once_ok, row};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
struct Other(Row);

impl From<Row> for Other {
    fn from(row: Row) -> Self {
        Self(row)
    }
}

#[cached(key = "by-type:<T>:<id>", ttl = 3600)]
async fn by_type<T: Serialize + DeserializeOwned + From<Row>>(id: i64) -> T {
    row(id).into()
}

#[cached(key = "by-const:<N>:<id>", ttl = 3600, skip(db))]
async fn by_const<'a, D, const N: usize>(db: &'a D, id: i64) -> Result<Vec<Row>, Failed>
where
    D: Sync + 'a,
{
    let _ = db;
    Ok((0..N).map(|_| row(id)).collect())
}

/// One function for ids of every kind, of which each has its own text.
#[cached(batch(id in ids), key = "by-id:<id>", ttl = 3600)]
async fn by_any_id<I>(ids: &[I]) -> HashMap<I, Row>
where
    I: KeyPart + Clone + Eq + Hash + Into<i64>,
{
    ids.iter().map(|id| (id.clone(), row(id.clone().into()))).collect()
}

type AppResult<T> = Result<T, Failed>;

#[cached(key = "by-alias:<T>:<id>", ttl = 3600, none_ttl = 60)]
async fn by_alias<T, K>(id: K) -> AppResult<Option<T>>
where
    T: Serialize + DeserializeOwned + From<Row>,
    K: KeyPart + Clone + Into<i64>,
{
    Ok(Some(row(id.into()).into()))
}

/// A repository of one kind of row.
#[derive(Debug)]
struct Repository<T> {
    make: fn(Row) -> T,
}

impl<T: Serialize + DeserializeOwned> Repository<T> {
    #[cached(ttl = 3600, skip(self))]
    async fn find(&self, id: i64) -> Result<T, Failed> {
        Ok((self.make)(row(id)))
    }

    #[cached(ttl = 3600, skip(self))]
    async fn maybe(&self, id: i64) -> Option<T> {
        Some((self.make)(row(id)))
    }
}

#[tokio::test]
async fn types_are_told_apart() {
    let cache = Cache::in_memory();
    let calls = async {
        let plain: Row = by_type(1).await;
        let other: Other = by_type(1).await;
        assert_ne!(plain, other.0, "each has an entry of its own");
        assert_eq!(by_type::<Row>(1).await, plain);
        assert_eq!(by_type::<Other>(1).await, other);
    };
    cache.scope(calls).await;
    let key: Key<Other> = by_type_key::<Other>(&1);
    assert_eq!(key.as_str(), "by-type:signatures%3A%3Agenerics%3A%3AOther:1");
}

#[tokio::test]
async fn generic_functions_and_methods() {
    once_ok!("by-const:3:1", by_const::<_, 3>(&Pool, 1));
    let cache = Cache::in_memory();
    let found = cache.scope(by_any_id(&[1_i32, 2])).await;
    assert_eq!(cache.scope(by_any_id(&[2_i64])).await[&2], found[&2]);
    once_ok!("by-alias:signatures%3A%3Aonce%3A%3ARow:1", by_alias::<Row, i32>(1));
}

/// Without a template the type is part of the key.
#[tokio::test]
async fn methods_of_generic_types() {
    let (cache, rows) = (Cache::in_memory(), Repository { make: |row| row });
    let others = Repository { make: Other };
    let calls = async {
        let (found, other) = (rows.find(1).await.unwrap(), others.find(1).await.unwrap());
        assert_ne!(found, other.0, "each has an entry of its own");
        assert_eq!(rows.find(1).await.unwrap(), found);
        assert_eq!(others.find(1).await.unwrap(), other);
        let maybe = rows.maybe(1).await;
        assert_eq!(rows.maybe(1).await, maybe);
    };
    cache.scope(calls).await;
    let (one, two) = (Repository::<Row>::find_key(&1), Repository::<Other>::find_key(&1));
    assert_ne!(one.as_str(), two.as_str());
}
