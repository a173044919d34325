//! The embedded store, as this process reaches it.

use std::fmt::Debug;
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Arc;

use crate::store::StoreResult;
use crate::store::memory::MemoryStore;
use crate::store::protocol::request::Effect;
use crate::store::queue::embedded::EmbeddedQueue;
use crate::store::queue::memory::MemoryQueue;
use crate::support::budget::Deadline;

/// What is done with the store where it is.
pub(crate) type Work = Box<dyn FnOnce(&MemoryStore) + Send>;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to an embedded store. [`MemoryStore`] itself is the one that has no length; on a longer one
/// work can be delayed and lost, as on the way to a server.
pub(crate) trait Embedded: Debug + Send + Sync {
    /// The store, if nothing lies between: it always answers, and at once.
    fn here(&self) -> Option<&MemoryStore>;

    /// Has work done. An error does not mean that it was not.
    fn send(&self, effect: Effect, by: Deadline, work: Work) -> BoxFuture<'_, StoreResult<()>>;

    /// Whether nothing is to be stored for the time being.
    fn is_quiet(&self) -> bool;

    /// A write is about to be sent: a connection that is lost is tried at once.
    fn hasten(&self);

    /// Waits until the connection has been lost or established.
    fn changed(&self) -> BoxFuture<'_, ()>;

    /// Where a queue of this store is.
    fn queue(&self) -> Arc<dyn EmbeddedQueue>;
}

impl Embedded for MemoryStore {
    fn here(&self) -> Option<&MemoryStore> {
        Some(self)
    }

    fn send(&self, _: Effect, _: Deadline, work: Work) -> BoxFuture<'_, StoreResult<()>> {
        work(self);
        Box::pin(ready(Ok(())))
    }

    fn is_quiet(&self) -> bool {
        false
    }

    fn hasten(&self) {}

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(pending())
    }

    fn queue(&self) -> Arc<dyn EmbeddedQueue> {
        Arc::new(MemoryQueue::default())
    }
}
