//! What a queue held when this process last looked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::QueueLength;
use crate::metrics::queue::MeasuredLength;

/// What the queue held when this process last looked.
#[derive(Debug, Default)]
pub(in crate::queue) struct Gauge {
    last: Mutex<Option<(QueueLength, Instant)>>,
    /// A measurement is running.
    is_looking: AtomicBool,
}

impl Gauge {
    pub(in crate::queue) fn snapshot(&self) -> Option<MeasuredLength> {
        self.lock().map(|(length, at)| MeasuredLength { length, age: at.elapsed() })
    }

    pub(super) fn is_older_than(&self, age: Duration) -> bool {
        self.lock().is_none_or(|(_, at)| at.elapsed() >= age)
    }

    /// A measurement that began at this time has found so much.
    pub(super) fn note(&self, length: QueueLength, asked: Instant) {
        *self.lock() = Some((length, asked));
    }

    /// Whether a measurement may begin, as no other is running. It runs until [`Self::end`].
    pub(super) fn begin(&self) -> bool {
        !self.is_looking.swap(true, Ordering::AcqRel)
    }

    pub(super) fn end(&self) {
        self.is_looking.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Option<(QueueLength, Instant)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
