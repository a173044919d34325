//! What a store answers.

use std::time::Duration;

use bytes::Bytes;

use crate::record::token::Token;

/// Reply to [`Acquire`](crate::store::Acquire).
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

/// Reply to [`CaptureStamp`](crate::store::CaptureStamp).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamped {
    /// The current stamp.
    Stamp(Token),
    /// A fence or a tombstone: a value that is loaded now must not be stored under this tag.
    Fenced,
    /// Somebody else's data.
    Foreign,
}

/// Reply to [`End`](crate::store::End).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing is left in the key (or the tombstone is).
    Removed,
    /// Fences of other writers remain.
    Standing,
    /// The value was stored.
    Stored,
}
