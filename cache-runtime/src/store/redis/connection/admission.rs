//! One call that is in flight, and what the breaker learns of its end.

use tokio::time::error::Elapsed;

use crate::store::redis::connection::breaker::Breaker;
use crate::store::redis::connection::multiplexer::Ended;
use crate::store::redis::connection::turns::Turn;
use crate::store::{StoreError, StoreResult};

/// A running call.
#[must_use]
pub(in crate::store) struct Admission<'a> {
    breaker: &'a Breaker,
    epoch: u64,
    /// Until the call is concluded.
    turn: Option<Turn<'a>>,
}

impl<'a> Admission<'a> {
    pub(in crate::store) fn new(breaker: &'a Breaker, epoch: u64, turn: Turn<'a>) -> Self {
        Self { breaker, epoch, turn: Some(turn) }
    }

    /// Tells the breaker how the call went. Errors of the server are replies.
    pub(in crate::store) fn conclude<T>(
        mut self,
        reply: Result<Result<T, Ended>, Elapsed>,
    ) -> StoreResult<T> {
        let turn = self.turn.take();
        match reply {
            Ok(Ok(reply)) => {
                self.breaker.answered();
                if let Some(turn) = turn {
                    turn.answered();
                }
                Ok(reply)
            }
            // The breaker learns of that from the connection itself.
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => {
                self.breaker.note_timeout();
                // A server that has answered others meanwhile is slow, or has much to do. If it has
                // just ceased to answer, the calls that follow tell.
                if turn.is_some_and(|turn| turn.has_heard()) {
                    self.breaker.doubt(self.epoch);
                } else {
                    self.breaker.timed_out(self.epoch);
                }
                Err(StoreError::TimedOut)
            }
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            // Dropped by a caller whose patience was shorter than the deadline. If that is always
            // so, nothing else reveals that the server hangs.
            self.breaker.doubt(self.epoch);
        }
    }
}
