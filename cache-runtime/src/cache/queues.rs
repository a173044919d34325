//! The queues of a cache.

use crate::cache::Cache;
use crate::error::Error;
use crate::queue::{NamedQueue, QueueSummary};

impl Cache {
    /// Returns all queues in the namespace of this cache, ordered by name: those that any process
    /// has pushed to or run a worker of, also under a name that no function has any more. In the
    /// embedded store, those of this cache.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn queues(&self) -> Result<Vec<QueueSummary>, Error> {
        self.core.queues().await
    }

    /// The queue of this name, for tools that do not know the type of its items.
    pub fn queue(&self, name: impl Into<String>) -> NamedQueue {
        NamedQueue::new(self.core.clone(), name.into())
    }
}
