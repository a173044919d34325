//! The queues of a cache.

use crate::cache::Cache;
use crate::error::Error;
use crate::queue::QueueSummary;

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
}
