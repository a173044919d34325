//! An invalidation, and those that are sent together.

use crate::store::Digests;

/// How many keys and patterns are kept as they are. Digests are kept of the keys beyond that.
pub(super) const CAPACITY: usize = 16_384;

/// An invalidation, with full texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Invalidation {
    Key(String),
    Pattern(String),
}

/// Invalidations that are sent together, with their positions in the journal.
pub(super) enum Batch {
    Nothing,
    Keys(Vec<(u64, String)>),
    Pattern(u64, String),
    Overflow(u64, Digests),
}
