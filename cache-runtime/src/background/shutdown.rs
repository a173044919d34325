//! Shutting down a cache.

use std::fmt;
use std::sync::atomic::Ordering;

use tokio::time::timeout;

use super::{Again, Background};
use crate::cache::Cache;
use crate::error::{Error, ErrorKind};
use crate::journal::Journal;
use crate::store::Store;

impl Cache {
    /// Ends background work before a program ends: starts no more refreshes, and waits for those that are running and
    /// for the delivery of every invalidation, for at most [`shutdown_limit`](crate::CacheBuilder::shutdown_limit),
    /// 15 s by default. What begins meanwhile, such as the end of a call that is dropped, is waited for as well.
    ///
    /// That a server goes away from now on is no warning in the log any more.
    ///
    /// Entries of failed writes that are still to be invalidated again, in case an error hid a commit, are not waited
    /// for: they are fenced for the rest of that time, and the fences expire by themselves. Only for a pattern there is
    /// no fence, so a shutdown waits until it is due: a [`fence`](crate::CacheBuilder::fence)'s length after the write.
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
        if let Some(Store::Redis(store)) = self.store() {
            store.ending();
        }
        Journal::deliver(self);
        let ended = async {
            loop {
                background.ended().await;
                Again::hand_over(self).await;
                background.again().drained().await;
                self.journal().drained().await;
                // What ended last may have left something to what was waited for before.
                let left = self.left();
                if left.is_nothing() {
                    return;
                }
            }
        };
        if timeout(self.settings().shutdown_limit, ended).await.is_ok() {
            return Ok(());
        }
        let left = self.left();
        // It has just been done.
        if left.is_nothing() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unfinished, left.to_string()))
    }

    fn left(&self) -> Left {
        let background = self.background();
        Left {
            refreshes: background.refreshes.running(),
            errands: background.errands(),
            invalidations: self.journal().depth() + background.again().length(),
        }
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

impl Left {
    fn is_nothing(&self) -> bool {
        self.refreshes + self.errands + self.invalidations == 0
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    /// The clock goes on by itself where everything waits.
    #[tokio::test(start_paused = true)]
    async fn what_begins_during_a_shutdown_is_waited_for() {
        let cache = Cache::in_memory();
        Again::add_patterns(&cache, ["none:*".to_owned()], Duration::ZERO);
        let ending = tokio::spawn({
            let cache = cache.clone();
            async move { cache.shutdown().await }
        });
        // It has found nothing running, and waits for the pattern.
        while !cache.background().refreshes.is_closed() {
            yield_now().await;
        }
        let (open, gate) = oneshot::channel::<()>();
        cache.background().run(async move { _ = gate.await });
        while cache.background().again().length() > 0 || cache.journal().depth() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!ending.is_finished(), "the errand is still running");
        open.send(()).unwrap();
        ending.await.unwrap().unwrap();
    }
}
