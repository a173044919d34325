//! A queue of one cache: what its handles share, and the store that holds its partitions.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::Core;
use crate::queue::shared::QueueState;
use crate::store::StoreResult;
use crate::store::queue::{Added, Addition, QueueStore};
use crate::support::budget::Deadline;

/// A queue of a cache that has a store.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) cache: Core,
    pub(crate) shared: Arc<QueueState>,
}

impl Log {
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

impl Deref for Log {
    type Target = QueueStore;

    fn deref(&self) -> &QueueStore {
        &self.shared.store
    }
}
