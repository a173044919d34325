//! Shutting down a cache.

use std::fmt;
use std::sync::atomic::Ordering;

use tokio::time::timeout;

use super::Background;
use crate::cache::Cache;
use crate::error::{Error, ErrorKind};
use crate::journal::Journal;

impl Cache {
    /// Ends background work before a program ends: starts no more refreshes, and waits for those that are running and
    /// for the delivery of every invalidation, for at most [`shutdown_limit`](crate::CacheBuilder::shutdown_limit),
    /// 10 s by default.
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
    /// [`ErrorKind::Unfinished`], with what is left. That work continues for as long as the program runs.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no more refreshes start, and running ones continue. `shutdown` can be called again,
    /// even several times at once.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let background = self.background();
        background.refreshes.close();
        Journal::deliver(self);
        let ended = async {
            background.ended().await;
            self.journal().drained().await;
        };
        if timeout(self.settings().shutdown_limit, ended).await.is_ok() {
            return Ok(());
        }
        let left = Left {
            refreshes: background.refreshes.running(),
            errands: background.errands(),
            invalidations: self.journal().depth(),
        };
        Err(Error::new(ErrorKind::Unfinished, left.to_string()))
    }
}

impl Background {
    /// Waits until nothing is running.
    async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.refreshes.running() == 0 && self.errands.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// What a shutdown left behind.
struct Left {
    refreshes: usize,
    errands: usize,
    invalidations: usize,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refreshes, errands, invalidations } = self;
        write!(
            f,
            "the cache's shutdown was cut short: {refreshes} refreshes and the ends of {errands} dropped calls were still \
             under way, {invalidations} invalidations undelivered"
        )
    }
}
