//! Batches without a companion, as the trait of a data loader needs them: with keys of their own,
//! and of every form.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;

use cache_runtime::{Cache, Key, cached};

use crate::batch::fixture::{Refused, Table};

/// What async-graphql and others have: called with many ids, in a task of its own.
trait Loader<K>: Send + Sync + 'static {
    type Value;

    fn load(
        &self,
        ids: &[K],
    ) -> impl Future<Output = Result<HashMap<K, Self::Value>, Refused>> + Send;
}

struct Rows(Table);

impl Loader<u64> for Rows {
    type Value = u64;

    #[cached(
        batch(id in ids), key = "loader:<id>", ttl = |row: &u64| std::time::Duration::from_secs(60 + row),
        tags = ["loader:<id:hash>"], unless = |row| *row == 0, lock, companion = false
    )]
    async fn load(&self, ids: &[u64]) -> Result<HashMap<u64, u64>, Refused> {
        Ok(self.0.select_all(ids.iter().copied()).await?.into_iter().collect())
    }
}

/// A batch that remembers what there is not.
#[cached(
    batch(name in names), key = "named:<lang>:<name.0:lower>", ttl = 60, none_ttl = 5, skip(db), companion = false
)]
async fn named(
    db: &Table,
    lang: &str,
    names: &[(String, u8)],
) -> Result<BTreeMap<(String, u8), u64>, Refused> {
    let _ = lang;
    let rows = db.select_all(names.iter().map(|name| name.0.len() as u64)).await?;
    let row = |name: &(String, u8)| Some((name.clone(), *rows.get(&(name.0.len() as u64))?));
    Ok(names.iter().filter_map(row).collect())
}

/// An automatic key.
#[cached(batch(id in ids), ttl = 60, skip(db), companion = false)]
async fn automatic(db: &Table, ids: Vec<u64>) -> Result<BTreeMap<u64, u64>, Refused> {
    Ok(db.select_all(ids).await?)
}

#[tokio::test]
async fn a_loader_is_asked_for_what_is_missing() {
    let cache = Cache::in_memory();
    let rows = Rows(Table::of(0..5));
    let calls = async {
        assert_eq!(rows.load(&[1, 2]).await, Ok(HashMap::from([(1, 10), (2, 20)])));
        assert_eq!(rows.load(&[2, 3]).await, Ok(HashMap::from([(2, 20), (3, 30)])));
        assert_eq!(rows.0.take_loads(), [vec![1, 2], vec![3]]);
        cache.invalidate(&Key::<()>::builder().text("loader:").part(&1).done()).await.unwrap();
        rows.load(&[0, 1, 2, 3]).await.unwrap();
        rows.load(&[0]).await.unwrap();
        assert_eq!(rows.0.take_loads(), [vec![0, 1], vec![0]], "0 is never stored");
    };
    cache.scope(calls).await;
}

#[tokio::test]
async fn keys_of_every_form() {
    let cache = Cache::in_memory();
    let db = Table::of(1..3);
    let calls = async {
        let names = ["a", "A", "ccc"].map(|name| (name.to_owned(), 0));
        assert_eq!(named(&db, "en", &names[..1]).await.unwrap().len(), 1);
        named(&db, "en", &names).await.unwrap();
        named(&db, "en", &names).await.unwrap();
        assert_eq!(db.take_loads(), [vec![1], vec![3]]);
        named(&db, "de", &names[..1]).await.unwrap();
        assert_eq!(db.take_loads(), [vec![1]]);
        automatic(&db, vec![1, 2]).await.unwrap();
        automatic(&db, vec![2]).await.unwrap();
        assert_eq!(db.take_loads(), [vec![1, 2]]);
    };
    cache.scope(calls).await;
}
