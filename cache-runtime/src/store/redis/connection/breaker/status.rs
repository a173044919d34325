//! What a breaker is at.

use std::time::Instant;

use crate::store::redis::connection::breaker::Phase;
use crate::store::redis::connection::breaker::attempts::Attempts;
use crate::store::redis::connection::error::Cause;

/// Phase of a breaker and since when.
#[cfg_attr(not(test), expect(dead_code, reason = "for the statistics"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) phase: Phase,
    /// The number of the latest connection. Each connection has a different number.
    pub(crate) epoch: u64,
    pub(crate) since: Instant,
}

/// What is changed under the lock of the breaker.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) phase: Phase,
    pub(super) epoch: u64,
    since: Instant,
    /// Of the present supervisor.
    pub(super) generation: u64,
    /// Why calls are refused, as it was logged.
    pub(super) cause: Option<Cause>,
    pub(super) attempts: Attempts,
}

impl Status {
    /// Nobody has connected yet.
    pub(super) fn new(since: Instant) -> Self {
        Self {
            phase: Phase::Idle,
            epoch: 0,
            since,
            generation: 0,
            cause: None,
            attempts: Attempts::default(),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { phase: self.phase, epoch: self.epoch, since: self.since }
    }

    /// Whether calls find no connection, other than on trial.
    pub(super) fn refuses(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::HalfOpen)
    }

    /// Whether the change is worth a line in the log.
    pub(super) fn enter(&mut self, phase: Phase, cause: Option<Cause>) -> bool {
        let known = self.cause == cause;
        (self.phase, self.since, self.cause) = (phase, Instant::now(), cause);
        self.attempts.end();
        !known
    }
}
