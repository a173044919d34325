//! Where entries live: Redis, or this process's memory. Bytes and rules only; no value type, no policy.

pub(crate) mod redis;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::record::KeyHash;

/// A full key (namespace and all) with its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: KeyHash,
}

impl<'a> Name<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            hash: KeyHash::of(text),
        }
    }
}

/// Reply of `acquire`.
#[derive(Debug)]
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

/// A value to be stored: the record from [`record::value`](crate::record::value) with its payload, and for how long.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) record: Vec<u8>,
    /// Served as fresh for this long.
    pub(crate) fresh: Duration,
    /// Kept for this long; at least `fresh`.
    pub(crate) ttl: Duration,
}

/// Reply of `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing is left in the key (or the tombstone is).
    Removed,
    /// Other writers' fences still stand.
    Standing,
    /// The value was stored.
    Stored,
}

/// Why an operation was not acknowledged. It may have been executed all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// No connection, or the breaker is open: refused at once.
    Down,
    /// No answer before the deadline.
    TimedOut,
    /// The connection was lost underway.
    Lost,
    /// The key holds something other than a string: somebody else's data.
    Foreign,
    /// The server refused: the first word of its error (`OOM`, `READONLY`, `NOPERM`, …).
    Refused(String),
    /// A reply that the command does not give.
    Unexpected,
}

/// When an operation must have been answered.
pub(crate) type Deadline = Instant;

/// The result of a store operation.
pub(crate) type StoreResult<T> = Result<T, StoreError>;
