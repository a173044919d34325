//! Writes that are committed together.

use crate::cache::Cache;
use crate::write::{Doubt, scope};

impl Cache {
    /// Delays the invalidations of all writes called inside `work` until `work` ends. Use it for
    /// the writes of one database transaction: their entries stay fenced until then, so no reader
    /// stores a row that the transaction is about to replace.
    ///
    /// ```
    /// # use cache_runtime::{invalidates, Cache};
    /// # struct Transaction; impl Transaction { async fn commit(self) -> Result<(), String> { Ok(()) } }
    /// # struct Pool; impl Pool { async fn begin(&self) -> Result<Transaction, String> { Ok(Transaction) } }
    /// #[invalidates(key = "account:<id>", in_transaction)]
    /// async fn withdraw(tx: &mut Transaction, id: i64, cents: i64) -> Result<(), String> {
    ///     // UPDATE account …
    ///     Ok(())
    /// }
    ///
    /// async fn transfer(db: &Pool, cache: &Cache, from: i64, to: i64) -> Result<(), String> {
    ///     cache
    ///         .after_commit(async {
    ///             let mut tx = db.begin().await?;
    ///             withdraw(&mut tx, from, 100).await?;
    ///             withdraw(&mut tx, to, -100).await?;
    ///             tx.commit().await
    ///         })
    ///         .await
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # transfer(&Pool, &Cache::in_memory(), 1, 2).await.unwrap(); }
    /// ```
    ///
    /// The invalidations are made whether `work` succeeds, fails or panics. Inside another
    /// `after_commit` of the same cache, the outer one makes them.
    ///
    /// An error that `work` returns may hide a commit that is still in progress, for example if the
    /// connection was lost during the commit. For such work there is
    /// [`try_after_commit`](Self::try_after_commit).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, or `work` panics, the database may commit all the same. So the
    /// fences of all writes inside are left up to their end, which is a whole
    /// [`fence`](crate::CacheBuilder::fence) later. Their entries are not cached until then. The
    /// same is true of the entries of a single write inside that was dropped, when `work` ends.
    pub async fn after_commit<F: Future>(&self, work: F) -> F::Output {
        // Boxed, because each function that it passes through would hold another copy of it.
        scope::after_commit(&self.core, Box::pin(work), |_| Doubt::None).await
    }

    /// Does the same as [`after_commit`](Self::after_commit) for work that can fail while its
    /// commit is in progress.
    ///
    /// If `in_doubt` returns `true` for the error, the fences of all writes inside are left up to
    /// their end, a whole [`fence`](crate::CacheBuilder::fence) later. After any other error the
    /// entries are invalidated at once, and again when a fence would have ended.
    ///
    /// ```
    /// # use cache_runtime::{invalidates, Cache};
    /// # struct Transaction; impl Transaction { async fn commit(self) -> Result<(), Failure> { Ok(()) } }
    /// # struct Pool; impl Pool { async fn begin(&self) -> Result<Transaction, Failure> { Ok(Transaction) } }
    /// # #[derive(Debug)] enum Failure { ConnectionLost }
    /// # #[invalidates(key = "account:<id>", in_transaction)]
    /// # async fn withdraw(tx: &mut Transaction, id: i64, cents: i64) -> Result<(), Failure> { Ok(()) }
    /// async fn transfer(db: &Pool, cache: &Cache, from: i64, to: i64) -> Result<(), Failure> {
    ///     let work = async {
    ///         let mut tx = db.begin().await?;
    ///         withdraw(&mut tx, from, 100).await?;
    ///         withdraw(&mut tx, to, -100).await?;
    ///         tx.commit().await
    ///     };
    ///     cache.try_after_commit(work, |error| matches!(error, Failure::ConnectionLost)).await
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # transfer(&Pool, &Cache::in_memory(), 1, 2).await.unwrap(); }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `work`.
    ///
    /// # Cancel safety
    ///
    /// As for [`after_commit`](Self::after_commit).
    pub async fn try_after_commit<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
        in_doubt: impl FnOnce(&E) -> bool,
    ) -> Result<T, E> {
        let doubt = |output: &Result<T, E>| match output {
            Ok(_) => Doubt::None,
            Err(error) if in_doubt(error) => Doubt::Unknown,
            Err(_) => Doubt::Failed,
        };
        scope::after_commit(&self.core, Box::pin(work), doubt).await
    }
}
