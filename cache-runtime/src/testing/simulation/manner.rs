//! The ways in which processes use an entry.

/// The ways to read, write and intrude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Read,
    Locked,
    Revalidated,
    Lagging,
    Forgiven,
    Hurried,
    Early,
    /// As another release does, which stores another version.
    Newer,
    NewerRevalidated,
    Refresh,
    /// By hand.
    Get,
    /// All rows at once, beginning with one.
    Batch,
    LockedBatch,
    RefreshBatch,
    Write,
    Strict,
    Storing,
    StoringStrictly,
    Unfenced,
    /// Leaves the value as a stale one.
    KeepStale,
    Failing,
    InDoubt,
    InTransaction,
    /// All rows at once, beginning with one.
    Several,
    SeveralUnfenced,
    ByHand,
    ByPattern,
    /// Somebody who knows nothing of this library changes the row and deletes the entry, or a tag
    /// of it.
    Outside,
    /// The entry vanishes, or a stamp.
    Lost,
    /// The store refuses everything but reads to the process, for a while.
    ReadOnly,
}

impl Manner {
    pub(super) fn reads(self) -> bool {
        use Manner::{Batch, Early, Forgiven, Hurried, Lagging, Locked, LockedBatch};
        use Manner::{Newer, NewerRevalidated, Read, Refresh, RefreshBatch, Revalidated};
        matches!(self, Read | Locked | Refresh | Revalidated | Forgiven | Hurried | Early)
            || matches!(
                self,
                Lagging | Newer | NewerRevalidated | Batch | LockedBatch | RefreshBatch
            )
    }

    /// Whether such a read may be given a stale value.
    pub(super) fn may_lag(self) -> bool {
        use Manner::{Forgiven, Hurried, Lagging, NewerRevalidated, Revalidated};
        matches!(self, Lagging | Revalidated | NewerRevalidated | Forgiven | Hurried)
    }
}

/// How often each is drawn.
pub(super) const MANNERS: [(u64, Manner); 30] = [
    (40, Manner::Read),
    (12, Manner::Locked),
    (2, Manner::Revalidated),
    (2, Manner::Lagging),
    (2, Manner::Forgiven),
    (2, Manner::Hurried),
    (2, Manner::Early),
    (12, Manner::Newer),
    (2, Manner::NewerRevalidated),
    (6, Manner::Refresh),
    (8, Manner::Get),
    (16, Manner::Batch),
    (8, Manner::LockedBatch),
    (3, Manner::RefreshBatch),
    (6, Manner::Write),
    (5, Manner::Strict),
    (6, Manner::Storing),
    (3, Manner::StoringStrictly),
    (5, Manner::Unfenced),
    (4, Manner::KeepStale),
    (3, Manner::Failing),
    (3, Manner::InDoubt),
    (3, Manner::InTransaction),
    (2, Manner::Several),
    (2, Manner::SeveralUnfenced),
    (3, Manner::ByHand),
    (2, Manner::ByPattern),
    (5, Manner::Outside),
    (3, Manner::Lost),
    (3, Manner::ReadOnly),
];

/// How most reads of a run are made.
pub(super) const USUAL: [(u64, Manner); 6] = [
    (6, Manner::Read),
    (3, Manner::Revalidated),
    (2, Manner::Lagging),
    (2, Manner::Forgiven),
    (2, Manner::Hurried),
    (3, Manner::Early),
];
