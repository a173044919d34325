//! Write-behind: pushed to a durable queue, delivered in batches.
//!
//! | | |
//! |---|---|
//! | `definition` | what an attribute says |
//! | `queues`, `shared`, `partitions` | the queues of a cache by name; what the handles of one share; its partitions, in Redis or in memory |
//! | `placement`, `layout` | where an item goes; over how many partitions pushes are spread, and how that changes |
//! | `push`, `push::many`, `push::payload`, `push::clock`, `push::puts` | the way in: made into bytes, stamped, and seen by the cache |
//! | `push::retry`, `push::retry_many`, `push::piece`, `push::producer`, `failure` | stored once, in as many attempts as it takes; why that fails |
//! | `push::batcher`, `push::group` | pushes to one partition that are sent together |
//! | `push::detour` | the way past, while there is no store |
//! | `worker`, `worker::membership` | who delivers, and which partitions each worker has |
//! | `worker::partition`, `worker::keeper`, `worker::refusals` | a partition that is owned, everything that may be done to it, its lease, and what the server refuses |
//! | `worker::delivery`, `worker::backoff`, `worker::invalidate`, `worker::report` | the way out: in batches, again, in parts, or to the dead letters |
//! | `sink`, `sink::batch`, `sink::error` | what a sink gets, and says |
//! | `admin` | for those who look after it: queues as a whole, dead letters, and how much there is |

mod admin;
pub(crate) mod definition;
mod failure;
mod layout;
pub(crate) mod partitions;
mod placement;
pub(crate) mod push;
mod queues;
mod shared;
pub(crate) mod sink;
pub(crate) mod worker;

use std::fmt;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::admin::dead_letter::{DeadLetter, DeadLetterId, ParseDeadLetterIdError};
pub use self::admin::manage::QueueSummary;
pub use self::admin::named::NamedQueue;
use self::definition::Definition;
pub use self::push::many::PushManyError;
pub(crate) use self::queues::Queues;
pub(crate) use self::shared::QueueState;
pub use self::sink::batch::{Batch, Versioned};
pub use self::sink::error::{SinkError, SinkErrorKind};
pub use self::worker::Worker;
use crate::error::Error;
pub use crate::store::queue::{ParsePositionError, Position};

/// A durable queue of items on their way to the database; returned by the companion of a
/// [`#[write_behind]`](macro@crate::write_behind) function. Cheap to clone.
///
/// It uses the cache that its attribute names. If the attribute names none, each call uses the
/// current task's cache, else the installed one. The guide
/// [`writing_behind`](mod@crate::guide::writing_behind) says what is promised.
pub struct Queue<T> {
    definition: Definition<T>,
}

impl<T> Queue<T> {
    fn new(definition: Definition<T>) -> Self {
        Self { definition }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Puts an item into the queue. Returns once Redis has it and, with `replicas`, once that many
    /// replicas have it too. If the queue is full, this waits for room.
    ///
    /// While Redis is unavailable, it passes the item, together with those of other pushes, to the
    /// sink of a worker in this process and returns once that has succeeded, unless the queue has
    /// `on_unavailable = "error"`.
    ///
    /// # Errors
    ///
    /// - The item is not in the queue: [`Full`](crate::ErrorKind::Full),
    ///   [`Unavailable`](crate::ErrorKind::Unavailable), [`Refused`](crate::ErrorKind::Refused),
    ///   [`Codec`](crate::ErrorKind::Codec), [`Altered`](crate::ErrorKind::Altered).
    /// - It may or may not be in the queue: [`InDoubt`](crate::ErrorKind::InDoubt).
    /// - It is in the queue, but may be lost in a failover:
    ///   [`Unreplicated`](crate::ErrorKind::Unreplicated).
    /// - It went directly to the sink, which failed: [`Sink`](crate::ErrorKind::Sink).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the item may or may not be in the queue. Once another push of this
    /// process has reached the same partition, it can no longer get there.
    pub async fn push(&self, item: T) -> Result<(), Error> {
        // Boxed, since it is large and the caller's future holds it; and without its type, through
        // which rustc would look to tell whether the caller is `Send`, as deep as it goes.
        let push: Pin<Box<dyn Future<Output = _> + Send + '_>> =
            Box::pin(self.push_and_put(item, true));
        push.await
    }

    /// The same as [`push`](Self::push), but fails with [`ErrorKind::Full`](crate::ErrorKind::Full)
    /// instead of waiting for room.
    ///
    /// # Cancel safety
    ///
    /// That of [`push`](Self::push).
    pub async fn try_push(&self, item: T) -> Result<(), Error> {
        let push: Pin<Box<dyn Future<Output = _> + Send + '_>> =
            Box::pin(self.push_and_put(item, false));
        push.await
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { definition: self.definition.clone() }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}
