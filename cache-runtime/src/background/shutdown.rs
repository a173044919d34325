//! The end of a cache.

use std::fmt;
use std::sync::atomic::Ordering;

use tokio::time::timeout;

use super::Background;
use crate::cache::Cache;
use crate::error::{Error, ErrorKind};
use crate::journal::Journal;

impl Cache {
    /// Ends what goes on in the background, before a program ends: no refresh begins any more, those that run are waited
    /// for, and so is the delivery of every invalidation. For at most
    /// [`shutdown_limit`](crate::CacheBuilder::shutdown_limit), 10 s by default.
    ///
    /// Functions go on as before, except that stale values are served without a refresh.
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
    /// [`ErrorKind::Unfinished`], with what is left. It goes on as long as the program does.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, no refresh begins any more, and what runs goes on. It can be called again, also several times
    /// at once.
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
    /// Waits until nothing is under way.
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
