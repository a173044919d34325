//! Whether the store can be used, and why not.

use std::time::{Duration, Instant};

use crate::cache::Cache;
use crate::error::Cause;
use crate::error::{Error, ErrorKind};
use crate::store::Store;

impl Cache {
    /// Asks the store for a sign of life, and says how long the answer took; zero for the embedded
    /// store, and for a cache that is [disabled](Self::disabled). In a cluster, every primary is
    /// asked.
    ///
    /// It connects if there is no connection, also while calls bypass the cache. So it is the way
    /// to find out at startup why nothing would be cached, and to answer a health check: it does
    /// not depend on [`budget`](crate::CacheBuilder::budget), and takes at most two seconds (four
    /// times the longest time for which a `PING` counts as answered, where the budget makes that
    /// longer than half a second). A program can start all the same: annotated functions do without
    /// a store that cannot be reached.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the store cannot be reached or the login fails,
    /// [`ErrorKind::Refused`] if the server refuses the `PING`, as it does when it takes no writes
    /// (`MISCONF`). In both cases [`Error::cause`] says what is the matter.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time.
    ///
    /// ```
    /// use cache_runtime::error::Cause;
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
    /// let cache = Cache::connect("redis://127.0.0.1:1")?;
    /// let error = cache.ping().await.unwrap_err();
    /// assert_eq!(error.cause(), Some(&Cause::NobodyListens));
    /// # Ok(()) }
    /// ```
    pub async fn ping(&self) -> Result<Duration, Error> {
        self.core.announce();
        let Some(store) = self.core.store().and_then(Store::redis) else {
            return Ok(Duration::ZERO);
        };
        let begun = Instant::now();
        match Box::pin(store.ping()).await {
            Ok(()) => Ok(begun.elapsed()),
            Err(cause @ Cause::Refused(_)) if store.cause().is_none() => {
                let message = format!("the cache's store does not work: {cause}");
                Err(Error::new(ErrorKind::Refused, message).because(cause))
            }
            Err(cause) => Err(Error::unreachable(cause)),
        }
    }
}
