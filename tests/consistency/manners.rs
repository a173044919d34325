//! What a process does, and how often.

use cache_testing::dice::Dice;

use crate::database::{is_aged, is_passing, neighbours};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Read,
    Locked,
    Refresh,
    /// By functions that look at the age of an entry.
    Revalidated,
    Forgiven,
    Hurried,
    Early,
    /// Some rows at once, beginning with one.
    Batch,
    LockedBatch,
    RefreshBatch,
    Write,
    Strict,
    Storing,
    StoringStrictly,
    Unfenced,
    Failing,
    InDoubt,
    ByHand,
    /// Some rows at once.
    Several,
    SeveralStrictly,
    SeveralUnfenced,
}

const MANNERS: [(u64, Manner); 16] = [
    (48, Manner::Read),
    (14, Manner::Locked),
    (5, Manner::Refresh),
    (8, Manner::Batch),
    (4, Manner::LockedBatch),
    (2, Manner::RefreshBatch),
    (6, Manner::Write),
    (4, Manner::Strict),
    (6, Manner::Storing),
    (3, Manner::StoringStrictly),
    (4, Manner::Unfenced),
    (3, Manner::Failing),
    (3, Manner::ByHand),
    (2, Manner::Several),
    (1, Manner::SeveralStrictly),
    (1, Manner::SeveralUnfenced),
];

const BY_AGE: [(u64, Manner); 4] =
    [(3, Manner::Revalidated), (2, Manner::Forgiven), (2, Manner::Hurried), (2, Manner::Early)];

impl Manner {
    /// Some manner for a row. An entry must live for a while before its age matters: those rows are
    /// written less, and hardly ever read by functions that keep them fresh.
    pub fn draw(dice: &Dice, id: u64) -> Self {
        let manner = dice.pick(&MANNERS);
        // Its fence stays, too.
        let in_doubt = is_passing(id) && manner == Self::Failing;
        let manner = if in_doubt { Self::InDoubt } else { manner };
        let by_age = is_aged(id) && (manner == Self::Read || dice.percent(70));
        if by_age { dice.pick(&BY_AGE) } else { manner }
    }

    /// The rows that are read or written, beginning with one.
    pub fn rows(self, id: u64) -> Vec<u64> {
        match self {
            Self::Batch
            | Self::LockedBatch
            | Self::RefreshBatch
            | Self::Several
            | Self::SeveralStrictly
            | Self::SeveralUnfenced => neighbours(id),
            _ => vec![id],
        }
    }

    pub fn reads(self) -> bool {
        use Manner::{Batch, Early, Forgiven, Hurried, Locked, LockedBatch};
        use Manner::{Read, Refresh, RefreshBatch, Revalidated};
        matches!(self, Read | Locked | Refresh | Revalidated | Forgiven | Hurried | Early)
            || matches!(self, Batch | LockedBatch | RefreshBatch)
    }

    /// Refused where its fence is not acknowledged.
    pub fn is_strict(self) -> bool {
        matches!(self, Self::Strict | Self::StoringStrictly | Self::SeveralStrictly)
    }
}
