//! What a queue held when this process last looked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::metrics::QueueLength;
use crate::metrics::queue::MeasuredLength;

/// What the queue held when this process last looked.
#[derive(Debug, Default)]
pub(in crate::queue) struct Gauge {
    last: Mutex<Option<(QueueLength, Instant)>>,
    /// Somebody looks, now and then.
    is_looking: AtomicBool,
}

impl Gauge {
    pub(in crate::queue) fn snapshot(&self) -> Option<MeasuredLength> {
        self.lock().map(|(length, at)| MeasuredLength { length, age: at.elapsed() })
    }

    /// A measurement that began at this time has found so much.
    pub(super) fn note(&self, length: QueueLength, asked: Instant) {
        *self.lock() = Some((length, asked));
    }

    /// Whether somebody may begin to look, as nobody else does, until [`Self::end`].
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
