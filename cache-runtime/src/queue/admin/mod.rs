//! What a queue holds, for operators.

pub(crate) mod dead_letter;
pub(super) mod gauge;
mod holdings;
mod letters;
pub(crate) mod manage;
mod measure;
pub(crate) mod named;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use self::holdings::Holdings;
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::partitions::Partitions;
use crate::queue::{Queue, QueueState};
use crate::support::budget::Deadline;

/// How long one question may take: nobody's request waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Returns how much the queue holds, and how far its workers are behind.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn length(&self) -> Result<QueueLength, Error> {
        match self.log() {
            Some(log) => log.measure().await,
            None => Ok(QueueLength::default()),
        }
    }

    /// None: the cache has no store.
    pub(super) fn log(&self) -> Option<Partitions> {
        let cache = self.definition.cache();
        cache.store()?;
        let shared = QueueState::of(&cache, self.definition.site);
        Some(Partitions { cache, shared })
    }

    /// The same as operators see it.
    fn holdings(&self) -> Option<Holdings> {
        self.log().map(Holdings::from)
    }
}

pub(super) fn deadline() -> Deadline {
    Instant::now() + PATIENCE
}
