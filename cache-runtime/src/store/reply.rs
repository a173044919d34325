//! What a store answers.

use std::time::Duration;

use bytes::Bytes;

use super::redis::Redirection;
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
    /// No answer before the deadline.
    TimedOut,
    /// The connection was lost before the answer arrived.
    Lost,
    /// The server refused: the first word of its error (`OOM`, `READONLY`, `NOPERM`, …).
    Refused(String),
    /// The server has not executed it: another node of its cluster has the key.
    Redirected(Box<Redirection>),
    /// A reply that the command does not give.
    Unexpected,
}
