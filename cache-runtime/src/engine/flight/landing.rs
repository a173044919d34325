//! How a leader's load ends, and what its waiters get.

use bytes::Bytes;

use crate::typing::Shared;

/// A value for waiters.
#[derive(Clone, Debug)]
pub(crate) struct Landed {
    /// Its record; without the value itself ([`Head::bare`](crate::engine::entry::Head::bare))
    /// where that is not needed.
    pub(crate) record: Bytes,
    /// A copy of what the leader's body returned, if its type can be cloned: what can be decoded
    /// need not be the same.
    pub(crate) original: Option<Shared>,
}

impl Landed {
    /// A value to be decoded, by the leader as well.
    pub(crate) fn encoded(record: Bytes) -> Self {
        Self { record, original: None }
    }

    /// Whether the value itself is only in the original.
    pub(super) fn is_bare(&self) -> bool {
        self.original.is_some()
    }
}

/// How the load of a leader ends.
#[derive(Debug)]
pub(crate) enum Landing {
    /// A value for waiters that joined before the mark; `None` if no caller had joined when it was
    /// to be made.
    Value(Option<Landed>, Mark),
    /// The load failed, or its value cannot be encoded. The error, if it can be shared, is for
    /// waiters that joined before the mark and asked for what the leader asked for.
    Failed(Option<Shared>, Mark),
    /// A value past its time to live, served because a load failed or is under way elsewhere: for
    /// the same waiters as an error would be, since other functions may not serve it.
    Stale(Bytes, Mark),
    /// The load panicked, and there is nothing to share.
    Panicked,
    /// Nothing that any other call may have.
    Alone,
}

/// The moment right before an event that may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(pub(super) u64);
