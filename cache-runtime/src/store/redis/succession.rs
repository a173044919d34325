//! Notices when a different primary answers than before.
//!
//! Replication is asynchronous: a promoted replica, or a server restarted from disk, may not know of an invalidation
//! that its predecessor had acknowledged. Observers are notified before the first call reaches the successor.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::record::Origin;

type Told = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct Succession {
    last: Mutex<Option<Origin>>,
    told: OnceLock<Told>,
}

impl Succession {
    /// Calls `told` for every successor. Only the first observer counts.
    pub(super) fn tell(&self, told: impl Fn() + Send + Sync + 'static) {
        _ = self.told.set(Box::new(told));
    }

    /// The primary with this origin is about to be published.
    pub(super) fn note(&self, origin: Origin) {
        // Unknown: the server does not say who it is.
        if origin == Origin::default() {
            return;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(origin);
        if let (Some(last), Some(told)) = (last, self.told.get())
            && last != origin
        {
            told();
        }
    }
}

impl fmt::Debug for Succession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Succession").field("last", &self.last).finish_non_exhaustive()
    }
}
