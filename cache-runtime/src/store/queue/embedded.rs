//! A queue of an embedded store, as this process reaches it.

use std::fmt::Debug;
use std::future::ready;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::embedded::BoxFuture;
use crate::store::queue::memory::MemoryQueue;
use crate::store::queue::{Added, Addition, Position};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// What is done with the queue where it is.
pub(crate) type Work = Box<dyn FnOnce(&MemoryQueue) + Send>;

/// How many replicas have what was pushed, where the store tells.
pub(crate) type Copies = StoreResult<u32>;

/// A way to a queue of an embedded store: see [`Embedded`](crate::store::embedded::Embedded).
pub(crate) trait EmbeddedQueue: Debug + Send + Sync {
    /// The queue, if nothing lies between: it always answers, and at once.
    fn here(&self) -> Option<&MemoryQueue>;

    /// Has work done. An error does not mean that it was not.
    fn send(&self, by: Deadline, work: Work) -> BoxFuture<'_, StoreResult<()>>;

    /// Appends an item, once however often it is sent.
    fn push<'a>(
        &'a self,
        partition: u32,
        addition: Addition<'a>,
        by: Deadline,
    ) -> BoxFuture<'a, StoreResult<Added>>;

    /// Appends an item, and waits until `replicas` have it.
    fn push_replicated<'a>(
        &'a self,
        partition: u32,
        addition: Addition<'a>,
        replicas: u32,
        by: Deadline,
    ) -> BoxFuture<'a, StoreResult<(Added, Copies)>>;

    /// Waits until a partition holds more than `last`, for at most `limit`.
    fn wait(
        &self,
        partition: u32,
        last: Position,
        limit: Duration,
    ) -> BoxFuture<'_, StoreResult<()>>;
}

impl EmbeddedQueue for MemoryQueue {
    fn here(&self) -> Option<&MemoryQueue> {
        Some(self)
    }

    fn send(&self, _: Deadline, work: Work) -> BoxFuture<'_, StoreResult<()>> {
        work(self);
        Box::pin(ready(Ok(())))
    }

    fn push<'a>(
        &'a self,
        partition: u32,
        addition: Addition<'a>,
        _: Deadline,
    ) -> BoxFuture<'a, StoreResult<Added>> {
        Box::pin(ready(Ok(self.append(partition, &addition))))
    }

    /// Where there are no replicas, an item is as safe as it can be.
    fn push_replicated<'a>(
        &'a self,
        partition: u32,
        addition: Addition<'a>,
        replicas: u32,
        _: Deadline,
    ) -> BoxFuture<'a, StoreResult<(Added, Copies)>> {
        Box::pin(ready(Ok((self.append(partition, &addition), Ok(replicas)))))
    }

    fn wait(
        &self,
        partition: u32,
        last: Position,
        limit: Duration,
    ) -> BoxFuture<'_, StoreResult<()>> {
        Box::pin(async move {
            self.wait_for_more(partition, last, limit).await;
            Ok(())
        })
    }
}

/// Has something done with a queue of an embedded store.
pub(super) async fn work<T: Send + 'static>(
    queue: &dyn EmbeddedQueue,
    by: Deadline,
    work: impl FnOnce(&MemoryQueue) -> T + Send + 'static,
) -> StoreResult<T> {
    if let Some(queue) = queue.here() {
        return Ok(work(queue));
    }
    let (given, mut taken) = oneshot::channel();
    queue.send(by, Box::new(move |queue| _ = given.send(work(queue)))).await?;
    taken.try_recv().map_err(|_| StoreError::Unexpected)
}
