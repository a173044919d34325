//! Waiting for what a cache does in the background.

use std::fmt;

use tokio::time::timeout;

use crate::engine::Core;
use crate::engine::background::Reinvalidations;
use crate::error::{Error, ErrorKind};
use crate::store::Store;

impl Core {
    /// Begins no more refreshes, and waits for what is under way.
    pub(crate) async fn shutdown(&self) -> Result<(), Error> {
        let background = self.background();
        background.close();
        if let Some(store) = self.store().and_then(Store::redis) {
            store.ending();
        }
        self.journal().deliver();
        let ended = async {
            loop {
                background.ended().await;
                Reinvalidations::hand_over(self).await;
                background.reinvalidations().drained().await;
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
            refreshes: background.refreshing(),
            errands: background.errands(),
            invalidations: self.journal().depth() + background.reinvalidations().length(),
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
            "the cache's shutdown was cut short: {refreshes} refreshes and the ends of {errands} \
             dropped calls were still under way, {invalidations} invalidations undelivered"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;
    use crate::engine::Settings;
    use crate::engine::background::Claimed;

    /// The clock goes on by itself where everything waits.
    #[tokio::test(start_paused = true)]
    async fn what_begins_during_a_shutdown_is_waited_for() {
        let cache = Core::in_memory(Settings::default());
        Reinvalidations::add_patterns(&cache, ["none:*".to_owned()], Duration::ZERO);
        let ending = tokio::spawn({
            let cache = cache.clone();
            async move { cache.shutdown().await }
        });
        // It has found nothing running, and waits for the pattern.
        while !matches!(cache.background().claim("none"), Claimed::Full) {
            yield_now().await;
        }
        let (open, gate) = oneshot::channel::<()>();
        cache.background().run(async move { _ = gate.await });
        while cache.background().reinvalidations().length() > 0 || cache.journal().depth() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!ending.is_finished(), "the errand is still running");
        open.send(()).unwrap();
        ending.await.unwrap().unwrap();
    }
}
