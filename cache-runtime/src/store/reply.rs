//! What a store answers.

use std::time::Duration;

use bytes::Bytes;

use super::redis::Redirection;
use crate::failure::Refusal;
use crate::token::Token;

/// The result of a store operation.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// Reply of `acquire`.
#[derive(Clone, Debug)]
pub(crate) enum Acquired {
    /// A value is there; its whole record.
    Value(Bytes),
    /// The lease is ours.
    Leased,
    /// Somebody else holds it, for at most this long.
    Held(Duration),
    /// A fence or a tombstone: load, store nothing.
    Fenced,
    /// Somebody else's data: load, store nothing, touch nothing.
    Foreign,
    /// Nothing is stored for the time being: load, store nothing. The store was not asked.
    Quiet,
}

/// Reply of `stamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamped {
    /// The current stamp.
    Stamp(Token),
    /// A fence or a tombstone: a value that is loaded now must not be stored under this tag.
    Fenced,
    /// Somebody else's data.
    Foreign,
}

/// Reply of `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing is left in the key (or the tombstone is).
    Removed,
    /// Fences of other writers remain.
    Standing,
    /// The value was stored.
    Stored,
}

/// Why an operation was not acknowledged. It may have been executed nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// No connection, or the breaker is open: nothing was sent.
    Down,
    /// So many calls were in flight that its turn did not come before the deadline: nothing was sent.
    Saturated,
    /// No answer before the deadline.
    TimedOut,
    /// The connection was lost before the answer arrived.
    Lost,
    /// The server refused.
    Refused(Refusal),
    /// The server has not executed it: another node of its cluster has the key.
    Redirected(Box<Redirection>),
    /// A reply that the command does not give.
    Unexpected,
}

impl StoreError {
    /// Whether nothing was sent, so that nothing can have been executed.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::Down | Self::Saturated)
    }
}
