//! The outcome of each call, counted exactly once.

use tokio::time::Instant;

use crate::engine::{Core, report};
use crate::metrics::{Ending, OutcomeKind};
use crate::policy::Callsite;
use crate::read::call::ReadCall;

/// The calls that have not ended yet: one, or the ids of a batch. Those that are left when it is
/// dropped have been cancelled.
///
/// A refresh in the background is no call, and counts nothing.
#[derive(Debug)]
pub(in crate::read) struct Tally {
    left: u64,
    /// When they began.
    since: Option<Instant>,
    /// In whose statistics a call that is dropped counts. Noted when a call first waits: a hit in
    /// memory can spare it.
    noted: Option<(Core, &'static Callsite)>,
}

impl Tally {
    /// One call, which has not begun.
    pub(in crate::read) fn one() -> Self {
        Self { left: 1, since: None, noted: None }
    }

    /// The call begins.
    pub(in crate::read) fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// So many ids of a batch of this function.
    pub(in crate::read) fn many(cache: &Core, callsite: &'static Callsite, ids: usize) -> Self {
        let noted = Some((cache.clone(), callsite));
        Self { left: ids as u64, since: Some(Instant::now()), noted }
    }

    /// What is no call.
    pub(in crate::read) fn none() -> Self {
        Self { left: 0, since: None, noted: None }
    }

    /// From here on, the call counts as cancelled if it is dropped.
    pub(in crate::read) fn note(&mut self, call: &ReadCall) {
        if self.left > 0 && self.noted.is_none() {
            self.noted = Some((call.cache.clone(), call.callsite));
        }
    }

    /// Counts a call that has ended.
    pub(in crate::read) fn end(
        &mut self,
        (cache, callsite): (&Core, &'static Callsite),
        ending: impl Into<Ending>,
    ) {
        if self.left > 0 {
            self.left -= 1;
            let ending = ending.into();
            cache.recorder().ended(callsite, ending, 1, self.since);
            report::ended(ending, self.left == 0);
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some((cache, callsite)) = self.noted.take().filter(|_| self.left > 0) {
            let cancelled = OutcomeKind::Cancelled.into();
            cache.recorder().ended(callsite, cancelled, self.left, self.since);
        }
    }
}
