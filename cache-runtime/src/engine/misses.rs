//! Why the calls of this process have missed last, for those who ask about an entry.

use tokio::time::Instant;

use crate::engine::recollection::Recollection;
use crate::metrics::{MissReason, UncachedReason};
use crate::policy::Callsite;
use crate::record::KeyHash;

/// The most entries of one generation of a shard, before the one that fills it: 896 in all. So many
/// fit into a table of 32 places, and all tables together take some 42 KB.
const GENERATION: usize = 27;

/// A call that found no value that it could use, or could not look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Miss {
    pub(crate) callsite: &'static Callsite,
    pub(crate) missed: Option<MissReason>,
    pub(crate) uncached: Option<UncachedReason>,
    pub(crate) at: Instant,
}

/// The latest miss of each of some hundred entries. Hits neither read nor write it.
#[derive(Debug)]
pub(crate) struct LatestMisses(Recollection<Miss>);

impl LatestMisses {
    pub(crate) fn new() -> Self {
        Self(Recollection::new(GENERATION, |_| 1))
    }

    /// That of an entry, unless there was none or it is forgotten.
    pub(crate) fn of(&self, entry: KeyHash) -> Option<Miss> {
        self.0.of(entry)
    }

    /// Notes one that happens now.
    pub(crate) fn note(
        &self,
        entry: KeyHash,
        callsite: &'static Callsite,
        missed: Option<MissReason>,
        uncached: Option<UncachedReason>,
    ) {
        self.0.learn(entry, Miss { callsite, missed, uncached, at: Instant::now() });
    }
}
