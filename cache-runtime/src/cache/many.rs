//! Reading and storing many entries by hand.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::engine::Core;
use crate::error::Error;
use crate::key::Key;
use crate::store::Together;

impl Cache {
    /// Reads the values of many entries, each as [`get`](Self::get) does, in the order of the keys.
    /// Takes one round trip, or one for each 256 keys; in a cluster, one for each primary.
    ///
    /// ```
    /// # use cache_runtime::{Cache, cached};
    /// # #[cached(key = "square:<n>", ttl = 60)] async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
    /// # let cache = Cache::in_memory();
    /// let keys = [3, 4, 5].map(|n| square_key(&n));
    /// cache.put_many([(&keys[0], &9), (&keys[2], &25)]).await?;
    /// assert_eq!(cache.get_many(&keys).await?, [Some(9), None, Some(25)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `get`, for the first key that has one.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn get_many<T: DeserializeOwned>(
        &self,
        keys: &[Key<T>],
    ) -> Result<Vec<Option<T>>, Error> {
        let cache = Self::from(self.core.coalescing());
        let reads = keys.iter().map(|key| cache.get(key));
        together(&cache.core, reads).await.into_iter().collect()
    }

    /// Stores values in many entries, each as [`put`](Self::put) does, in as many round trips as
    /// one of them takes for each 256. An entry whose value cannot be stored keeps none of the
    /// others from being stored.
    ///
    /// # Errors
    ///
    /// Those of `put`, for the first entry that has one.
    ///
    /// # Cancel safety
    ///
    /// That of `put`, for each entry.
    pub async fn put_many<'a, T>(
        &self,
        entries: impl IntoIterator<Item = (&'a Key<T>, &'a T)>,
    ) -> Result<(), Error>
    where
        T: Serialize + DeserializeOwned + 'a,
    {
        let cache = Self::from(self.core.coalescing());
        let writes = entries.into_iter().map(|(key, value)| cache.put(key, value));
        together(&cache.core, writes).await.into_iter().collect()
    }
}

/// The results of operations on single entries, in their order, whose requests are sent together.
async fn together<T>(
    cache: &Core,
    operations: impl Iterator<Item = impl Future<Output = T>>,
) -> Vec<T> {
    let mut together = Together::new(operations, cache.store(), cache.settings().budget);
    let mut results = Vec::new();
    loop {
        let ended = together.advance().await;
        if ended.is_empty() {
            break;
        }
        results.extend(ended);
    }
    results.sort_unstable_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, result)| result).collect()
}
