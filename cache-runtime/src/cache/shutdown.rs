//! Shutting down a cache.

use crate::cache::Cache;
use crate::error::Error;

impl Cache {
    /// Ends background work before a program ends: starts no more refreshes, and waits for those
    /// that are running and for the delivery of every invalidation, for at most
    /// [`shutdown_limit`](crate::CacheBuilder::shutdown_limit), 15 s by default. What begins
    /// meanwhile, such as the end of a call that is dropped, is waited for as well.
    ///
    /// That a server goes away from now on is no warning in the log any more.
    ///
    /// Entries of failed writes that are still to be invalidated again, in case an error hid a
    /// commit, are not waited for: they are fenced for the rest of that time, and the fences expire
    /// by themselves. Only for a pattern there is no fence, so a shutdown waits until it is due: a
    /// [`fence`](crate::CacheBuilder::fence)'s length after the write.
    ///
    /// Functions continue to work as before, except that stale values are served without a refresh.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = Cache::in_memory();
    /// cache.install();
    /// // .. serve until told to stop ..
    /// cache.shutdown().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfinished`](crate::ErrorKind::Unfinished), with what is left. That work
    /// continues for as long as the program runs.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no more refreshes start, and running ones continue. `shutdown` can
    /// be called again, even several times at once.
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.core.shutdown().await
    }
}
