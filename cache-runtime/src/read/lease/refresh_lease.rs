//! The key that holds the lease of a refresh, and the rest after a refresh that failed.

use std::time::Duration;

use crate::engine::Core;
use crate::engine::background::RefreshClaim;
use crate::record::KeyHash;
use crate::store::{Invalidate, Name};
use crate::support::budget::Budget;

/// How long an entry rests after its load has failed: during this time, all processes together ask
/// a failing origin only once per entry.
pub(in crate::read) const REST: Duration = Duration::from_secs(1);

/// How long a process leaves an entry alone while another process is refreshing it.
pub(in crate::read) const PAUSE: Duration = Duration::from_millis(100);

/// The key beside the entry's own, `<key>!r`. It holds only the lease of the process that refreshes
/// or, while the entry rests, a tombstone. Safety does not depend on it: a refresh is a
/// compare-and-set on the token of the value that it replaces.
pub(in crate::read) struct RefreshLease {
    text: String,
    hash: KeyHash,
    /// This process's right to refresh. None for a load in the foreground.
    claim: Option<RefreshClaim>,
}

impl RefreshLease {
    /// The lease of a refresh of the entry with this key.
    pub(in crate::read) fn new(entry: &str, claim: Option<RefreshClaim>) -> Self {
        let text = [entry, "!r"].concat();
        Self { hash: KeyHash::of(&text), text, claim }
    }

    pub(in crate::read) fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }

    /// Makes this process leave the entry alone for so long after the refresh has ended.
    pub(in crate::read) fn rest(&mut self, rest: Option<Duration>) {
        if let Some(claim) = &mut self.claim {
            claim.rest(rest);
        }
    }

    pub(in crate::read) fn is_claimed(&self) -> bool {
        self.claim.is_some()
    }

    /// The load has failed: makes this process leave the entry alone for a while. If it holds the
    /// lease, it puts a tombstone in its place, so that all processes do.
    pub(in crate::read) fn fail(mut self, cache: &Core, entry: &str, budget: Budget, held: bool) {
        match &mut self.claim {
            Some(claim) => claim.rest(Some(REST)),
            None => cache.background().rest(entry, REST),
        }
        if !held {
            return;
        }
        let in_background = cache.clone();
        cache.background().run(async move {
            if let Some(store) = in_background.store() {
                let by = budget.anew().deadline();
                _ = store.send(self.name(), Invalidate { hold_off: REST }, by).await;
            }
        });
    }
}
