//! How the ids of a batch end.

use crate::engine::Core;
use crate::metrics::{Ending, OutcomeKind};
use crate::policy::Callsite;
use crate::read::tally::Tally;
use crate::support::trace::Trace;

/// Counts each id as a call, and tells the batch's span how many have ended in which way. Those
/// that are left when it is dropped have been cancelled.
#[derive(Debug)]
pub(super) struct BatchTally {
    ids: Tally,
    left: u64,
    ended: [u64; OutcomeKind::ALL.len()],
    trace: Trace,
}

impl BatchTally {
    /// So many ids of a batch of this function.
    pub(super) fn new(cache: &Core, callsite: &'static Callsite, ids: usize, trace: Trace) -> Self {
        let ended = [0; OutcomeKind::ALL.len()];
        Self { ids: Tally::many(cache, callsite, ids), left: ids as u64, ended, trace }
    }

    /// Counts an id that has ended.
    pub(super) fn end(&mut self, entry: (&Core, &'static Callsite), ending: impl Into<Ending>) {
        let ending = ending.into();
        self.add(ending.kind, 1);
        self.left = self.left.saturating_sub(1);
        self.ids.end(entry, ending);
    }

    /// Counts ids that have ended.
    pub(super) fn end_each(
        &mut self,
        entry: (&Core, &'static Callsite),
        endings: impl IntoIterator<Item = Ending>,
    ) {
        endings.into_iter().for_each(|ending| self.end(entry, ending));
    }

    fn add(&mut self, kind: OutcomeKind, ids: u64) {
        if let Some(ended) = self.ended.get_mut(kind as usize) {
            *ended += ids;
        }
    }
}

impl Drop for BatchTally {
    fn drop(&mut self) {
        self.add(OutcomeKind::Cancelled, self.left);
        for (kind, ids) in OutcomeKind::ALL.into_iter().zip(self.ended) {
            self.trace.ended_so(kind.as_str(), ids);
        }
    }
}
