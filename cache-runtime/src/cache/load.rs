//! Reading an entry by hand, and loading it where there is none.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::engine::entry::Unfit;
use crate::key::Key;
use crate::read::read;
use crate::typing::Yields;

impl Cache {
    /// Reads the value of an entry; where there is none, runs `load`, stores what it returns and
    /// returns it. What a cached function does, for entries that no function has: a key that is
    /// known only at run time, or a place where no attribute can be.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Key};
    /// # #[derive(Debug)] struct DbError;
    /// # struct Db; impl Db { async fn price(&self, _: &str) -> Result<u64, DbError> { Ok(250) } }
    /// async fn price(cache: &Cache, db: &Db, sku: &str) -> Result<u64, DbError> {
    ///     let key: Key<u64> = Key::<u64>::builder().text("price:").part(sku).done();
    ///     cache.get_or_load(&key.ttl(Duration::from_secs(60)), || db.price(sku)).await
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), DbError> {
    /// # let cache = Cache::in_memory();
    /// # for _ in 0..2 { assert_eq!(price(&cache, &Db, "tea").await?, 250); }
    /// # assert_eq!(cache.stats().loads("by hand"), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// `load` returns what the key stores, a `T`, or a `Result<T, E>` of any error, and the call
    /// returns the same. Only an `Ok` is stored.
    ///
    /// It follows the same protocol as a cached function, so no invalidation can be lost: the lease
    /// is taken before the load, and a value that was loaded before an invalidation is never stored
    /// after it. Callers with the same key in this process share one load, be it that of a
    /// function. The store may delay the call for as long as the
    /// [`budget`](crate::CacheBuilder::budget) says, and whatever the store does, the call returns
    /// what `load` returns. If `load` fails, the next of those that wait for it loads by itself.
    ///
    /// The key of a function, such as `get_user_key(&7)`, brings the function's policy along:
    /// `ttl`, `jitter`, `none_ttl` (a `None` is what serde writes as one), `unless`, `lock`, tags,
    /// codec and limits. What only a call can decide does not apply: `when`, `error_ttl`, an
    /// `unless` over parameters (then nothing is stored), and serving values past their time to
    /// live.
    ///
    /// A key made by hand needs a time to live ([`Key::ttl`] or [`Key::ttl_of`]). Without one
    /// nothing is stored, and the log says so; it is counted in
    /// [`FunctionStats::misuses`](crate::stats::FunctionStats::misuses) of `by hand`. A `None`
    /// under such a key is a value like any other, unless the key [excludes](Key::unless) it. Such
    /// calls have no `lock`: each process may run `load` once.
    ///
    /// [`refresh` and `bypass`](crate::CallExt) work on its future as on that of a function.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops what `load` returned. Those that wait for it are not affected: one
    /// of them loads.
    pub async fn get_or_load<T, R, F, B>(&self, key: &Key<T>, load: F) -> R
    where
        T: Serialize + DeserializeOwned,
        R: Yields<T>,
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        let storable = key.has_ttl() || self.core.store().is_none();
        // Takes the mode of this call, before the report may panic.
        let read = read(key.clone()).cache(self).when(storable);
        if !storable {
            Unfit::WithoutTtl.tell(&self.core, key.callsite());
        }
        // Whether it is to be stored depends on arguments that only the function has.
        let in_call = key.is_decided_in_call();
        read.unless(|_| in_call).through(R::returns(key.is_by_hand()), load).await
    }
}
