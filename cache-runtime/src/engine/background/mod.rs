//! Work that outlives a call.

mod refreshes;
mod reinvalidations;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use self::refreshes::Refreshes;
pub(crate) use self::refreshes::{Claimed, RefreshClaim};
pub(crate) use self::reinvalidations::Reinvalidations;

/// Runs something in the background; not at all outside of a runtime, where nobody could.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}

/// The background work of a cache, tracked so that it can be waited for.
#[derive(Debug)]
pub(crate) struct Background {
    refreshes: Refreshes,
    /// What has to be put in order after a call that was dropped.
    errands: AtomicUsize,
    reinvalidations: Reinvalidations,
    /// Notified whenever something ends.
    ended: Notify,
}

impl Background {
    pub(crate) fn new(max_refreshes: usize) -> Arc<Self> {
        Arc::new(Self {
            refreshes: Refreshes::new(max_refreshes),
            errands: AtomicUsize::new(0),
            reinvalidations: Reinvalidations::default(),
            ended: Notify::new(),
        })
    }

    /// Runs something that is to be done before the program ends.
    pub(crate) fn run(self: &Arc<Self>, errand: impl Future<Output = ()> + Send + 'static) {
        self.errands.fetch_add(1, Ordering::AcqRel);
        let under_way = Errand(Arc::clone(self));
        spawn(async move {
            errand.await;
            drop(under_way);
        });
    }

    /// The right to refresh an entry.
    pub(crate) fn claim(self: &Arc<Self>, key: &str) -> Claimed {
        Refreshes::claim(self, key)
    }

    /// Begins no refresh of an entry for a while.
    pub(crate) fn rest(&self, key: &str, rest: Duration) {
        self.refreshes.rest(key.into(), rest);
    }

    /// Whether a load of this entry failed a moment ago.
    pub(crate) fn is_resting(&self, key: &str) -> bool {
        self.refreshes.is_resting(key)
    }

    /// What is to be invalidated again.
    pub(crate) fn reinvalidations(&self) -> &Reinvalidations {
        &self.reinvalidations
    }

    /// Begins no more refreshes.
    pub(super) fn close(&self) {
        self.refreshes.close();
    }

    /// How many refreshes are running.
    pub(crate) fn refreshing(&self) -> usize {
        self.refreshes.running()
    }

    /// Waits until nothing is running.
    pub(super) async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.refreshes.running() == 0 && self.errands.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }

    pub(super) fn errands(&self) -> usize {
        self.errands.load(Ordering::Acquire)
    }
}

/// Counts a task as running until its future ends or is dropped.
struct Errand(Arc<Background>);

impl Drop for Errand {
    fn drop(&mut self) {
        self.0.errands.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_waiters();
    }
}
