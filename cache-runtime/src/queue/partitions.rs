//! A queue of one cache: what its handles share, and the store that holds its partitions.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::Core;
use crate::queue::shared::QueueState;
use crate::store::StoreResult;
use crate::store::queue::{Added, Addition, Overview, QueueStore};
use crate::support::budget::Deadline;

/// The partitions of a queue, and the cache that uses them.
#[derive(Clone, Debug)]
pub(crate) struct Partitions {
    pub(crate) cache: Core,
    pub(crate) shared: Arc<QueueState>,
}

impl Partitions {
    /// What is known of the queue: at least as many partitions as this process knows of.
    pub(crate) async fn known(&self, by: Deadline) -> StoreResult<Overview> {
        let known = self.overview(by).await?;
        let own = self.shared.site.options.partitions;
        Ok(Overview { partitions: known.partitions.max(own), ..known })
    }

    /// As many partitions as there are, and as there ever were.
    pub(crate) async fn partitions(&self, by: Deadline) -> StoreResult<u32> {
        Ok(self.known(by).await?.partitions)
    }

    /// There are as many partitions as this process knows of, if there are as many now as it was
    /// told.
    pub(crate) async fn forget_partitions(&self, known: u32, by: Deadline) -> StoreResult<bool> {
        self.forget(known, self.shared.site.options.partitions, by).await
    }

    pub(crate) async fn push(
        &self,
        partition: u32,
        addition: Addition<'_>,
        by: Deadline,
    ) -> StoreResult<Added> {
        match &self.shared.store {
            QueueStore::Redis(_) => self.push_with_others(partition, addition, by).await,
            QueueStore::Embedded(queue) => queue.push(partition, addition, by).await,
        }
    }
}

impl Deref for Partitions {
    type Target = QueueStore;

    fn deref(&self) -> &QueueStore {
        &self.shared.store
    }
}
