//! The events that are counted.

/// Something that happened in a call of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Event {
    /// A value was found in the store.
    Hit,
    /// None was, or none that may be used.
    Miss,
    /// The call bypassed the cache: it was told to, or its own task has fenced the entry.
    Bypass,
    /// The entry may be outdated: an invalidation of it has not been delivered yet.
    Outdated,
    /// Another caller's load served this one.
    Coalesced,
    /// A call waited for another caller's load for too long, and ran the body.
    Impatient,
    /// A call waited for another process.
    LeaseWait,
    /// A call got the lease after another process had held it.
    Takeover,
    /// A body returned a value.
    LoadOk,
    /// A body returned an error.
    LoadFailed,
    /// A body was dropped, or panicked.
    LoadCancelled,
    /// A call was refused: too many loads were running.
    Shed,
    /// A loaded value was stored.
    Stored,
    /// A fill was refused: a stale value that was not stored.
    Refused,
    /// A stored value did not decode, is too large, or is of another codec or version and about to be replaced.
    Undecodable,
    /// A loaded value did not encode.
    Unencodable,
    /// A loaded value is larger than the limit.
    Oversized,
    /// A stale value was served.
    Stale,
    /// A call was drawn for an early refresh.
    Early,
    /// The load of a newer value began, while the old one stays.
    RefreshStarted,
    /// It replaced the old one.
    RefreshOk,
    /// It did not.
    RefreshFailed,
    /// None was started, because one had failed a moment ago.
    Rested,
    /// None was started, because too many were running.
    RefreshShed,
    /// The key holds somebody else's data.
    Foreign,
    /// A reply belonged to another key.
    Misplaced,
    /// The store was down, and known to be.
    Down,
    /// Too many calls were in flight, and the turn of this one did not come in time.
    Saturated,
    /// The store did not answer in time.
    TimedOut,
    /// The connection was lost before the answer arrived.
    Lost,
    /// The store refused, or gave a reply that the command does not give.
    StoreRefused,
    /// The invalidation of a key was acknowledged.
    Invalidated,
    /// The invalidation of a pattern was acknowledged.
    PatternInvalidated,
    /// The function is used in a way that is a mistake.
    Misused,
    /// An invalidation was not acknowledged, and goes to the journal.
    Journalled,
}

impl Event {
    pub(crate) const COUNT: usize = Self::Journalled as usize + 1;
}
