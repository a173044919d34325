//! How long the cache may delay a call.

use std::time::Duration;

use tokio::time::Instant;

/// The time by which an operation must have been answered.
pub(crate) type Deadline = Instant;

/// The time that one call may spend on the store, all its commands together. Loads, and waiting for
/// other loaders, do not count: the clock stops for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// When it began, without the time that was given back.
    begun: Instant,
    limit: Duration,
}

impl Budget {
    pub(crate) fn new(limit: Duration) -> Self {
        Self::since(Instant::now(), limit)
    }

    /// The time of a call that began at this time.
    pub(crate) fn since(begun: Instant, limit: Duration) -> Self {
        Self { begun, limit }
    }

    /// The same amount of time again, from now on, for a command that nobody waits for.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.limit)
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.begun + self.limit
    }

    /// Gives back the time since `paused`.
    pub(crate) fn resume(&mut self, paused: Instant) {
        self.begun += paused.elapsed();
    }
}
