//! Write-behind: pushed to a durable queue, delivered in batches.

mod batch;
mod dead_letter;
mod definition;
mod fold;
mod position;
mod puts;
mod sink;
mod site;
mod worker;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::batch::{Batch, Versioned};
pub use self::dead_letter::DeadLetter;
use self::definition::Definition;
pub use self::definition::{QueueBuilder, queue};
pub use self::fold::{Fold, merge};
pub use self::position::{ParsePositionError, Position};
pub use self::puts::Puts;
pub use self::sink::SinkResult;
pub use self::site::QueueSite;
pub use self::worker::{Worker, worker};
use crate::error::{Error, ErrorKind};

/// A queue of items that go to the database later. Cheap to clone.
pub struct Queue<T> {
    definition: Definition<T>,
}

impl<T> Queue<T> {
    fn new(definition: Definition<T>) -> Self {
        Self { definition }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Puts an item into the queue; returns when Redis has it.
    pub async fn push(&self, item: T) -> Result<(), Error> {
        let _ = (item, self.definition.cache());
        Err(Error::new(ErrorKind::Unavailable, "not yet"))
    }

    /// The same, without waiting for room: [`ErrorKind::Full`] at once.
    pub async fn try_push(&self, item: T) -> Result<(), Error> {
        self.push(item).await
    }

    /// The oldest `limit` items of each partition that could not be delivered.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter<T>>, Error> {
        let _ = limit;
        Err(Error::new(ErrorKind::Unavailable, "not yet"))
    }

    /// Puts all dead letters back at the end of the queue; how many there were.
    pub async fn redrive(&self) -> Result<u64, Error> {
        Err(Error::new(ErrorKind::Unavailable, "not yet"))
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
